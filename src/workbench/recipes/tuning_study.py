"""One Optuna study in the catalogue's database: opened, continued, cleared of killed trials, read as a table."""

import hashlib
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.tuning_space import Range

# What a study, and each trial of it, carries beside Optuna's own.
FACTS = "workbench"
DEFAULT, OWNER, REASON, DRAW, KILLED, RESULT = "default", "owner", "reason", "draw", "killed", "result"
WAIT = 60  # seconds a writer waits for another one
ATTEMPTS = 4  # at making Optuna's tables
STATES = {"COMPLETE": "finished", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting", "PRUNED": "pruned"}


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

    study = optuna.create_study(storage=_database(storage), study_name=name, direction="maximize", load_if_exists=True)
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


def join_study(storage: str, name: str) -> Any:
    """Open a study that another process has opened with `open_study`."""
    import optuna

    return optuna.load_study(study_name=name, storage=_database(storage))


def _database(storage: str) -> Any:
    """Open the database, with Optuna's tables made; another process may be making them at the same moment.

    Raises:
        RecipeError: there is no such database, or nothing that can talk to it; no password is shown.
    """
    import optuna
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    problem: Exception | None = None
    for attempt in range(ATTEMPTS):
        try:
            sqlite = make_url(storage).get_backend_name() == "sqlite"
            options = {"connect_args": {"timeout": WAIT}} if sqlite else {"pool_pre_ping": True}
            if sqlite:
                engine = create_engine(storage, **options)
                with engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                engine.dispose()
            return optuna.storages.RDBStorage(storage, engine_kwargs=options)
        except (ArgumentError, ImportError) as error:
            problem = error
            break
        except SQLAlchemyError as error:
            problem = error
            time.sleep(0.2 * (attempt + 1))
    shown = "" if isinstance(problem, ArgumentError) else f" {make_url(storage)}"  # writes *** for a password
    remedy = " For PostgreSQL: pip install 'recommendation-workbench[postgres]'." if "psycopg" in str(problem) else ""
    raise RecipeError(
        f"The database{shown} that shall keep the trials cannot be opened: {problem}.{remedy} "
        "Write it as sqlite:///folder/file.db or postgresql://user@host/database."
    ) from problem


def owner() -> dict[str, Any]:
    """Name this process, so that a later one can tell whether it is still alive."""
    import psutil

    return {"host": socket.gethostname(), "pid": os.getpid(), "began": psutil.Process().create_time()}


def fail_killed_trials(study: Any, why: str = "") -> int:
    """Mark as failed the running trials whose process on this machine is gone; gives their number.

    Trials of other machines stay as they are: whether they live cannot be seen from here.

    Args:
        study: an Optuna study.
        why: what is known of how the process ended.
    """
    import optuna

    killed = 0
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        who = trial.user_attrs.get(OWNER)
        if who and who["host"] == socket.gethostname() and not _alive(who):
            # Optuna lets nobody change a finished trial, so the reason goes first.
            reason = why or f"its process {who['pid']} ended before the trial did"
            study._storage.set_trial_user_attr(trial._trial_id, REASON, reason)
            study._storage.set_trial_user_attr(trial._trial_id, KILLED, True)
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


def tried(study: Any) -> int:
    """Count the settings that were tried: finished trials and pruned ones."""
    import optuna

    states = optuna.trial.TrialState
    return len(study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED)))


def failures(study: Any) -> list[str]:
    """Give the reasons of failed trials, the most frequent first, as "2 trials: ...", killed ones left out."""
    import optuna

    failed = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.FAIL,))
    reasons = Counter(each.user_attrs.get(REASON, "unknown") for each in failed if not each.user_attrs.get(KILLED))
    return [f"{count} trial{'s' * (count > 1)}: {reason}" for reason, count in reasons.most_common()]


def trial_table(study: Any, ranges: Sequence[Range]) -> pd.DataFrame:
    """Give every trial that ever began.

    Returns:
        TRIAL, STATE ("finished", "pruned", "failed", "running"), IS_DEFAULT, VALUE, LOW, HIGH (95 % interval over
        users; of finished trials only), one column per varied hyperparameter, FIT_SECONDS, SCORE_SECONDS, LAST_STEP and
        LAST_VALUE (what the recipe last reported while it trained, on its own validation data, so not to be compared
        with VALUE), STARTED (UTC), REASON (of a trial that did not finish). Missing where a trial did not come so far,
        or where the recipe chose a hyperparameter itself.
    """
    rows = []
    for trial in study.get_trials(deepcopy=False):
        attributes, state = trial.user_attrs, STATES[trial.state.name]
        last, result = trial.last_step, attributes.get(RESULT, {})
        rows.append(
            {
                "TRIAL": trial.number,
                "STATE": state,
                "IS_DEFAULT": bool(attributes.get(DEFAULT)),
                # Optuna gives a pruned trial its last report as value; that is of another kind.
                "VALUE": float(trial.value) if state == "finished" else float("nan"),
                **{name: result.get(name.lower(), float("nan")) for name in ("LOW", "HIGH")},
                **{each.name: trial.params.get(each.name) for each in ranges},
                **{name: result.get(name.lower(), float("nan")) for name in ("FIT_SECONDS", "SCORE_SECONDS")},
                "LAST_STEP": float("nan") if last is None else last,
                "LAST_VALUE": float("nan") if last is None else trial.intermediate_values[last],
                "STARTED": attributes.get("started", ""),
                REASON.upper(): attributes.get(REASON, ""),
            }
        )
    return pd.DataFrame(rows)


def report_table(study: Any) -> pd.DataFrame:
    """Give every value that a recipe reported while it trained: TRIAL, STEP, VALUE, in this order."""
    rows = [
        (trial.number, step, value)
        for trial in study.get_trials(deepcopy=False)
        for step, value in sorted(trial.intermediate_values.items())
    ]
    return pd.DataFrame(rows, columns=["TRIAL", "STEP", "VALUE"])


def importance(study: Any, seed: int) -> pd.DataFrame:
    """Estimate how much of the metric's spread each hyperparameter explains.

    Returns:
        PARAMETER, IMPORTANCE (shares that add up to 1), largest first; empty when fewer than four trials finished or
        all gave the same value: nothing can be said then. Defaults that leave a value to the recipe are left out.

    Source: Hutter, Hoos and Leyton-Brown 2014 (functional ANOVA), as Optuna computes it.
    """
    import optuna

    done = finished(study)
    shared = list(dict.fromkeys(name for trial in done for name in trial.params))
    done = [trial for trial in done if all(name in trial.params for name in shared)]
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
