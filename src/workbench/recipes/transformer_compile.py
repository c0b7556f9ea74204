"""Whether torch turns a training step into machine code first, and what stands against it."""

import torch

from workbench.errors import RecipeError

AUTO, NEVER, ALWAYS = "auto", "never", "always"
AUTO_MINUTES = 10.0  # of a budget: compiling takes half a minute on a CPU, and a step 8 to 17 % less time after it


def pick_compiled(setting: str, budget_minutes: float | None, device: torch.device) -> tuple[bool, str | None]:
    """Decide whether a training is compiled.

    Args:
        setting: "auto" compiles on a CPU when the budget is at least `AUTO_MINUTES`.
        budget_minutes: of the training; None where only its epochs are limited.
        device: where it trains.

    Returns:
        Whether; and what kept "auto" from it where it would have been worth it, else None.

    Raises:
        RecipeError: "always", and torch cannot compile here; says what is missing.
    """
    worth_it = device.type == "cpu" and budget_minutes is not None and budget_minutes >= AUTO_MINUTES
    if setting == NEVER or (setting == AUTO and not worth_it):
        return False, None
    missing = what_is_missing(device)
    if missing is not None and setting == ALWAYS:
        raise RecipeError(
            f"transformer: compile='always' cannot be kept, torch {torch.__version__} cannot compile here: {missing} "
            "Install what is missing, or take compile='never', which gives the same model and only takes longer."
        )
    return missing is None, missing


def what_is_missing(device: torch.device) -> str | None:
    """Compile a line of arithmetic for a device; None when that works, else what torch said."""
    try:
        torch.compile(_line, dynamic=True)(torch.ones(8, device=device))
    except (RuntimeError, OSError, ImportError) as error:
        needs = "a C++ compiler such as g++" if device.type == "cpu" else "Triton and a C compiler"
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        return f"it needs {needs}, and said {said!r}."
    return None


def _line(x: torch.Tensor) -> torch.Tensor:
    return (2 * x + 1).sqrt()
