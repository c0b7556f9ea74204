"""An input for a batch job, drawn from a campaign's own users and items, with lines that are wrong on purpose."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from workbench.serving.batch_formats import RANKINGS, RELATED, USERS, require_batch_kind
from workbench.serving.snapshot import Snapshot

STRANGER = "somebody nobody has met"
CUT = '{"userId":"cut in the mid'


def write_example(path: Path, snapshot: Snapshot, kind: str, lines: int, *, listed: int = 20, seed: int = 0) -> int:
    """Write an input.

    Args:
        path: of the file; its folder is made.
        snapshot: of a deployment.
        kind: "users", "rankings" or "related".
        lines: good ones; users, or items, come in a drawn order, and again once all have come.
        listed: items of a ranking's line at most.
        seed: of the draws.

    Returns:
        How many lines are wrong; one more is blank, and but for related items one asks for a stranger.
    """
    require_batch_kind(kind)
    rng = np.random.default_rng(seed)
    good = _asked(snapshot, kind, lines, listed, rng)
    wrong = _wrong(kind)
    if kind != RELATED:
        good.append({"userId": STRANGER} | ({"itemList": good[0]["itemList"]} if kind == RANKINGS else {}))
    texts = [json.dumps(each, ensure_ascii=False) for each in good]
    for text, place in zip([*wrong, ""], sorted(rng.integers(0, len(texts) + 1, len(wrong) + 1)), strict=True):
        texts.insert(int(place), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*texts, CUT]), encoding="utf-8")
    return len(wrong) + 1


def _asked(snapshot: Snapshot, kind: str, lines: int, listed: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    items = [str(each) for each in snapshot.items.ids]
    if kind == RELATED:
        order = rng.permutation(len(items))
        return [{"itemId": items[order[line % len(order)]]} for line in range(lines)]
    users = [str(each) for each in snapshot.users.table.ids]
    order = rng.permutation(len(users))
    found: list[dict[str, Any]] = [{"userId": users[order[line % len(order)]]} for line in range(lines)]
    if kind == RANKINGS:
        for each in found:
            drawn = rng.choice(len(items), min(listed, len(items)), replace=False)
            each["itemList"] = [items[code] for code in drawn]
    return found


def _wrong(kind: str) -> list[str]:
    """Lines that cannot be used, each in another way."""
    if kind == USERS:
        return ['{"userId":7}', '{"userId":"u1",}', '{"userID":"u1"}', '{"userId":"u1","itemList":["a"]}']
    if kind == RANKINGS:
        return ['{"userId":"u1","itemList":["a","b","a"]}', '{"userId":"u1","itemList":"a|b"}', '{"userId":"u1"}']
    return ['{"itemId":"an item nobody knows"}', '{"itemId":["a"]}', '{"itemid":"a"}']
