"""Trends in tables and sentences: what rises, how surely, and whether lists of the past foretold what came."""

import re
from collections.abc import Mapping

import pandas as pd

from workbench.columns import ITEM_ID, SCORE
from workbench.recipes.trend_backtest import ALL_TIME, MOST_CHOSEN, TRENDING
from workbench.serving.responses import Response
from workbench.serving.tables import EntityTable
from workbench.show.lists import title_of
from workbench.show.recommendation_words import shared

LISTS = {
    TRENDING: "trending now",
    MOST_CHOSEN: "most chosen of the window before",
    ALL_TIME: "most chosen ever",
}
SURE, UNSURE = "rises beyond chance", "may be chance"


def campaign_name(frequency: str, window: str = "") -> str:
    """A campaign's name for a pair of windows, such as "trending-14d" or "trending-1h-3h"."""
    return re.sub(r"[^A-Za-z0-9]+", "-", f"trending-{frequency}-{window}").strip("-")


def growth_table(trends: pd.DataFrame, items: EntityTable, most: int) -> pd.DataFrame:
    """The best items of a trend: ITEM, NOW and BEFORE (events), GROWTH with LOW and HIGH (times), READING.

    Args:
        trends: of `TrendingNow.trends`.
        items: for titles.
        most: rows.
    """
    rows = trends.head(most)
    table = pd.DataFrame({"ITEM": [title_of(items, each) for each in rows[ITEM_ID]]})
    table["NOW"], table["BEFORE"] = rows["EVENTS_NOW"].to_numpy(), rows["EVENTS_BEFORE"].to_numpy()
    for name in ("GROWTH", "LOW", "HIGH"):
        table[name] = rows[name].to_numpy()
    return table.assign(READING=[SURE if low > 1 else UNSURE for low in rows["LOW"]])


def window_sentence(notes: Mapping[str, object]) -> str:
    """Say which windows are compared, from the notes of a fitted trending-now."""
    if "fallback" in notes:
        return f"There is no growth to see, so the list is {notes['fallback']}."
    start = pd.to_datetime(int(notes["newest_window_starts_after"]), unit="s")
    days = float(notes["window_seconds"]) / 86_400
    length = f"{days:g} days" if days >= 1 else f"{days * 24:g} hours"
    return (
        f"The newest window begins at {start:%Y-%m-%d %H:%M} UTC, is {length} long and holds "
        f"{notes['events_in_newest_window']:,} events; the window before holds {notes['events_in_window_before']:,}. "
        f"{notes['items_growing']:,} items grow by more than the caution takes off."
    )


def backtest_table(backtest: pd.DataFrame) -> pd.DataFrame:
    """The backtest window by window, with times in UTC and the three lists' names in words."""
    when = pd.to_datetime(backtest["STARTS_AFTER"], unit="s").dt.strftime("%Y-%m-%d %H:%M")
    return backtest.assign(STARTS_AFTER=when).rename(columns={"STARTS_AFTER": "STARTS AFTER, UTC"} | LISTS)


def backtest_sentence(backtest: pd.DataFrame) -> str:
    """Say how much of the rise that followed each list foretold, and who was ahead how often."""
    if backtest.empty:
        return "The log is too short to foretell any past window: choose a shorter frequency."
    shares = backtest[list(LISTS)]
    ahead = shares.eq(shares.max(axis=1), axis=0)
    ahead = ahead[ahead.sum(axis=1) == 1]
    parts = [f"{LISTS[name]} {shares[name].mean():.0%} (ahead in {int(ahead[name].sum()):,})" for name in LISTS]
    return (
        f"Of the largest rises in the last {len(backtest):,} windows, the items of each list made on average: "
        f"{'; '.join(parts)}."
    )


def reading(trends: pd.DataFrame, rising: Response, popular: Response, backtest: pd.DataFrame, batch: int) -> str:
    """Say in sentences what rises, how it differs from popularity, whether it foretells, and what a batch gave.

    Args:
        trends: of `TrendingNow.trends`.
        rising, popular: the lists for everybody.
        backtest: of `recipes.trend_backtest.backtest`.
        batch: how many users' lists were made in one go.
    """
    sure = int((trends["LOW"] > 1).sum())
    first = f"{sure:,} of {len(trends):,} items rise so that their 95 % interval leaves out no growth."
    same = shared(rising, popular)
    second = f"The trending list shares {same:,} of its {len(rising.items):,} items with the most chosen ever."
    third = backtest_sentence(backtest)
    best = "" if backtest.empty else str(backtest[list(LISTS)].mean().idxmax())
    if best == TRENDING:
        third += " Here the trend is also the better forecast."
    elif best:
        third += (
            f" As a forecast of how many events will come, {LISTS[best]} is better here: a trend says what is new in "
            "demand, not what will be demanded most."
        )
    return f"{first} {second} {third} {batch:,} users got their lists in one go."


def headline(trends: pd.DataFrame, backtest: pd.DataFrame) -> list[dict]:
    """The numbers for a report's index page: items that surely rise, and what the trending lists foretold."""
    rows = [{"name": "items that rise beyond chance", "value": int((trends["LOW"] > 1).sum())}]
    if not backtest.empty:
        rows.append({"name": "share of the rise foretold by trending lists", "value": backtest[TRENDING].mean()})
    return rows


def score_order(trends: pd.DataFrame, response: Response) -> bool:
    """Whether a list for everybody stands in the order of the trend's scores."""
    scores = trends.set_index(ITEM_ID)[SCORE].reindex(response.item_ids)
    return bool((scores.diff().dropna() <= 0).all())
