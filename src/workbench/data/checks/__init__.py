"""The checks of data insights, by subject; importing this package registers them all."""

from workbench.data.checks import (
    behaviour,
    completeness,
    drift,
    ids,
    leakage,
    spelling,
    times,
    values,
    volume,
)

__all__ = ["behaviour", "completeness", "drift", "ids", "leakage", "spelling", "times", "values", "volume"]
