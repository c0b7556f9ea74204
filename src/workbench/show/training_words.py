"""A finished training in tables and sentences: what was asked, what came out, how far to trust it."""

import pandas as pd

from workbench.columns import METRIC
from workbench.recipes.catalog import entry
from workbench.recipes.training import Training
from workbench.show.metric_names import meaning, short

COUNTS = {
    "events": "events in the dataset",
    "dropped_by_event_type": "dropped: other event types",
    "dropped_by_event_value": "dropped: value below the threshold",
    "train_events": "events to learn from",
    "train_users": "users to learn from",
    "held_out_users": "held-out users",
    "history_events": "their past events, given as input",
    "held_out_events": "their events to foretell",
    "users_with_one_event": "users with a single event, who cannot be held out",
    "held_out_users_without_history": "held-out users without any past",
    "held_out_events_of_items_unseen_in_training": "events to foretell of items unseen in training",
    "held_out_events_repeating_the_history": "events to foretell that repeat the past",
}


def hyperparameter_table(name: str, given: dict) -> pd.DataFrame:
    """HYPERPARAMETER, VALUE, DEFAULT, RANGE, MEANING of a recipe, with the values it will be trained with."""
    row = entry(name)
    values = row.complete(given)
    known = [
        (each, str(values[each]), str(setting.default), setting.range_text(), setting.meaning)
        for each, setting in row.hyperparameters.items()
    ]
    further = [
        (each, str(values[each]), "", "", "passed on as given") for each in values if each not in row.hyperparameters
    ]
    return pd.DataFrame(known + further, columns=["HYPERPARAMETER", "VALUE", "DEFAULT", "RANGE", "MEANING"])


def count_table(training: Training) -> pd.DataFrame:
    """WHAT and COUNT: where every event and user of the dataset went, in the order of the work."""
    counts = training.notes | training.split.notes
    rows = [(words, counts[key]) for key, words in COUNTS.items() if key in counts]
    rows.append(("events to foretell that no list can hit", training.evaluation.notes["held_out_events_out_of_reach"]))
    rows.append(("users who got the fallback list", training.evaluation.notes["fallback_users"]))
    return pd.DataFrame(rows, columns=["WHAT", "COUNT"])


def difference_table(differences: pd.DataFrame) -> pd.DataFrame:
    """METRIC, BASELINE, DIFFERENCE with its interval, P and READING, each in few words."""
    return pd.DataFrame(
        {
            METRIC: [short(each) for each in differences[METRIC]],
            "BASELINE": differences["BASELINE"].to_list(),
            "DIFFERENCE": [f"{gap:+.4f}" for gap in differences["DIFFERENCE"]],
            "95 % INTERVAL": [
                "–" if pd.isna(low) else f"{low:+.4f} to {high:+.4f}"
                for low, high in zip(differences["LOW"], differences["HIGH"], strict=True)
            ],
            "P": differences["P"].round(3).to_list(),
            "READING": differences["READING"].to_list(),
        }
    )


def catalogue_table(training: Training) -> pd.DataFrame:
    """METRIC, a column for the recipe and each baseline, and what the metric says."""
    names = list(training.evaluation.catalogue)
    columns = {name: [each.catalogue.get(key) for key in names] for name, each in training.evaluations.items()}
    table = pd.DataFrame({METRIC: [short(key) for key in names]} | columns)
    return table.assign(MEANS=[meaning(key) for key in names])


def time_table(training: Training) -> pd.DataFrame:
    """PART and SECONDS of the training."""
    words = {
        "fit": "fit on the train part",
        "score": "lists of all held-out users",
        "fit_on_all_events": "fit once more on all events, for the saved model",
        "all": "everything, baselines included",
    }
    return pd.DataFrame([(words[key], training.timings[key]) for key in words], columns=["PART", "SECONDS"])


def headline(training: Training, metric: str) -> list[dict]:
    """The numbers for a report's index page: the score, its distance from each baseline, and the coverage.

    Args:
        training: of `recipes.training.train`.
        metric: key of a per-user metric.

    Returns:
        Rows with name, value and, where there is an interval, low and high.
    """
    row = training.evaluation.summary.set_index(METRIC).loc[metric]
    rows = [{"name": f"{short(metric)}, {training.evaluation.name}", "value": row["MEAN"]} | _ends(row)]
    for gap in training.differences[training.differences[METRIC] == metric].to_dict("records"):
        rows.append({"name": f"{short(metric)} minus {gap['BASELINE']}", "value": gap["DIFFERENCE"]} | _ends(gap))
    return [*rows, {"name": short("coverage"), "value": training.evaluation.catalogue["coverage"]}]


def verdict(training: Training, metric: str) -> str:
    """Three sentences: the score with its interval, the comparison with each baseline, and the limits.

    Args:
        training: of `recipes.training.train`.
        metric: key of a per-user metric for which more is better.
    """
    row = training.evaluation.summary.set_index(METRIC).loc[metric]
    score = (
        f"{training.evaluation.name} reaches {short(metric)} of {row['MEAN']:.4f}{_range(row['LOW'], row['HIGH'])} "
        f"over {int(row['USERS']):,} held-out users."
    )
    gaps = training.differences[training.differences[METRIC] == metric]
    parts = [_against(gap) for gap in gaps.to_dict("records")]
    notes, total = training.evaluation.notes, training.split.notes["held_out_events"]
    limits = (
        f"{notes['held_out_events_out_of_reach']:,} of the {total:,} events to foretell lie out of reach of any list, "
        f"{notes['fallback_share']:.1%} of the users got the fallback list, and past clicks favour what was shown "
        "before: an A/B test has the last word."
    )
    short_of = training.notes["below_the_least"]
    warning = f" Trained although there is too little data: {'; '.join(short_of)}." if short_of else ""
    return f"{score} {_capital('; '.join(parts))}. {limits}{warning}"


def _against(gap: dict) -> str:
    reading = gap["READING"]
    if reading in ("higher", "lower"):
        return (
            f"beside {gap['BASELINE']} it is {reading} by {abs(gap['DIFFERENCE']):.4f}"
            f"{_range(gap['LOW'], gap['HIGH'], 'difference ')}"
        )
    return f"beside {gap['BASELINE']} there is {reading}{_range(gap['LOW'], gap['HIGH'], 'difference ')}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _range(low: float, high: float, words: str = "") -> str:
    return "" if pd.isna(low) else f" ({words}{low:.4f} to {high:.4f})"


def _ends(row: pd.Series | dict) -> dict[str, float]:
    return {} if pd.isna(row["LOW"]) else {"low": row["LOW"], "high": row["HIGH"]}
