"""Tuning: every trial kept, continued after a kill, best setting judged on people who never chose it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.data.workspace import Workspace
from workbench.errors import ParameterError, RecipeError
from workbench.evaluation.splits import users_90_10
from workbench.recipes.contract import TrainingData
from workbench.recipes.tuning import TuningConfig, tune
from workbench.recipes.tuning_space import make_ranges
from workbench.recipes.tuning_study import hash_events

SCRIPT = """
import sys
import pandas as pd
from workbench.recipes.contract import TrainingData
from workbench.recipes.tuning import TuningConfig, tune
events = pd.read_parquet(sys.argv[1])
config = TuningConfig(trials=500, ranges={"days": [1.0, 50.0]}, seed=2)
tune("recent-popularity", TrainingData(events), storage=sys.argv[2], study="killed", config=config)
"""


def log(users: int = 60, items: int = 30, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (f"0{user}", f"i{(user % 3) * 10 + rng.integers(0, items // 3)}", 1_700_000_000 + 86_400 * day + user)
        for user in range(users)
        for day in range(10)
    ]
    return pd.DataFrame(rows, columns=[USER_ID, ITEM_ID, TIMESTAMP])


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return log()


@pytest.fixture
def storage(tmp_path) -> str:
    return Workspace(tmp_path / "workspace").catalog_url


def run(events, storage, study="", **settings):
    config = TuningConfig(**({"trials": 4, "seed": 2, "ranges": {"days": [1.0, 50.0]}} | settings))
    return tune("recent-popularity", TrainingData(events), storage=storage, study=study, config=config)


def test_every_trial_is_kept_and_the_default_is_the_first(events, storage, tmp_path):
    before = events.copy()
    found = run(events, storage)
    assert found.trials["STATE"].tolist() == ["finished"] * 4
    assert found.trials["IS_DEFAULT"].tolist() == [True, False, False, False]
    assert found.trials.loc[0, "days"] == 30.0
    assert found.trials["days"].between(1, 50).all()
    assert found.trials["VALUE"].between(found.trials["LOW"], found.trials["HIGH"]).all()
    assert (found.trials["FIT_SECONDS"] >= 0).all()
    assert found.trials.set_index("TRIAL")["VALUE"].idxmax() == found.best_trial
    assert set(found.report["SETTING"]) == {"best", "defaults"}
    assert Workspace(tmp_path / "workspace").groups().empty, "the catalogue still opens beside Optuna's tables"
    pd.testing.assert_frame_equal(events, before)


def test_a_study_continues_as_if_it_had_never_stopped(events, storage, tmp_path):
    run(events, storage, study="short", trials=2)
    continued = run(events, storage, study="short", trials=5)
    unbroken = run(events, storage, study="long", trials=5)
    assert continued.trials["days"].tolist() == unbroken.trials["days"].tolist()
    assert continued.trials["VALUE"].tolist() == unbroken.trials["VALUE"].tolist()
    assert continued.notes["trials_of_this_run"] == 3
    finished = run(events, storage, study="short", trials=5)
    assert finished.notes["trials_of_this_run"] == 0
    assert finished.sentence() == continued.sentence()


def test_those_who_choose_and_those_who_report_are_different_people(events, storage):
    found = run(events, storage, held_out_share=0.25)
    assert found.notes["users_that_report"] == 15
    assert found.notes["users_that_choose"] == round(45 * 0.25)
    assert found.difference.n == 15
    reporters = users_90_10(events, 2, share=0.25).held_out[USER_ID].unique()
    poisoned = events.copy()
    poisoned.loc[poisoned[USER_ID].isin(reporters), ITEM_ID] = "i0"  # nothing of theirs may sway the choice
    other = run(poisoned, storage, study="poisoned", held_out_share=0.25)
    assert other.trials["VALUE"].tolist() == found.trials["VALUE"].tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 3}, "seed was 2, now 3"),
        ({"ranges": {"days": [1.0, 40.0]}}, "ranges was .*50.0.*, now .*40.0"),
        ({"metric": "recall_at_5"}, "metric was 'normalized.*', now 'recall_at_5'"),
    ],
)
def test_another_task_under_the_same_name_is_refused(events, storage, change, words):
    run(events, storage, study="mine", trials=1)
    with pytest.raises(RecipeError, match=f"The study 'mine' was begun with something else: {words}"):
        run(events, storage, study="mine", trials=1, **change)


def test_other_data_are_refused_or_begin_a_study_of_their_own(events, storage):
    first = run(events, storage, trials=1)
    longer = pd.concat([events, events.tail(1)])
    assert run(longer, storage, trials=1).study != first.study
    with pytest.raises(RecipeError, match="data was"):
        run(longer, storage, study=first.study, trials=1)
    assert hash_events(events) != hash_events(events.iloc[::-1])


def test_a_killed_run_leaves_its_trials_and_blocks_nothing(events, storage, tmp_path):
    events.to_parquet(tmp_path / "events.parquet")
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path / "events.parquet"), storage])
    try:
        _wait_for_trials(storage, 2)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    done = _states(storage).count("COMPLETE")
    found = run(events, storage, study="killed", trials=done + 1)
    assert (found.trials["STATE"] == "finished").sum() == done + 1
    assert "running" not in set(found.trials["STATE"])
    failed = found.trials[found.trials["STATE"] == "failed"]
    assert len(failed) == found.notes["killed_trials"]
    assert all("ended before the trial did" in reason for reason in failed["REASON"])


def test_a_budget_in_minutes_stops_after_the_first_trial(events, storage):
    found = run(events, storage, trials=50, minutes=1e-6)
    assert len(found.trials) == 1
    assert "would probably not end within 1e-06 minutes" in found.notes["stopped"]
    assert found.notes["best_is_default"]
    assert "no clear gain over the defaults" in found.sentence()
    assert (found.difference.mean, found.importance.empty) == (0.0, True)


def test_a_setting_the_recipe_refuses_is_kept_as_failed(events, storage):
    config = TuningConfig(trials=4, ranges={"hidden_size": {"choices": [3, 5]}, "epochs": [1, 2]}, seed=1)
    with pytest.raises(RecipeError, match="No trial of the study .* could finish. The last reason: RecipeError"):
        tune(
            "recbole:SASRec",
            TrainingData(events.head(100)),
            storage=storage,
            study="odd",
            config=TuningConfig(trials=2, ranges=config.ranges, fixed={"n_heads": 7, "max_rows": 20}, seed=1),
        )


def test_an_unknown_metric_names_the_nearest(events, storage):
    with pytest.raises(RecipeError, match="no metric 'recal_at_5'.* Did you mean 'recall_at_5'"):
        run(events, storage, metric="recal_at_5", trials=1)


def test_ranges_come_from_the_catalogue_and_hold_the_default():
    ranges, notes = make_ranges("sims", {}, {})
    assert [each.name for each in ranges] == ["popularity_discount_factor", "min_cointeraction_count"]
    assert (ranges[1].low, ranges[1].high, ranges[1].whole) == (0, 10, True)
    assert notes == []
    fixed, _ = make_ranges("sims", {}, {"min_cointeraction_count": 2})
    assert [each.name for each in fixed] == ["popularity_discount_factor"]
    ranges, notes = make_ranges("sims", {"popularity_discount_factor": [0.7, 0.9]}, {})
    assert (ranges[0].low, ranges[0].high) == (0.5, 0.9)
    assert notes == ["popularity_discount_factor: the range was widened to hold the default 0.5"]
    ranges, _ = make_ranges("user-personalization", {"decays": {"choices": [[0.5], [0.9, 0.99]]}}, {})
    assert ranges[0].choices == ([0.5], [0.9, 0.99], [0.3, 0.8, 0.97])
    assert ranges[0].from_stored(ranges[0].stored([0.9, 0.99])) == [0.9, 0.99]


@pytest.mark.parametrize(
    ("recipe", "ranges", "message"),
    [
        ("sims", {"popularity_discount": [0, 1]}, "no hyperparameter 'popularity_discount'. Did you mean"),
        ("sims", {"min_cointeraction_count": [5, 2]}, r"is \[5, 2\]; write \[low, high\] with low below high"),
        ("sims", {"min_cointeraction_count": "1-3"}, "is '1-3'; write"),
        ("sims", {"min_cointeraction_count": [1, 99]}, "99 is outside its range 0 to 10"),
        ("popularity-count", {}, "nothing to tune"),
        ("recent-popularity", {"shrink": {"low": 0, "high": 9, "log": True}}, "low=0.0 must be above 0"),
    ],
)
def test_wrong_ranges_are_refused_before_any_trial(recipe, ranges, message):
    with pytest.raises(RecipeError, match=message):
        make_ranges(recipe, ranges, {})


def test_a_name_is_fixed_or_varied_but_not_both():
    with pytest.raises(RecipeError, match="both fixed at 3 and given a range"):
        make_ranges("sims", {"min_cointeraction_count": [1, 5]}, {"min_cointeraction_count": 3})


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"minutes": 0.0}, {"split": "given"}])
def test_a_budget_or_split_that_makes_no_sense_is_refused(events, storage, wrong):
    with pytest.raises((ParameterError, ValueError), match=next(iter(wrong))):
        run(events, storage, **wrong)


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        (
            "catalog.db",
            "The database that shall keep the trials cannot be opened: .*Write it as sqlite:///folder/file.db",
        ),
        (
            "sqlite:////no/such/folder/a.db",
            "The database sqlite:////no/such/folder/a.db that shall keep .*unable to open",
        ),
        ("postgresql://me:secret@localhost:9/none", r"me:\*\*\*@localhost"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(events, storage, words):
    with pytest.raises(RecipeError, match=words) as found:
        run(events, storage)
    assert "secret" not in str(found.value)


def _states(storage: str) -> list[str]:
    import optuna

    try:
        study = optuna.load_study(study_name="killed", storage=storage)
    except KeyError:
        return []
    return [trial.state.name for trial in study.get_trials(deepcopy=False)]


def _wait_for_trials(storage: str, count: int, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while _states(storage).count("COMPLETE") < count:
        assert time.monotonic() < end, "the study never got going"
        time.sleep(0.3)
