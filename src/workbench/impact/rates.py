"""Rates per source, such as clicks per list shown, with intervals, and which sources really differ.

Personalize's metric attribution has no ratios. Here every rate is a ratio of two counts, and users are what is drawn:
somebody who clicks on everything makes many events and is still one person, so intervals over events would be too
narrow. All sources share the draws, which keeps comparisons right when the same people saw several of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.columns import EVENT_ATTRIBUTION_SOURCE, EVENT_TYPE, USER_ID
from workbench.errors import AttributionError, ParameterError, nearest
from workbench.impact.ratios import Ratios

SHOWN = "shown"  # the denominator that stands for lists of recommendations shown, clicked or not
RATE = "RATE"
RESAMPLES = 1_000


@dataclass(frozen=True)
class Rates:
    """Measured rates.

    table: RATE, EVENT_ATTRIBUTION_SOURCE, COUNT, OF, VALUE (COUNT / OF), LOW, HIGH, USERS (with any OF), INTERVAL
        ("bootstrap" over users, or "Wilson" over users where there are too few events to draw from).
    differences: RATE, FIRST, SECOND, DIFFERENCE (VALUE of FIRST minus SECOND), LOW, HIGH, READING ("higher", "lower"
        or "no clear difference"). The intervals of one rate hold all at once at `level`, so the more sources, the
        wider.
    left_out: RATE, EVENT_ATTRIBUTION_SOURCE, COUNT, WHY: sources without a rate.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    left_out: pd.DataFrame
    level: float


def rates(
    events: pd.DataFrame,
    sources: pd.Series,
    definitions: Mapping[str, Sequence[str]],
    seed: int,
    *,
    shown: pd.DataFrame | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Rates:
    """Measure rates per source and compare every two sources.

    Args:
        events: USER_ID, EVENT_TYPE.
        sources: the source of every event, in the order of `events`, as `Attribution.sources`.
        definitions: rate name to [event type counted, event type it is counted of]; "shown" as the second stands for
            the lists in `shown`.
        seed: of the draws.
        shown: one row per list of recommendations shown: USER_ID, EVENT_ATTRIBUTION_SOURCE.
        level: of all intervals.
        resamples: how many draws of users.

    Raises:
        AttributionError: a definition that is not a pair, an unknown event type, or lists needed and not given.
        ParameterError: level is not between 0 and 1, or seed below 0.
    """
    if not 0 < level < 1:
        raise ParameterError(f"level must lie between 0 and 1, not {level!r}")
    if seed < 0:
        raise ParameterError(f"seed must be 0 or more, not {seed}")
    counts = _Counts(events, sources, shown)
    tables, differences, left = [], [], []
    for name, pair in definitions.items():
        above, below = counts.pair(name, pair)
        usable = below.columns[below.sum().gt(0)]
        for source in above.columns.union(below.columns).difference(usable):
            left.append(
                (name, source, int(above.get(source, pd.Series([0])).sum()), f"nothing to divide by ({pair[1]})")
            )
        if not len(usable):
            continue
        above = above.reindex(columns=usable, index=below.index.union(above.index), fill_value=0)
        below = below.reindex(columns=usable, index=above.index, fill_value=0)
        one = Ratios(above.to_numpy(float), below.to_numpy(float), seed, level, resamples)
        tables.append(one.table().assign(**{RATE: name, EVENT_ATTRIBUTION_SOURCE: list(usable)}))
        differences.append(one.differences(list(usable)).assign(**{RATE: name}))
    table = _joined(
        tables, [RATE, EVENT_ATTRIBUTION_SOURCE, "COUNT", "OF", "VALUE", "LOW", "HIGH", "USERS", "INTERVAL"]
    )
    apart = _joined(differences, [RATE, "FIRST", "SECOND", "DIFFERENCE", "LOW", "HIGH", "READING"])
    return Rates(table, apart, pd.DataFrame(left, columns=[RATE, EVENT_ATTRIBUTION_SOURCE, "COUNT", "WHY"]), level)


class _Counts:
    """Events and lists per user and source."""

    def __init__(self, events: pd.DataFrame, sources: pd.Series, shown: pd.DataFrame | None):
        for column in (USER_ID, EVENT_TYPE):
            if column not in events.columns:
                raise AttributionError(f"The events have no column {column!r}.{nearest(column, events.columns)}")
        if len(sources) != len(events):
            raise AttributionError(f"There are {len(events):,} events and {len(sources):,} sources; give one for each.")
        self.events = pd.DataFrame(
            {
                USER_ID: events[USER_ID].to_numpy(),
                EVENT_TYPE: events[EVENT_TYPE].to_numpy(),
                EVENT_ATTRIBUTION_SOURCE: sources.to_numpy(),
            }
        )
        self.types = sorted(self.events[EVENT_TYPE].dropna().unique())
        self.shown = shown

    def pair(self, name: str, pair: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        if isinstance(pair, str) or len(pair) != 2:
            raise AttributionError(f"Rate {name!r} must be [event type, of which event type], got {pair!r}.")
        return self._of(name, pair[0]), self._of(name, pair[1])

    def _of(self, name: str, what: str) -> pd.DataFrame:
        if what == SHOWN and SHOWN not in self.types:
            if self.shown is None:
                raise AttributionError(
                    f"Rate {name!r} is counted per list shown, and no table of lists shown was given."
                )
            for column in (USER_ID, EVENT_ATTRIBUTION_SOURCE):
                if column not in self.shown.columns:
                    raise AttributionError(f"The lists have no column {column!r}.{nearest(column, self.shown.columns)}")
            return _table(self.shown)
        if what not in self.types:
            raise AttributionError(f"Rate {name!r}: there is no event type {what!r}.{nearest(what, self.types)}")
        return _table(self.events[self.events[EVENT_TYPE] == what])


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    """Count rows: one row per user, one column per source."""
    return frame.groupby([USER_ID, EVENT_ATTRIBUTION_SOURCE]).size().unstack(fill_value=0)


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)
