"""The steps of a preparation, by what they work on. Importing this fills the registry."""

from workbench.data.steps import (  # noqa: F401
    columns,
    events,
    histories,
    joins,
    missing,
    multivalues,
    numbers,
    rows,
    sql,
    text,
    time,
    values,
)
from workbench.data.steps.registry import REGISTRY, Option, Outcome, Step

__all__ = ["REGISTRY", "Option", "Outcome", "Step"]
