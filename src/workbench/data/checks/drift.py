"""How often to retrain and how far back to look."""

from collections.abc import Iterator

from workbench.columns import INTERACTIONS, TIMESTAMP
from workbench.data.checks import mends
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import INFO, OURS, SAMPLES, Finding, check
from workbench.data.checks.rhythm import PERIODS, Rhythm

LASTING = 0.1  # drift beyond counting noise, on a scale from 0 to 1, that a retrained model would win back
BETTER = 0.02  # on the same scale


@check(
    "retrain_frequency",
    looks_for="how soon popularity has moved on",
    threshold="0.1 more distance than after one period",
    origin=f"idea: {SAMPLES}; distance and border {OURS}",
    touches=(),
)
def retrain_frequency(facts: Facts) -> Iterator[Finding]:
    """Distance to the popularity of L periods ago, beside the distance that chance alone would give."""
    rhythm = facts.rhythm
    if rhythm is None or rhythm.drift.empty:
        return
    lag, first = retrain_after(rhythm), rhythm.drift.iloc[0]
    beyond = first["LOSS"] - first["NOISE"]
    said = (
        f"after {lag} {rhythm.period}(s) it is {LASTING:g} farther from the truth than after one: retrain before"
        if lag
        else "over the whole log it moves by less than 0.1 beyond that: retraining more often than now gains little"
    )
    yield Finding(
        INFO, INTERACTIONS, TIMESTAMP, lag or float(rhythm.drift["LAG"].max()), f"periods ({rhythm.period})",
        f"Popularity of one {rhythm.period} ago is {first['LOSS']:.2f} from the present one ({beyond:.2f} more than "
        f"chance gives; 0 is equal, 1 is nothing in common); {said}.",
    )  # fmt: skip


def retrain_after(rhythm: Rhythm) -> int:
    """The shortest lag whose loss exceeds that of one period by LASTING; 0 when none does."""
    drift = rhythm.drift
    moved = drift[drift["LOSS"] - drift["LOSS"].iloc[0] >= LASTING]
    return int(moved["LAG"].iloc[0]) if len(moved) else 0


@check(
    "history_cut_off",
    looks_for="whether old events still help",
    threshold="0.02 less distance with a shorter history than with all of it",
    origin=f"idea: {SAMPLES}; distance and border {OURS}",
    touches=(),
)
def history_cut_off(facts: Facts) -> Iterator[Finding]:
    """Popularity learned from the last X periods, for several X, against the period that follows."""
    rhythm = facts.rhythm
    if rhythm is None or len(rhythm.cutoff) < 2:
        return
    best, gain = best_cut_off(rhythm)
    everything = rhythm.cutoff["LOSS"].iloc[-1]
    if gain < BETTER:
        yield Finding(
            INFO, INTERACTIONS, TIMESTAMP, float(rhythm.cutoff["PERIODS"].iloc[-1]), f"periods ({rhythm.period})",
            f"The whole history predicts the next period's popularity about as well as any shorter one "
            f"(distance {everything:.2f}): keep it all.",
        )  # fmt: skip
        return
    border = facts.events.last - best * PERIODS[rhythm.period]
    yield Finding(
        INFO, INTERACTIONS, TIMESTAMP, best, f"periods ({rhythm.period})",
        f"The last {best} {rhythm.period}(s) predict the next one's popularity better than all history: distance "
        f"{everything - gain:.2f} instead of {everything:.2f}. For popularity recipes look no farther back; recipes "
        "that learn from whole histories should still be compared with both.",
        step=mends.drop_where(f'"{TIMESTAMP}" < {border}', f"popularity needs only the last {best} {rhythm.period}(s)"),
    )  # fmt: skip


def best_cut_off(rhythm: Rhythm) -> tuple[int, float]:
    """How many periods predict best, and how much nearer they come than the whole history."""
    curve = rhythm.cutoff
    best = curve.loc[curve["LOSS"].idxmin()]
    return int(best["PERIODS"]), float(curve["LOSS"].iloc[-1] - best["LOSS"])
