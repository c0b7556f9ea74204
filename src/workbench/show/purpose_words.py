"""What a recipe or an objective is judged by beside the usual metrics, in tables and sentences."""

import pandas as pd

from workbench.columns import METRIC
from workbench.recipes.purposes import CURVE, GIVEN_LISTS, TRENDS
from workbench.recipes.training import Training
from workbench.recipes.trend_backtest import ALL_TIME, MOST_CHOSEN, TRENDING
from workbench.show.metric_names import short


def tables(training: Training) -> list[tuple[pd.DataFrame, str]]:
    """Tables and their captions; none where no objective is set and the recipe has no purpose of its own."""
    found = training.purposes
    shown = []
    if CURVE in found:
        shown.append((_by_sensitivity(found[CURVE]), "Relevance against reward, by sensitivity"))
    if TRENDS in found:
        shown.append((_windows(found[TRENDS]), "Share of the rise that each list foretold, window by window"))
    if GIVEN_LISTS in found:
        shown.append(
            (_orders(found[GIVEN_LISTS]), "Every user's most popular items, as given and in the recipe's order")
        )
    return shown


def reading(training: Training) -> str:
    """Say in a sentence each what came out; true for any parameters."""
    found, said = training.purposes, []
    if CURVE in found:
        said.append(_trade(found[CURVE], training.version.config["objective"]))
    if TRENDS in found:
        said.append(_trends(found[TRENDS]))
    if GIVEN_LISTS in found:
        said.append(_order(found[GIVEN_LISTS]))
    if not said:
        return f"Nothing here: no objective is set, and {training.evaluation.name} is judged by its lists alone."
    return " ".join(said)


def _by_sensitivity(curve: pd.DataFrame) -> pd.DataFrame:
    named = curve[curve["SENSITIVITY"] != ""]
    columns = {"NDCG": "NDCG", "MEAN_REWARD": "MEAN REWARD OF LISTED", "EARNED": "EARNED BY HITS, A USER"}
    columns["AVERAGE_REWARDS"] = "average_rewards_at_k"
    written = {label: [_ends(row, name) for row in named.to_dict("records")] for name, label in columns.items()}
    return pd.DataFrame({"SENSITIVITY": named["SENSITIVITY"].to_list(), "WEIGHT": named["WEIGHT"].to_list()} | written)


def _windows(backtest: pd.DataFrame) -> pd.DataFrame:
    when = pd.to_datetime(backtest["STARTS_AFTER"], unit="s", errors="coerce").dt.strftime("%Y-%m-%d %H:%M")
    return backtest.assign(STARTS_AFTER=when).rename(columns={"STARTS_AFTER": "STARTS AFTER, UTC"})


def _orders(differences: pd.DataFrame) -> pd.DataFrame:
    named = differences.assign(**{METRIC: [short(each) for each in differences[METRIC]]})
    return named.drop(columns=["USERS"]).round(4)


def _trade(curve: pd.DataFrame, objective: dict) -> str:
    rows = curve[curve["SENSITIVITY"] != ""].set_index("SENSITIVITY")
    off, chosen = rows.loc["OFF"], rows.loc[objective["sensitivity"]]
    first = (
        f"With sensitivity {objective['sensitivity']} the listed items have a mean {objective['column']} of "
        f"{chosen['MEAN_REWARD']:.4g}, beside {off['MEAN_REWARD']:.4g} by relevance alone, and NDCG is "
        f"{chosen['NDCG']:.4f} beside {off['NDCG']:.4f}."
    )
    return f"{first} What the hits earned is {chosen['EARNED']:.4g} a user beside {off['EARNED']:.4g}."


def _trends(backtest: pd.DataFrame) -> str:
    if backtest.empty:
        return "The log is too short to foretell any past window: choose a shorter frequency."
    means = backtest[[TRENDING, MOST_CHOSEN, ALL_TIME]].mean()
    return (
        f"Over the last {len(backtest):,} windows the items of trending-now made {means[TRENDING]:.1%} of the rise "
        f"that followed; the most chosen of the window before {means[MOST_CHOSEN]:.1%}, the most chosen ever "
        f"{means[ALL_TIME]:.1%}."
    )


def _order(differences: pd.DataFrame) -> str:
    rows = differences[differences[METRIC].str.startswith("normalized_discounted")]
    row = rows.iloc[min(1, len(rows) - 1)]
    return (
        f"Given each user's most popular items to order, {short(row[METRIC])} is {row['RANKED']:.4f} in the recipe's "
        f"order and {row['GIVEN']:.4f} by popularity: {row['READING']}."
    )


def _ends(row: dict, name: str) -> str:
    if pd.isna(row[name]):
        return "–"
    if pd.isna(row[f"{name}_LOW"]):
        return f"{row[name]:.4g}"
    return f"{row[name]:.4g} ({row[f'{name}_LOW']:.4g} to {row[f'{name}_HIGH']:.4g})"
