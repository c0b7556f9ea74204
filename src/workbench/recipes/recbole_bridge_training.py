"""Train one RecBole model from rows in memory: stop on held-out last events, keep the best weights and the time limit.

Import this module only inside `recbole_bridge_repairs.tamed`: it imports RecBole.
"""

import copy
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
import torch
from recbole.utils import ModelType, get_model, get_trainer
from tqdm.auto import tqdm

from workbench.errors import RecipeError
from workbench.recipes.recbole_bridge_data import make_loaders
from workbench.recipes.recbole_bridge_models import SEQUENTIAL
from workbench.recipes.recbole_bridge_repairs import make_config
from workbench.recipes.recbole_bridge_rows import (
    Rows,
    cap_rows,
    hold_out_last,
    only_with_past,
    without_full_users,
)

OWN = ("refit", "max_seconds", "max_rows", "device", "threads")  # the bridge's parameters that RecBole does not know
CELLS = 8_000_000  # user x item scores held at once while validating


class _OutOfTimeError(Exception):
    """The time limit is reached; carries no message because it never leaves this module."""


@dataclass
class Trained:
    """A model, what it was built from, and what happened on the way."""

    model: Any
    config: Any
    rows: Rows
    notes: dict[str, Any] = field(default_factory=dict)


def prepare_rows(rows: Rows, kind: str, parameters: dict[str, Any], seed: int) -> tuple[Rows, dict[str, Any]]:
    """Choose the training rows of a model; the same rows and seed give the same choice.

    Returns:
        The rows, and notes: what was left out or capped, as counts.

    Raises:
        RecipeError: nothing is left to learn from.
    """
    notes: dict[str, Any] = {}
    if kind == SEQUENTIAL:
        chosen = only_with_past(rows)
        before, chosen = len(chosen.train), cap_rows(chosen, parameters["max_rows"], np.random.default_rng(seed))
        notes |= {"prefix_rows": before, "prefix_rows_used": len(chosen.train)}
    else:
        chosen, full = without_full_users(rows)
        if full:
            notes["users_left_out_because_they_had_every_item"] = full
    if not len(chosen.train):
        need = "a user with two events" if kind == SEQUENTIAL else "a user who has not had every item"
        raise RecipeError(f"Nothing to train on: {len(rows.users):,} events, but not {need}. Take a larger data set.")
    return chosen, notes


def train(
    model: str, kind: str, rows: Rows, parameters: dict[str, Any], seed: int, folder: str, progress: bool
) -> Trained:
    """Fit one model.

    Args:
        model: RecBole's class name.
        kind: "general" or "sequential".
        rows: from `prepare_rows`.
        parameters: complete, from `complete_parameters`.
        seed: draws the initial weights, the samples and the validation users.
        folder: an empty temporary folder.
        progress: show a bar of epochs.
    """
    if "epochs" not in parameters:
        trained, _ = _run(model, kind, rows, parameters, seed, folder, progress)
        return trained
    split = hold_out_last(rows, np.random.default_rng(seed))
    trained, best_epoch = _run(model, kind, split, parameters, seed, folder, progress)
    notes = trained.notes | {"validation_users": len(split.valid)}
    if parameters["refit"] and len(split.valid):
        again = parameters | {"epochs": best_epoch}
        trained, _ = _run(model, kind, rows, again, seed, folder, progress)
        notes |= {"refitted_on_all_events": True} | trained.notes
    trained.notes = notes
    return trained


def build(model: str, kind: str, rows: Rows, parameters: dict[str, Any], seed: int, folder: str) -> Trained:
    """Build a model as `train` does, without training it: the frame that saved weights go into."""
    config = _config(model, kind, rows, parameters, seed, folder)
    dataset, _, _ = make_loaders(config, rows, kind == SEQUENTIAL)
    torch.manual_seed(seed)
    built = get_model(model)(config, dataset).to(config["device"])
    return Trained(built, config, rows)


def _config(model: str, kind: str, rows: Rows, parameters: dict[str, Any], seed: int, folder: str) -> Any:
    settings = {
        "data_path": folder,
        "checkpoint_dir": folder,
        "seed": seed,
        "show_progress": False,
        "metrics": ["NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "metric_decimal_place": 8,
        "eval_batch_size": CELLS if kind != SEQUENTIAL else max(1, min(2_048, CELLS // (rows.n_items + 1))),
        "eval_args": {"split": {"LS": "valid_only"}, "order": "TO", "group_by": "user", "mode": "full"},
    }
    settings |= {name: value for name, value in parameters.items() if name not in OWN}
    if kind == SEQUENTIAL and parameters.get("loss_type") == "CE":
        settings["train_neg_sample_args"] = None
    return make_config(model, copy.deepcopy(settings), _device(parameters["device"]))


def _device(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise RecipeError(f"device={wanted!r}, but torch sees no GPU here. Use device='cpu' or 'auto'.")
    return wanted


def _run(
    model: str, kind: str, rows: Rows, parameters: dict[str, Any], seed: int, folder: str, progress: bool
) -> tuple[Trained, int]:
    config = _config(model, kind, rows, parameters, seed, folder)
    dataset, loader, valid = make_loaders(config, rows, kind == SEQUENTIAL)
    torch.manual_seed(seed)
    built = get_model(model)(config, dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, built)
    watch = _Watch(built, parameters.get("max_seconds", 0.0), trainer.epochs, f"recbole:{model}", progress)
    try:
        watch.start(trainer)
        trainer.fit(loader, valid, verbose=False, saved=False, callback_fn=watch.after_validation)
    except _OutOfTimeError:
        watch.stopped = True
    except ValueError as error:
        if "loss is nan" not in str(error):
            raise
        raise RecipeError(
            f"recbole:{model}: the loss became NaN in epoch {watch.epochs_done + 1}. "
            f"Lower learning_rate={parameters.get('learning_rate')!r}."
        ) from error
    finally:
        watch.close()
    notes = {} if config["MODEL_TYPE"] == ModelType.TRADITIONAL else watch.notes()
    built.eval()
    return Trained(built, config, rows, notes), watch.best_epoch


class _Watch:
    """Counts epochs, keeps the best weights, and stops the training when its time is over."""

    def __init__(self, model: Any, max_seconds: float, epochs: int, label: str, progress: bool):
        self.model, self.max_seconds, self.epochs = model, max_seconds, epochs
        self.bar = tqdm(total=epochs, desc=label, unit="epoch", disable=not progress)
        self.began = monotonic()
        self.batches, self.epochs_done, self.best_epoch, self.best_score = 0, 0, epochs, -np.inf
        self.best: dict[str, Any] | None = None
        self.stopped = False

    def start(self, trainer: Any) -> None:
        """Look at the clock before every batch, and count every epoch."""
        loss, epoch = self.model.calculate_loss, trainer._train_epoch

        def timed_loss(*args: Any, **kwargs: Any) -> Any:
            if self.max_seconds and monotonic() - self.began > self.max_seconds and self.batches:
                raise _OutOfTimeError
            self.batches += 1
            return loss(*args, **kwargs)

        def counted_epoch(*args: Any, **kwargs: Any) -> Any:
            result = epoch(*args, **kwargs)
            self.epochs_done += 1
            self.bar.update()
            return result

        self.model.calculate_loss, trainer._train_epoch = timed_loss, counted_epoch

    def after_validation(self, _epoch: int, score: float) -> None:
        """Keep the weights when they are the best so far; the earliest of equals."""
        if score > self.best_score:
            self.best_score, self.best_epoch = float(score), self.epochs_done
            self.best = copy.deepcopy(self.model.state_dict())

    def close(self) -> None:
        """Put the best weights and the model's own loss back, and forget vectors cached from the last epoch."""
        self.bar.close()
        vars(self.model).pop("calculate_loss", None)
        if self.best is not None:
            self.model.load_state_dict(self.best)
        for name in getattr(self.model, "other_parameter_name", []):
            if name.startswith("restore_"):
                setattr(self.model, name, None)

    def notes(self) -> dict[str, Any]:
        """Say how the training went, for the results."""
        notes: dict[str, Any] = {
            "epochs_run": self.epochs_done,
            "batches_run": self.batches,
            "training_seconds": round(monotonic() - self.began, 2),
        }
        if self.best is not None:
            notes |= {"best_epoch": self.best_epoch, "validation_ndcg_at_10": round(self.best_score, 6)}
        if self.stopped:
            notes["stopped_by_max_seconds"] = self.max_seconds
        return notes
