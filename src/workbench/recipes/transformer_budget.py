"""How many epochs fit into a time budget, and how much memory a network needs."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from workbench.errors import RecipeError
from workbench.recipes.transformer_network import Shape

if TYPE_CHECKING:
    from workbench.recipes.transformer_training import Plan, Trainer

MOST_EPOCHS = 100  # without a number given; training ends earlier when validation says so
USUAL_EPOCHS = 40  # without a number or a budget
SHRINKAGE = 0.25  # what decay alone takes off a weight's logarithm over a whole training, however many its steps
DECAYS = (0.001, 0.3)
EVEN = 5_000  # items; this many over the catalogue's size is the share of negatives drawn evenly, at most a half
VALIDATIONS = 20  # over a whole training, about
RESERVE = 0.95  # of a budget; the rest is for what timing a few steps cannot foresee


def fit_into(
    trainer: "Trainer", budget_minutes: float | None, planned: int | None, validate: Callable[[], float] | None
) -> tuple["Plan", int, dict[str, Any]]:
    """Set the epochs that a budget allows, and a weight decay that fits their number when none is given.

    The product of learning rate, decay and steps is what shrinks a weight; it is held constant.

    Args:
        trainer: not started yet; a few steps are timed on a copy of its network.
        budget_minutes: for the training; None sets no limit.
        planned: epochs that a training of the same set out for before it was killed; they stay.
        validate: judges the network as it stands; timed once. None where nothing was held out.

    Returns:
        The plan with its epochs, how many epochs lie between validations, and what to note.
    """
    plan = trainer.plan
    steps = trainer.epoch_steps()
    notes: dict[str, Any] = {"steps_an_epoch": steps, "batch_events": plan.batch_events}
    epochs = plan.epochs or (USUAL_EPOCHS if budget_minutes is None else MOST_EPOCHS)
    if planned is not None:
        epochs, notes["taken_up"] = planned, True
    elif budget_minutes is not None:
        clock = time.perf_counter()
        if validate is not None:
            validate()
        judging = time.perf_counter() - clock
        each = trainer.seconds_a_step() * steps
        room = RESERVE * budget_minutes * 60 - (time.perf_counter() - clock)
        notes |= {"seconds_an_epoch_foreseen": round(each, 2), "seconds_a_validation_foreseen": round(judging, 2)}
        often = int((room - VALIDATIONS * judging) / max(each, 1e-6))  # more epochs than validations
        epochs = max(1, min(epochs, often if often >= VALIDATIONS else int(room / max(each + judging, 1e-6))))
        epochs = trainer.world.agree(epochs, trainer.device)
        notes["budget_minutes"] = budget_minutes
    decay = plan.weight_decay
    if decay is None:
        decay = float(np.clip(SHRINKAGE / (0.5 * plan.learning_rate * epochs * steps), *DECAYS))
    notes["weight_decay"] = round(decay, 5)
    return replace(plan, epochs=epochs, weight_decay=decay), max(1, epochs // VALIDATIONS), notes


def batch_size(events: int, device: str) -> int:
    """Events of one step, about: small steps learn more from an epoch and cost a CPU little; a GPU wants large ones."""
    return 6_400 if device == "cuda" else max(400, min(6_400, events // 1_000))


def in_batch_share(n_items: int) -> float:
    """Share of negatives from the batch: an even draw from a large catalogue hardly meets an item anybody wants."""
    return round(1.0 - min(0.5, max(0.1, EVEN / n_items)), 3)


def check_memory(shape: Shape, batch_events: int, negatives: int) -> float:
    """Foresee the memory of a training in GB.

    Raises:
        RecipeError: more than is free.
    """
    needed, free = memory_gb(shape, batch_events, negatives), psutil.virtual_memory().available / 1e9
    if needed > free:
        raise RecipeError(
            f"transformer: {shape.items:,} items of width {shape.width} in steps of {batch_events:,} events with "
            f"{negatives:,} negatives need {needed:.1f} GB and {free:.1f} GB are free. Lower width, batch_events or "
            'negatives, or take the closed form alone with parts="closed-form".'
        )
    return needed


def memory_gb(shape: Shape, batch_events: int, negatives: int) -> float:
    """Foresee the memory of a training: parameters with gradients and optimiser state, and a batch's activations."""
    width = shape.width
    tables = shape.items + shape.attributes + shape.users + shape.contexts + shape.types + shape.gaps + shape.window
    parameters = tables * width + shape.layers * 12 * width * width
    activations = batch_events * (shape.layers * (16 * width + shape.heads * 4) + 3 * negatives + 4 * width)
    return round(4 * (4 * parameters + 2 * activations) / 1e9, 2)
