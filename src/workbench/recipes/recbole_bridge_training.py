"""Train one RecBole model from rows in memory: stop on held-out last events, keep the best weights and the time limit.

Import this module only inside `recbole_bridge_repairs.tamed`: it imports RecBole.
"""

import copy
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import numpy as np
import torch
from recbole.utils import ModelType, get_model, get_trainer

from workbench.columns import MINUTE
from workbench.errors import RecipeError, nearest
from workbench.recipes.recbole_bridge_data import make_loaders
from workbench.recipes.recbole_bridge_features import LIST, NUMBER, Side
from workbench.recipes.recbole_bridge_models import (
    CLOSED_FORM,
    SEQUENTIAL,
    STAGES,
    pairs_at_once,
    scores_item_by_item,
)
from workbench.recipes.recbole_bridge_repairs import make_config
from workbench.recipes.recbole_bridge_rows import VALIDATION_USERS, Rows, hold_out_last
from workbench.recipes.recbole_bridge_watch import STOPPED, EpochWatch, OutOfTimeError, Teller

# the bridge's parameters that RecBole does not know
OWN = ("refit", "budget_minutes", "max_rows", "max_history", "most_values", "device", "threads")
CELLS = 8_000_000  # user x item scores held at once while validating
ONE_NEGATIVE = {"distribution": "uniform", "sample_num": 1, "alpha": 1.0, "dynamic": False, "candidate_num": 0}


@dataclass(frozen=True)
class Job:
    """What to train: RecBole's class name, its kind, complete parameters, and how.

    folder: an empty temporary folder. tell: hears of every validation.
    """

    model: str
    kind: str
    parameters: dict[str, Any]
    seed: int
    folder: str
    progress: bool = False
    tell: Teller = field(default_factory=lambda: Teller(None))


@dataclass
class Trained:
    """A model, what it was built from, and what happened on the way."""

    model: Any
    config: Any
    rows: Rows
    notes: dict[str, Any] = field(default_factory=dict)


def train(job: Job, rows: Rows) -> Trained:
    """Fit one model.

    Args:
        job: what to train; its seed draws the initial weights, the samples and the validation users.
        rows: the chosen training rows.
    """
    if "epochs" not in job.parameters:
        return _run(job, rows)[0]
    most = VALIDATION_USERS
    if scores_item_by_item(job.model):
        pairs = min(pairs_at_once(job.model)[1], 4 * len(rows.train))  # or validating would cost more than training
        most = int(np.clip(pairs // rows.n_items, 10, VALIDATION_USERS))
    began = monotonic()
    split = hold_out_last(rows, np.random.default_rng(job.seed), most)
    trained, best_epoch = _run(job, split)
    notes = trained.notes | {"validation_users": len(split.valid)}
    if job.parameters["refit"] and len(split.valid):
        again = _refit(job, rows, best_epoch, monotonic() - began) if STOPPED not in notes else None
        if again is None:
            notes["refit_left_out"] = "the time was over"
        else:
            trained, notes = again, notes | {"refitted_on_all_events": True} | again.notes
    trained.notes = notes
    return trained


def _refit(job: Job, rows: Rows, epochs: int, used: float) -> Trained | None:
    """Train once more on all events in the time that is left; None where that is not enough."""
    limit = job.parameters["budget_minutes"]
    left = limit and max(1e-6, limit - used / MINUTE)
    again = replace(job, parameters=job.parameters | {"epochs": epochs, "budget_minutes": left}, tell=Teller(None))
    trained = _run(again, rows)[0]
    return None if STOPPED in trained.notes else trained


def build(job: Job, rows: Rows) -> Trained:
    """Build a model as `train` does, without training it: the frame that saved weights go into."""
    config = _config(job, rows)
    dataset, _, _ = make_loaders(config, rows, job.kind == SEQUENTIAL)
    return Trained(_new_model(job, config, dataset, rows), config, rows)


def _new_model(job: Job, config: Any, dataset: Any, rows: Rows) -> Any:
    torch.manual_seed(job.seed)
    built = get_model(job.model)(config, dataset).to(config["device"])
    if hasattr(built, "cor_batch_size"):  # DGCF draws as many users as items, however few there are
        built.cor_batch_size = min(built.cor_batch_size, rows.n_users, rows.n_items)
    for module in built.modules():  # some keep plain tensors, on the GPU whenever there is one
        for name, value in vars(module).items():
            if isinstance(value, torch.Tensor) and value.device != config["device"] and not value.requires_grad:
                setattr(module, name, value.to(config["device"]))
    return built


def _config(job: Job, rows: Rows) -> Any:
    if not scores_item_by_item(job.model):
        at_once = CELLS if job.kind != SEQUENTIAL else max(1, min(2_048, CELLS // (rows.n_items + 1)))
    else:
        at_once = 200_000 if job.kind != SEQUENTIAL else max(1, 50_000 // (rows.n_items + 1))
    settings = {
        "data_path": job.folder,
        "checkpoint_dir": job.folder,
        "seed": job.seed,
        "show_progress": False,
        "metrics": ["NDCG"],
        "topk": [min(10, rows.n_items)],
        "valid_metric": f"NDCG@{min(10, rows.n_items)}",
        "metric_decimal_place": 8,
        "eval_batch_size": at_once,
        "eval_args": {"split": {"LS": "valid_only"}, "order": "TO", "group_by": "user", "mode": "full"},
    }
    settings |= {name: value for name, value in job.parameters.items() if name not in OWN}
    closed = job.model in CLOSED_FORM
    if closed or (job.kind == SEQUENTIAL and job.parameters.get("loss_type") == "CE"):
        settings["train_neg_sample_args"] = None
    elif scores_item_by_item(job.model):
        settings["train_neg_sample_args"] = dict(ONE_NEGATIVE)  # RecBole's own default wants labels in the data
    if job.model in STAGES:
        name, stages = STAGES[job.model]
        settings |= {name: stages[0], "save_step": 10**9, "pre_model_path": "", "warm_up": ""}
    if rows.features is not None:
        settings |= _attribute_settings(job, rows.features.items, rows.features.users)
    return make_config(job.model, copy.deepcopy(settings), _device(job.parameters.get("device", "cpu")))


def _attribute_settings(job: Job, items: Side, users: Side) -> dict[str, Any]:
    """Name the attributes for RecBole, whose own names never come from a table."""
    laid = items.fields("item")
    numbers = [field for side, prefix in ((items, "item"), (users, "user")) for field, *_ in side.fields(prefix)]
    settings: dict[str, Any] = {"numerical_features": [each for each in numbers if f"_{NUMBER}_" in each]}
    names = {column: name for name, *_, column in laid}
    if "selected_features" in job.parameters:
        asked = job.parameters["selected_features"] or list(names)
        settings["selected_features"] = [_find(job.model, each, names) for each in asked]
    if "item_attribute" in job.parameters:
        kept = {column: name for name, kind, *_, column in laid if kind != NUMBER}
        lists = [column for _, kind, *_, column in laid if kind == LIST]
        chosen = job.parameters["item_attribute"] or next(iter([*lists, *kept]), "")
        settings["item_attribute"] = _find(job.model, chosen, kept)
    return settings


def _find(model: str, column: str, names: dict[str, str]) -> str:
    if column not in names:
        raise RecipeError(
            f"recbole:{model} learns from attributes of items, and {column!r} is none of them: "
            f"{', '.join(names) or 'no column of the items table can be used'}.{nearest(column, names)}"
        )
    return names[column]


def _device(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise RecipeError(f"device={wanted!r}, but torch sees no GPU here. Use device='cpu' or 'auto'.")
    return wanted


def _run(job: Job, rows: Rows) -> tuple[Trained, int]:
    config = _config(job, rows)
    dataset, loader, valid = make_loaders(config, rows, job.kind == SEQUENTIAL)
    built = _new_model(job, config, dataset, rows)
    began, seconds = monotonic(), job.parameters.get("budget_minutes", 0.0) * MINUTE
    name, stages = STAGES.get(job.model, ("", ("",)))
    notes: dict[str, Any] = {}
    for number, stage in enumerate(stages):
        last = stage == stages[-1]
        if name:
            _enter(built, name, stage)
        left = max(1e-3, seconds - (monotonic() - began)) / (len(stages) - number) if seconds else 0.0
        epochs = None if last else job.parameters["pretrain_epochs"]
        watch = _fit(job, config, built, loader, valid if last else None, epochs, left)
        if name and not last:
            notes |= {f"epochs_of_{stage}": watch.epochs_done}
    if config["MODEL_TYPE"] != ModelType.TRADITIONAL:
        notes |= watch.notes()
        if watch.stopped:
            notes[STOPPED] = job.parameters["budget_minutes"]
    built.eval()
    return Trained(built, config, rows, notes), watch.best_epoch


def _fit(job: Job, config: Any, built: Any, loader: Any, valid: Any, epochs: int | None, seconds: float) -> EpochWatch:
    """Run one stage with a trainer of its own; `epochs` None stands for the config's."""
    trainer = get_trainer(config["MODEL_TYPE"], job.model)(config, built)
    if scores_item_by_item(job.model):
        trainer.test_batch_size = pairs_at_once(job.model)[0]
    if epochs is not None:
        trainer.epochs = trainer.pretrain_epochs = epochs
    watch = EpochWatch(built, seconds, trainer.epochs, f"recbole:{job.model}", job.progress, job.tell)
    try:
        watch.start(trainer)
        trainer.fit(loader, valid, verbose=False, saved=False, callback_fn=watch.after_validation)
    except OutOfTimeError:
        watch.stopped = True
    except ValueError as error:
        if "loss is nan" not in str(error):
            raise
        raise RecipeError(
            f"recbole:{job.model}: the loss became NaN in epoch {watch.epochs_done + 1}. "
            f"Lower learning_rate={job.parameters.get('learning_rate')!r}."
        ) from error
    finally:
        watch.close()
    return watch


def _enter(model: Any, name: str, stage: str) -> None:
    """Pass to a stage in memory, as RecBole does when it loads the file of the stage before."""
    setattr(model, name, stage)
    if stage == "finetune" and hasattr(model, "trm_encoder"):  # S3Rec
        from recbole.model.loss import BPRLoss

        model.loss_fct = BPRLoss() if model.loss_type == "BPR" else torch.nn.CrossEntropyLoss()
    if hasattr(model, "critic_net"):  # RaCT trains its actor and its critic in turn
        for part in (model.encoder, model.decoder, model.critic_net):
            part.requires_grad_((part is model.critic_net) == (stage == "critic_pretrain"))
