"""The shop: a seeded, generated data set with all five dataset kinds, planted defects and a known truth.

`python -m workbench.data.shop data/samples/shop` writes the committed files again, byte for byte the same text.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from workbench.data import shop_catalogue, shop_defects, shop_events

SEED = 7  # of the committed files
LISTS = "lists"  # the log of every list of recommendations shown; not a dataset kind
TABLES = (INTERACTIONS, ITEMS, USERS, ACTIONS, ACTION_INTERACTIONS, LISTS)


def generate(seed: int = SEED, *, defects: bool = True) -> dict[str, pd.DataFrame]:
    """Draw the shop.

    Args:
        seed: the same seed draws the same tables.
        defects: False leaves the defects out, which shows what mending should come back to; users then keep SEGMENT,
            the position of their hidden segment in `shop_truth.SEGMENTS`.

    Returns:
        One frame per name of `TABLES`, in file order. `lists` has RECOMMENDATION_ID, USER_ID, TIMESTAMP,
        EVENT_ATTRIBUTION_SOURCE and IMPRESSION (the items shown) of every list, clicked or not.
    """
    rng = np.random.default_rng(seed)
    items, users, actions = shop_catalogue.items(rng), shop_catalogue.users(rng), shop_catalogue.actions()
    events, lists = shop_events.simulate(rng, items, users)
    taken = shop_events.action_events(rng, users, actions)
    if defects:
        events = shop_defects.spoil_interactions(events, rng)
        items = shop_defects.spoil_items(items, rng)
        users = shop_defects.spoil_users(users, rng)
        taken = shop_defects.spoil_action_events(taken, rng)
    return dict(zip(TABLES, (events, items, users, actions, taken, lists), strict=True))


def csv_text(frame: pd.DataFrame) -> bytes:
    """Write a table as the committed files hold it: UTF-8, header, comma, LF, empty for missing."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def digest(tables: dict[str, pd.DataFrame]) -> str:
    """Give one SHA-256 for all tables' text, in the order of `TABLES`."""
    total = hashlib.sha256()
    for name in TABLES:
        total.update(csv_text(tables[name]))
    return total.hexdigest()


def write(folder: str | Path, seed: int = SEED) -> list[Path]:
    """Write every raw table as <name>.csv.gz; the same seed gives the same bytes on the same Python."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, frame in generate(seed).items():
        path = place / f"{name}.csv.gz"
        path.write_bytes(gzip.compress(csv_text(frame), compresslevel=9, mtime=0))
        paths.append(path)
    return paths


if __name__ == "__main__":
    write(*sys.argv[1:2])
