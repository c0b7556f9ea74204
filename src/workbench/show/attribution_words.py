"""A metric attribution in sentences and small tables: headline numbers, what is true, how to read it."""

import pandas as pd

from workbench.columns import EVENT_ATTRIBUTION_SOURCE, VALUE
from workbench.data.shop_truth import source_effects
from workbench.impact.attribution import METRIC_NAME, Attribution
from workbench.impact.attribution_sources import UNDEFINED
from workbench.impact.rates import RATE, Rates
from workbench.impact.ratios import NO_CLEAR_DIFFERENCE

TRUTHS = {"click-through": "CLICK_RATE", "cart": "CART_RATE", "conversion": "PURCHASE_RATE"}


def headline(measured: Rates) -> list[dict[str, object]]:
    """The first rate of every source with its interval, in percent, as `results.write` takes headline numbers."""
    first = (
        measured.table[measured.table[RATE] == measured.table[RATE].iloc[0]] if len(measured.table) else measured.table
    )
    return [
        {
            "name": f"{row.RATE} of {row.EVENT_ATTRIBUTION_SOURCE}",
            "value": 100 * row.VALUE,
            "low": 100 * row.LOW,
            "high": 100 * row.HIGH,
            "unit": "%",
            "level": measured.level,
        }
        for row in first.itertuples(index=False)
    ]


def beside_truth(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """Put what is true of the shop beside what was measured.

    Args:
        table: as `Rates.table`.
        group: the dataset group.

    Returns:
        RATE, EVENT_ATTRIBUTION_SOURCE, VALUE, LOW, HIGH, TRUE, INSIDE (the interval holds the truth), for the rates of
        the shop whose truth is known; no rows for other groups.
    """
    columns = [RATE, EVENT_ATTRIBUTION_SOURCE, VALUE, "LOW", "HIGH", "TRUE", "INSIDE"]
    if group != "shop":
        return pd.DataFrame(columns=columns)
    effects = source_effects()
    known = pd.concat(
        effects[[EVENT_ATTRIBUTION_SOURCE]].assign(**{RATE: name, "TRUE": effects[column]})
        for name, column in TRUTHS.items()
    )
    both = table.merge(known, on=[RATE, EVENT_ATTRIBUTION_SOURCE])
    return both.assign(INSIDE=both["TRUE"].between(both["LOW"], both["HIGH"]))[columns]


def reading(earned: Attribution, measured: Rates) -> str:
    """Three sentences: what brought most, which sources differ, and what that does and does not mean."""
    return f"{_most(earned)} {_clear(measured)} {_limit(earned)}"


def _most(earned: Attribution) -> str:
    totals = earned.totals()
    if totals.empty:
        return "No event counts for any of the metrics."
    first = earned.metrics[0].name
    chosen = totals[totals[METRIC_NAME] == (first if first in set(totals[METRIC_NAME]) else totals[METRIC_NAME].iat[0])]
    named = chosen[chosen[EVENT_ATTRIBUTION_SOURCE] != UNDEFINED]
    if named.empty:
        return f"None of the {chosen[METRIC_NAME].iat[0]} has a source."
    top, whole = named.iloc[0], chosen[VALUE].sum()
    share = f" ({named[VALUE].sum() / whole:.0%} of all came through recommendations)" if whole > 0 else ""
    return f"Of {top[METRIC_NAME]}, `{top[EVENT_ATTRIBUTION_SOURCE]}` brought most of all sources{share}."


def _clear(measured: Rates) -> str:
    pairs = measured.differences
    if pairs.empty:
        return "There are no two sources to compare."
    rate = pairs[RATE].iat[0]
    mine = pairs[pairs[RATE] == rate]
    clear = mine[mine["READING"] != NO_CLEAR_DIFFERENCE]
    if clear.empty:
        return f"In {rate}, none of {len(mine):,} pairs of sources differ clearly, so there is no winner to name."
    best = clear.sort_values("DIFFERENCE", ascending=False).iloc[0]
    return (
        f"In {rate}, {len(clear):,} of {len(mine):,} pairs of sources differ clearly, most of all `{best['FIRST']}` "
        f"from `{best['SECOND']}` ({best['LOW']:.1%} to {best['HIGH']:.1%}); the others have no winner."
    )


def _limit(earned: Attribution) -> str:
    undefined = earned.sources.eq(UNDEFINED).mean() if len(earned.sources) else 0.0
    return (
        f"{undefined:.0%} of the events have no source and count for nobody, and a difference says what caused it only "
        "where chance decided who saw which list."
    )
