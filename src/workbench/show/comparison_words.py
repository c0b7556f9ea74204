"""A finished comparison in tables and sentences; never a winner that the intervals do not support."""

import pandas as pd

from workbench.columns import METRIC, RECIPE
from workbench.evaluation.splits import Split
from workbench.recipes.comparison import DONE, Comparison
from workbench.show.metric_names import meaning, short
from workbench.show.training_words import COUNTS

SETTINGS = ("exclude_seen", "diversity_from")  # the same for every recipe, and shown elsewhere


def outcome_table(comparison: Comparison) -> pd.DataFrame:
    """One row a recipe, best first, then those without a result: score, interval, coverage, cost, what happened."""
    table = comparison.outcomes.merge(scores(comparison).drop(columns="FIT"), how="left", on=RECIPE)
    place = {label: number for number, label in enumerate(comparison.order)}
    table = table.sort_values(RECIPE, key=lambda names: names.map(place).fillna(len(place)), kind="stable")
    said = ["; ".join(filter(None, [row["STATUS"], row["REASON"], _origin(row)])) for row in table.to_dict("records")]
    return pd.DataFrame(
        {
            RECIPE: table[RECIPE].to_list(),
            short(comparison.metric): table["MEAN"].round(4).to_list(),
            "95 % INTERVAL": [_range(low, high) for low, high in zip(table["LOW"], table["HIGH"], strict=True)],
            "COVERAGE": table["coverage"].round(4).to_list(),
            "FIT, s": table["FIT"].round(2).to_list(),
            "LISTS, s": table["SCORE"].round(2).to_list(),
            "MEMORY, GB": table["MEMORY"].round(2).to_list(),
            "OUTCOME": said,
        }
    )


def scores(comparison: Comparison) -> pd.DataFrame:
    """RECIPE, MEAN, LOW, HIGH of the comparison's metric, metrics of all lists together, FIT in seconds."""
    rows = comparison.summary[comparison.summary[METRIC] == comparison.metric]
    table = rows[[RECIPE, "MEAN", "LOW", "HIGH"]].merge(comparison.catalogue, on=RECIPE)
    return table.merge(comparison.outcomes[[RECIPE, "FIT"]], on=RECIPE)


def metric_table(comparison: Comparison) -> pd.DataFrame:
    """METRIC at the main list cut and of all lists together, a column for every recipe that finished, best first."""
    cut = comparison.metric.rpartition("_")[2]
    means = comparison.summary.pivot(index=METRIC, columns=RECIPE, values="MEAN")
    whole = comparison.catalogue.set_index(RECIPE).T
    at_cut = [key for key in dict.fromkeys(comparison.summary[METRIC]) if key.endswith(f"_at_{cut}")]
    ordered = [*at_cut, *whole.index]
    table = pd.concat([means, whole]).loc[ordered, comparison.order].round(4)
    table.insert(0, METRIC, [short(key) for key in ordered])
    return table.assign(MEANS=[meaning(key) for key in ordered]).reset_index(drop=True)


def split_table(split: Split) -> pd.DataFrame:
    """WHAT and COUNT: what a split put where, set aside, or put out of reach."""
    rows = [(COUNTS.get(key, key.replace("_", " ")), count) for key, count in split.notes.items()]
    return pd.DataFrame(rows, columns=["WHAT", "COUNT"])


def note_table(comparison: Comparison) -> pd.DataFrame:
    """RECIPE, WHAT and VALUE: what fits and lists counted, chose, capped or fell back to; counts of 0 are left out."""
    rows = []
    for label, notes in comparison.notes.items():
        flat = {key: value for key, value in notes.items() if key != "recipe"} | notes.get("recipe", {})
        told = {key: value for key, value in flat.items() if key not in SETTINGS and value not in (0, [], "")}
        rows += [(label, key.replace("_", " "), _plain(value)) for key, value in told.items()]
    return pd.DataFrame(rows, columns=[RECIPE, "WHAT", "VALUE"])


def verdict(comparison: Comparison) -> str:
    """Three sentences: who leads and whether that is clear, what the best baseline says, and what limits the reading.

    The leader's differences carry intervals widened by Bonferroni's rule, so that all of them hold at once.
    """
    leader, lead = comparison.order[0], comparison.lead
    score = scores(comparison).set_index(RECIPE).loc[leader]
    said = f"{leader} has the highest mean {short(comparison.metric)}, {score['MEAN']:.4f}"
    reach = _range(score["LOW"], score["HIGH"])
    said += f" ({reach})" if reach else ""
    level = lead[lead["READING"] != "higher"]["SECOND"].to_list()
    if lead.empty:
        said = f"Only {said}, since no other recipe finished."
    elif not level:
        said += ", clearly above every other recipe on the same users."
    else:
        said += (
            f", but there is no clear winner: on {int(lead['USERS'].iloc[0]):,} users its difference from "
            f"{_listed(level)} may be chance."
        )
    return f"{said} {_beside_baseline(comparison)} {_limits(comparison)}"


def _beside_baseline(comparison: Comparison) -> str:
    rows = comparison.differences[comparison.differences[METRIC] == comparison.metric]
    by_reading = {word: rows[rows["READING"] == word][RECIPE].to_list() for word in rows["READING"].unique()}
    above, below = by_reading.get("higher", []), by_reading.get("lower", [])
    unclear = [label for label in rows[RECIPE] if label not in above + below]
    words = [f"{_listed(above)} clearly above it"] if above else []
    words += [f"{_listed(below)} clearly below it"] if below else []
    words += [f"no clear difference for {_listed(unclear)}"] if unclear else []
    return f"Beside the best baseline, {comparison.baseline}: {'; '.join(words) or 'nothing else to compare'}."


def _limits(comparison: Comparison) -> str:
    missing = comparison.outcomes[comparison.outcomes["STATUS"] != DONE]
    out = [f"{row[RECIPE]} was {row['STATUS']}" for row in missing.to_dict("records")]
    said = f"{_listed(out)}; nothing can be said about {'them' if len(out) > 1 else 'it'}. " if out else ""
    return (
        f"{said}All lists were judged on the same past events, which favour what was shown before, "
        "so an A/B test has the last word."
    )


def _origin(row: dict[str, object]) -> str:
    return "added as a baseline" if row["ADDED"] else "lists of another system" if row["OUTSIDE"] else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _range(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{low:.4f} to {high:.4f}"


def _plain(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{len(value)} settings"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
