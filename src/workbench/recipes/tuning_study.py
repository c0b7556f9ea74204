"""One Optuna study in the catalogue's database: opened, continued, cleared of killed trials, read as a table."""

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.tuning_space import Range

FACTS, DEFAULT, OWNER, REASON = "workbench", "default", "owner", "reason"
WAIT = 60  # seconds a writer waits for another one
STATES = {"COMPLETE": "finished", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting", "PRUNED": "stopped"}


def hash_events(events: pd.DataFrame) -> str:
    """Identify interactions by user, item, time and row order: 16 hexadecimal digits."""
    columns = events[[USER_ID, ITEM_ID, TIMESTAMP]].reset_index(drop=True)
    rows = pd.util.hash_pandas_object(columns, index=True).to_numpy()
    return hashlib.sha256(rows.tobytes()).hexdigest()[:16]


def open_study(storage: str, name: str, facts: Mapping[str, Any]) -> Any:
    """Open a study, or make it.

    Args:
        storage: SQLAlchemy URL; an SQLite file is put into write-ahead mode so that several processes may join.
        name: of the study.
        facts: what the trials of one study have in common, as plain JSON values.

    Raises:
        RecipeError: the study was begun with other facts; says which differ.
    """
    import optuna
    from sqlalchemy import create_engine

    sqlite = storage.startswith("sqlite")
    options = {"connect_args": {"timeout": WAIT}} if sqlite else {}
    if sqlite:
        engine = create_engine(storage, **options)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        engine.dispose()
    database = optuna.storages.RDBStorage(storage, engine_kwargs=options)
    study = optuna.create_study(storage=database, study_name=name, direction="maximize", load_if_exists=True)
    before = study.user_attrs.get(FACTS)
    wanted = json.loads(json.dumps(facts, sort_keys=True))
    if before is None:
        study.set_user_attr(FACTS, wanted)
    elif before != wanted:
        changed = sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key))
        details = "; ".join(f"{key} was {before.get(key)!r}, now {wanted.get(key)!r}" for key in changed)
        raise RecipeError(
            f"The study {name!r} was begun with something else: {details}. "
            "Trials of both cannot be compared. Give the study another name, or go back to the old values."
        )
    return study


def owner() -> dict[str, Any]:
    """Name this process, so that a later one can tell whether it is still alive."""
    import psutil

    return {"host": socket.gethostname(), "pid": os.getpid(), "began": psutil.Process().create_time()}


def fail_killed_trials(study: Any) -> int:
    """Mark as failed the running trials whose process on this machine is gone; gives their number.

    Trials of other machines stay as they are: whether they live cannot be seen from here.
    """
    import optuna

    killed = 0
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        who = trial.user_attrs.get(OWNER)
        if who and who["host"] == socket.gethostname() and not _alive(who):
            # Optuna lets nobody change a finished trial, so the reason goes first.
            study._storage.set_trial_user_attr(
                trial._trial_id, REASON, f"its process {who['pid']} ended before the trial did"
            )
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            killed += 1
    return killed


def _alive(who: Mapping[str, Any]) -> bool:
    import psutil

    try:
        process = psutil.Process(who["pid"])
        return abs(process.create_time() - who["began"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def finished(study: Any) -> list[Any]:
    """List the trials that ended with a value."""
    import optuna

    return study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))


def trial_table(study: Any, ranges: Sequence[Range]) -> pd.DataFrame:
    """Give every trial that ever began.

    Returns:
        TRIAL, STATE ("finished", "failed", "running", "waiting"), IS_DEFAULT, VALUE, LOW, HIGH (95 % interval over
        users), one column per varied hyperparameter, FIT_SECONDS, SCORE_SECONDS, STARTED (UTC), REASON (of a failure).
        Times and values are missing where a trial did not come so far.
    """
    rows = []
    for trial in study.get_trials(deepcopy=False):
        attributes = trial.user_attrs
        rows.append(
            {
                "TRIAL": trial.number,
                "STATE": STATES[trial.state.name],
                "IS_DEFAULT": bool(attributes.get(DEFAULT)),
                "VALUE": float("nan") if trial.value is None else float(trial.value),
                **{name: attributes.get(name.lower(), float("nan")) for name in ("LOW", "HIGH")},
                **{each.name: trial.params.get(each.name) for each in ranges},
                **{name: attributes.get(name.lower(), float("nan")) for name in ("FIT_SECONDS", "SCORE_SECONDS")},
                "STARTED": attributes.get("started", ""),
                REASON.upper(): attributes.get(REASON, ""),
            }
        )
    return pd.DataFrame(rows)


def importance(study: Any, seed: int) -> pd.DataFrame:
    """Estimate how much of the metric's spread each hyperparameter explains.

    Returns:
        PARAMETER, IMPORTANCE (shares that add up to 1), largest first; empty when fewer than four trials finished or
        all gave the same value: nothing can be said then.

    Source: Hutter, Hoos and Leyton-Brown 2014 (functional ANOVA), as Optuna computes it.
    """
    import optuna

    done = finished(study)
    shared = [name for name in done[0].params if all(name in trial.params for trial in done)] if done else []
    if len(done) < 4 or not shared or len({trial.value for trial in done}) < 2:
        return pd.DataFrame({"PARAMETER": pd.Series(dtype="str"), "IMPORTANCE": pd.Series(dtype="float64")})
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=shared)
    frame = pd.DataFrame({"PARAMETER": list(shares), "IMPORTANCE": [float(each) for each in shares.values()]})
    return frame.sort_values("IMPORTANCE", ascending=False, kind="stable", ignore_index=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's line per trial away: the table says it all."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
