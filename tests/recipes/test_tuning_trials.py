"""What becomes of a trial: pruned when it falls behind, failed with its reason, or the defaults, left to the recipe."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.data.workspace import Workspace
from workbench.errors import ParameterError, RecipeError
from workbench.recipes.catalog import CATALOG
from workbench.recipes.catalog_entry import PERSONAL, Entry, Hyperparameter
from workbench.recipes.contract import Recipe, TrainingData
from workbench.recipes.tuning import TuningConfig, tune
from workbench.recipes.tuning_space import make_ranges
from workbench.recipes.tuning_trial import FIRST_REPORTS, FIRST_TRIALS

STEPS = 10


class Climber(Recipe):
    """Ranks by popularity mixed with noise, and reports how well it does over ten steps, or breaks when told to."""

    family = "test"
    fits: ClassVar[list[tuple[float, int]]] = []  # quality, steps done

    def __init__(self, quality: float, breaks: str, layers: list[int] | None):
        self.hyperparameters = {"quality": quality, "breaks": breaks, "layers": layers}

    def fit(self, data, *, seed=0, progress=False):
        quality, breaks = self.hyperparameters["quality"], self.hyperparameters["breaks"]
        errors = {"memory": MemoryError("16 GB wanted"), "shape": AssertionError("3 does not divide 7")}
        if breaks in errors:
            raise errors[breaks]
        counts = data.interactions[ITEM_ID].value_counts().sort_index()
        self.item_ids, self.notes = counts.index.to_numpy(dtype=object), {}
        noise = np.random.default_rng(seed).random(len(counts))
        self.scores = (quality * counts.rank(pct=True).to_numpy() + (1 - quality) * noise).astype(np.float32)
        for step in range(STEPS):
            self.fits.append((quality, step))
            if self.watch:
                self.watch(step, float("nan") if breaks == "diverges" else quality * (1 + step / STEPS))
        return self

    def score(self, histories):
        return np.tile(self.scores, (len(histories), 1))

    def state(self):
        return {"scores": self.scores}

    def restore(self, item_ids, state):
        self.item_ids, self.scores = item_ids, state["scores"]
        return self


@pytest.fixture(autouse=True)
def climber(monkeypatch):
    row = Entry(
        name="climber",
        family="test",
        use_case=PERSONAL,
        about="",
        hyperparameters={
            "quality": Hyperparameter(0.5, "", "float", 0.0, 1.0, tunable=True),
            "breaks": Hyperparameter("never", "", "text", choices=("never", "memory", "shape", "diverges")),
            "layers": Hyperparameter(None, "", "list", 1, 9),
        },
        factory=f"{__name__}:Climber",
    )
    monkeypatch.setitem(CATALOG, "climber", row)
    Climber.fits.clear()


@pytest.fixture(scope="module")
def data() -> TrainingData:
    rng = np.random.default_rng(4)
    rows = [(f"u{user}", f"i{int(40 * rng.random() ** 2)}", 100 * n + user) for user in range(50) for n in range(12)]
    return TrainingData(pd.DataFrame(rows, columns=[USER_ID, ITEM_ID, TIMESTAMP]))


@pytest.fixture
def storage(tmp_path) -> str:
    return Workspace(tmp_path / "workspace").catalog_url


def run(data, storage, recipe="climber", **settings):
    config = TuningConfig(**({"trials": 14, "seed": 1, "ranges": {"quality": [0.0, 1.0]}} | settings))
    return tune(recipe, data, storage=storage, study="one", config=config)


def test_a_trial_that_falls_behind_is_pruned_and_stays_in_the_table(data, storage):
    found = run(data, storage)
    pruned = found.trials[found.trials["STATE"] == "pruned"]
    assert len(found.trials) == 14
    assert 0 < len(pruned) == found.notes["pruned_trials"]
    assert pruned["TRIAL"].min() >= FIRST_TRIALS
    assert pruned["LAST_STEP"].tolist() == [FIRST_REPORTS] * len(pruned), "as soon as it may be"
    expected = pruned["quality"] * (1 + FIRST_REPORTS / STEPS)
    assert pruned["LAST_VALUE"].tolist() == pytest.approx(expected.tolist())
    assert pruned["VALUE"].isna().all(), "the recipe's own value is no result"
    assert (pruned["FIT_SECONDS"] > 0).all()
    assert pruned["REASON"].str.contains(f"fell behind the other trials at step {FIRST_REPORTS}").all()
    finished = found.trials[found.trials["STATE"] == "finished"]
    assert (finished["LAST_STEP"] == STEPS - 1).all()
    assert pruned["quality"].max() < finished["quality"].max()
    assert finished.set_index("TRIAL")["VALUE"].idxmax() == found.best_trial
    assert f"{len(finished)} finished trials ({len(pruned)} pruned)" in found.sentence()
    assert found.reports.groupby("TRIAL").size().tolist() == (found.trials["LAST_STEP"] + 1).tolist()
    # Pruning saved the later steps; the two fits that report ran to their end.
    assert len(Climber.fits) == STEPS * (len(finished) + 2) + (FIRST_REPORTS + 1) * len(pruned)
    again = run(data, storage)
    assert again.notes["trials_of_this_run"] == 0, "a pruned trial is a setting that was tried"


def test_nothing_is_pruned_when_told_so_and_the_defaults_never_are(data, storage):
    found = run(data, storage, pruner="none", trials=9)
    assert found.trials["STATE"].tolist() == ["finished"] * 9
    assert len(found.reports) == 9 * STEPS


def test_a_setting_that_breaks_fails_with_its_reason_and_the_study_goes_on(data, storage):
    ranges = {"quality": [0.0, 1.0], "breaks": {"choices": ["never", "memory", "shape", "diverges"]}}
    found = run(data, storage, ranges=ranges, trials=12, pruner="successive-halving")
    states = found.trials.set_index("TRIAL")["STATE"]
    failed = found.trials[found.trials["STATE"] == "failed"]
    assert len(found.trials) == 12
    assert {"finished", "failed"} <= set(states)
    assert set(failed["REASON"]) == {"MemoryError: 16 GB wanted", "AssertionError: 3 does not divide 7"}
    assert failed["quality"].nunique() == len(failed), "a failure does not draw the same setting again"
    counts = failed["REASON"].value_counts()
    assert len(found.notes["failed_trials"]) == 2
    assert f"{counts['MemoryError: 16 GB wanted']} trial" in " ".join(found.notes["failed_trials"])
    assert "failed)" in found.sentence()
    assert "but some failed; run again" in found.notes["stopped"]
    diverged = found.trials[found.trials["breaks"].eq("diverges") & found.trials["STATE"].ne("failed")]
    assert diverged["REASON"].str.contains("reported nan at step 3").all()
    assert found.best["breaks"] == "never"
    more = run(data, storage, ranges=ranges, trials=12)
    assert len(more.trials) > 12, "the next run makes up for what failed"


def test_an_interrupted_trial_does_not_stay_running(data, storage, monkeypatch):
    def interrupt(self, data, *, seed=0, progress=False):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Climber, "fit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(data, storage, trials=5)
    found = run(data, storage, trials=5)
    assert found.trials["STATE"].tolist() == ["failed"] + ["finished"] * 5
    assert found.trials["REASON"][0] == "interrupted"
    assert found.trials["IS_DEFAULT"].tolist() == [True, True, *[False] * 4], "the defaults were tried again"
    assert found.notes["failed_trials"] == []


def test_defaults_that_the_recipe_chooses_itself_are_tried_first(data, storage):
    found = run(data, storage, "user-personalization", ranges={"ridge": [1.0, 100.0]}, fixed={"lags": 5}, trials=5)
    assert found.trials["IS_DEFAULT"].tolist() == [True, False, False, False, False]
    assert found.trials["STATE"].tolist() == ["finished"] * 5
    assert np.isnan(found.trials["ridge"][0])
    assert found.trials["ridge"][1:].between(1, 100).all()
    assert found.best["lags"] == 5
    expected = None if found.best_trial == 0 else found.trials["ridge"][found.best_trial]
    assert found.best["ridge"] == expected
    assert len(found.importance) == 1 if found.trials["VALUE"][1:].nunique() > 1 else found.importance.empty


def test_lists_and_nothing_are_choices_like_others(data, storage):
    choices = {"choices": [[1, 2], [3]]}
    ranges, notes = make_ranges("climber", {"layers": choices}, {})
    assert ranges[0].choices == ([1, 2], [3], None)
    assert notes == ["layers: the range was widened to hold the default None"]
    found = run(data, storage, ranges={"layers": choices, "quality": [0.1, 0.9]}, trials=8, pruner="none")
    assert set(found.trials["layers"].dropna()) <= {"[1.0, 2.0]", "[3.0]"}
    assert found.trials["layers"].isna()[0]
    assert found.best["layers"] in ([1, 2], [3], None)
    with pytest.raises(RecipeError, match="'layers' is a list, which has no values between two borders; name the val"):
        make_ranges("climber", {"layers": [1, 9]}, {})


def test_a_winner_that_cannot_be_trained_once_more_leaves_its_trials(data, storage, monkeypatch):
    plain = Climber.fit

    def small(self, given, *, seed=0, progress=False):
        if given.interactions[USER_ID].nunique() > 35:
            raise MemoryError("too many users")
        return plain(self, given, seed=seed, progress=progress)

    monkeypatch.setattr(Climber, "fit", small)
    with pytest.raises(RecipeError, match="All trials of the study 'one' are kept, but the defaults could not"):
        run(data, storage, trials=3)


@pytest.mark.slow
def test_a_real_training_is_pruned_by_its_epochs(data, storage):
    config = TuningConfig(trials=8, ranges={"learning_rate": [1e-5, 0.1]}, fixed={"epochs": 6, "embedding_size": 8})
    found = tune("recbole:BPR", data, storage=storage, config=config)
    ended = found.trials.set_index("TRIAL")
    assert set(ended["STATE"]) <= {"finished", "pruned"}
    assert ended["LAST_STEP"].tolist() == found.reports.groupby("TRIAL")["STEP"].max().tolist()
    assert (ended.loc[ended["STATE"] == "pruned", "LAST_STEP"] < 6).all()
    assert found.reports["VALUE"].between(0, 1).all()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("recal_at_5", "no metric 'recal_at_5'. Did you mean 'recall_at_5'"),
        ("ndcg", "no metric 'ndcg'"),
        ("recall_at_0", "no metric 'recall_at_0'"),
        ("diversity_at_10", "the items table has no column of repeating texts"),
    ],
)
def test_a_misspelt_metric_is_found_before_any_trial(data, storage, metric, words):
    with pytest.raises(RecipeError, match=words):
        run(data, storage, metric=metric)
    assert Climber.fits == []


def test_a_metric_may_have_any_cut(data, storage):
    found = run(data, storage, metric="recall_at_20", trials=2)
    assert found.trials["VALUE"].between(0, 1).all()
    assert "recall_at_20" in set(found.report["METRIC"])


@pytest.mark.parametrize("wrong", [{"pruner": "medain"}, {"split": "users"}])
def test_a_misspelt_pruner_or_split_names_the_nearest(data, storage, wrong):
    with pytest.raises(ParameterError, match="There is no .*Did you mean|Known"):
        run(data, storage, **wrong)
    assert Climber.fits == []


@pytest.mark.parametrize("name", sorted(name for name, row in CATALOG.items() if row.hyperparameters))
def test_everything_the_catalogue_calls_tunable_can_be_drawn(name):
    import optuna

    if not any(each.tunable for each in CATALOG[name].hyperparameters.values()):
        pytest.skip(f"{name} has nothing to tune")
    ranges, notes = make_ranges(name, {}, {})
    assert notes == []
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    CATALOG[name].complete({each.name: each.suggest(trial) for each in ranges})
