"""What happens during a RecBole training: epochs counted, the best weights kept, the clock and a watcher obeyed."""

import copy
from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
from tqdm.auto import tqdm

STOPPED = "stopped_by_budget_minutes"  # name of the note that holds the limit


class OutOfTimeError(Exception):
    """The time limit is reached; carries no message because it never leaves the bridge."""


class Teller:
    """Tells a recipe's watcher each validation value, and remembers what the watcher raised to end the fit."""

    def __init__(self, watch: Callable[[int, float], None] | None):
        self.watch = watch
        self.raised: BaseException | None = None

    def __call__(self, step: int, value: float) -> None:
        """Pass a value on; the watcher's exception goes through as it is."""
        if self.watch is None:
            return
        try:
            self.watch(step, value)
        except BaseException as error:
            self.raised = error
            raise


class EpochWatch:
    """Counts epochs, keeps the best weights, and stops the training when its time is over.

    Args:
        model: the RecBole model that is trained.
        seconds: most that training may take; 0 means no limit.
        epochs: most passes.
        label: of the progress bar.
        progress: show the bar.
        tell: called with (epoch from 1, validation value).
    """

    def __init__(
        self, model: Any, seconds: float, epochs: int, label: str, progress: bool, tell: Callable[[int, float], None]
    ):
        self.model, self.seconds, self.epochs, self.tell = model, seconds, epochs, tell
        self.bar = tqdm(total=epochs, desc=label, unit="epoch", disable=not progress)
        self.began = monotonic()
        self.batches, self.epochs_done, self.best_epoch, self.best_score = 0, 0, epochs, -np.inf
        self.best: dict[str, Any] | None = None
        self.stopped = False

    def start(self, trainer: Any) -> None:
        """Look at the clock before every batch of training and of item-by-item validation, and count every epoch."""
        loss, predict, epoch = self.model.calculate_loss, self.model.predict, trainer._train_epoch

        def timed_loss(*args: Any, **kwargs: Any) -> Any:
            self._look_at_the_clock()
            self.batches += 1
            return loss(*args, **kwargs)

        def timed_predict(*args: Any, **kwargs: Any) -> Any:
            self._look_at_the_clock()
            return predict(*args, **kwargs)

        def counted_epoch(*args: Any, **kwargs: Any) -> Any:
            result = epoch(*args, **kwargs)
            self.epochs_done += 1
            self.bar.update()
            return result

        self.model.calculate_loss, self.model.predict, trainer._train_epoch = timed_loss, timed_predict, counted_epoch

    def after_validation(self, _epoch: int, score: float) -> None:
        """Keep the weights when they are the best so far, the earliest of equals, and tell the watcher."""
        if score > self.best_score:
            self.best_score, self.best_epoch = float(score), self.epochs_done
            self.best = copy.deepcopy(self.model.state_dict())
        self.tell(self.epochs_done, float(score))

    def close(self) -> None:
        """Put the best weights and the model's own methods back, and forget vectors cached from the last epoch."""
        self.bar.close()
        for name in ("calculate_loss", "predict"):
            vars(self.model).pop(name, None)
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
        return notes

    def _look_at_the_clock(self) -> None:
        if self.seconds and self.batches and monotonic() - self.began > self.seconds:
            raise OutOfTimeError
