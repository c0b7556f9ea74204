"""What a recipe picked while it was fitted, in tables and sentences: its parts, their weights, how training went."""

from typing import Any

import pandas as pd

ALWAYS_SHOWN = {
    "items_solved_together": "items solved together",
    "items_solved_by_themselves": "rarer items solved by themselves",
    "ridge": "ridge",
    "popularity_discount": "popularity discount",
    "best_epoch": "best epoch",
    "epochs": "epochs planned",
    "batch_events": "events a training step",
    "held_events": "held events that decided when to stop",
    "new_items": "new items, scored as the items most alike",
}


def parts_table(notes: dict[str, Any]) -> pd.DataFrame:
    """PART, WEIGHT, NDCG@10 ALONE (on the held events) and SECONDS of a recipe made of several models."""
    blend = notes.get("blend", {})
    rows = [
        (
            name,
            blend.get("weights", {}).get(name, 1.0),
            blend.get("alone", {}).get(name),
            notes.get(name, {}).get("seconds"),
        )
        for name in notes.get("parts", [])
    ]
    return pd.DataFrame(rows, columns=["PART", "WEIGHT", "NDCG@10 ALONE", "SECONDS"])


def choices_table(notes: dict[str, Any]) -> pd.DataFrame:
    """PART, CHOICE and VALUE: what was chosen or counted while fitting; a part is empty where there is only one."""
    sources = {name: notes[name] for name in notes.get("parts", []) if name in notes} or {"": notes}
    rows = [
        (part, words, str(found[key]))
        for part, found in sources.items()
        for key, words in ALWAYS_SHOWN.items()
        if key in found
    ]
    if "" not in sources and "new_items" in notes:
        rows.append(("all", ALWAYS_SHOWN["new_items"], str(notes["new_items"])))
    return pd.DataFrame(rows, columns=["PART", "CHOICE", "VALUE"])


def learning_curve(notes: dict[str, Any]) -> pd.DataFrame:
    """EPOCH, VALUE (NDCG at 10 of the held events), LOSS and BEST of a training in epochs; empty without one."""
    found = notes.get("transformer", notes)
    curve, best = found.get("curve", []), found.get("best_epoch")
    rows = [(int(r["epoch"]), float(r["value"]), float(r["loss"]), r["epoch"] == best) for r in curve if "value" in r]
    return pd.DataFrame(rows, columns=["EPOCH", "VALUE", "LOSS", "BEST"])


def reading(name: str, notes: dict[str, Any]) -> str:
    """Say why the recipe is made as it is; true for any recipe."""
    said = [_sentence(each) for each in notes.get("why", [])]
    weights = notes.get("blend", {}).get("weights", {})
    if weights:
        shares = ", ".join(f"{part} {share:.0%}" for part, share in weights.items())
        said.append(
            f"Weights of the parts' log scores, learned on {notes['blend']['held_events']:,} held events: {shares}."
        )
    curve = learning_curve(notes)
    if len(curve):
        best = curve[curve["BEST"]].iloc[0]
        said.append(
            f"The best of {len(curve)} judged epochs is number {best['EPOCH']}, with NDCG@10 of {best['VALUE']:.4f}."
        )
    return " ".join(said) or f"{name} is one model with nothing to choose between."


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."
