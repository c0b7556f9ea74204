"""The settings of a campaign: what its lists are made with beside the model."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from workbench.errors import ServingError, nearest
from workbench.serving.exploration_policies import policy

INFLUENCES = ("POPULARITY", "FRESHNESS")
MAX_AGE = 36_500.0  # days: an age cut-off above a hundred years is a slip of units


@dataclass(frozen=True)
class CampaignSettings:
    """How a campaign makes lists.

    exploration_weight: 0 (relevance alone) to 1; Personalize's explorationWeight.
    exploration_item_age_cut_off: days; only items created in so many days before the newest event are explored.
    exclude_seen: leave out items of a user's history; None does as the solution was trained.
    follow_latest: serve the newest ACTIVE version of the solution; `Deployment.refresh` deploys it when it comes.
    metadata_columns: item columns that every response carries, unless the request names its own.
    ranking_influence: POPULARITY and FRESHNESS, 0 to 1 each, where the recipe knows them; None leaves it to the recipe.
    max_results: the longest list that a request may ask for; Personalize's 500, which may be raised.
    kept_revisions: how many revisions stay on disk to be rolled back to, the current one counted.
    exploration_policy: how new items are chosen: "thompson", "ucb" or "uniform"; see `exploration_policies`.

    Source: Amazon Personalize, `campaignConfig`; the settings that it does not have are ours.
    """

    exploration_weight: float = 0.3
    exploration_item_age_cut_off: float = 30.0
    exclude_seen: bool | None = None
    follow_latest: bool = False
    metadata_columns: tuple[str, ...] = ()
    ranking_influence: Mapping[str, float] | None = None
    max_results: int = 500
    kept_revisions: int = 10
    exploration_policy: str = "thompson"

    def __post_init__(self) -> None:
        """Refuse values outside their ranges; the message names the setting, the value and the range."""
        _number("exploration_weight", self.exploration_weight, 0, 1)
        _number("exploration_item_age_cut_off", self.exploration_item_age_cut_off, 0, MAX_AGE)
        policy(self.exploration_policy)
        _whole("max_results", self.max_results, 1)
        _whole("kept_revisions", self.kept_revisions, 1)
        _truth("follow_latest", self.follow_latest)
        if self.exclude_seen is not None:
            _truth("exclude_seen", self.exclude_seen)
        columns = self.metadata_columns
        if isinstance(columns, str) or not all(isinstance(each, str) for each in columns):
            raise ServingError(f"metadata_columns must be a list of column names such as ('TITLE',), not {columns!r}.")
        object.__setattr__(self, "metadata_columns", tuple(columns))
        _influence(self.ranking_influence)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the catalogue."""
        values = dataclasses.asdict(self)
        return values | {"metadata_columns": list(self.metadata_columns)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, or what somebody wrote by hand.

        Raises:
            ServingError: an unknown setting, or a value outside its range.
        """
        known = [each.name for each in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ServingError(f"A campaign has no setting {name!r}.{nearest(name, known)}")
        return cls(**values)

    def changed(self, **values: Any) -> Self:
        """The same settings with some of them changed; errors as `from_json`."""
        return type(self).from_json(self.to_json() | values)


def _number(name: str, value: Any, low: float, high: float) -> None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not right or not low <= value <= high:
        raise ServingError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")


def _whole(name: str, value: Any, low: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise ServingError(f"{name} must be a whole number of {low} or more, not {value!r}.")


def _truth(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ServingError(f"{name} must be True or False, not {value!r}.")


def _influence(values: Mapping[str, float] | None) -> None:
    if values is None:
        return
    if not isinstance(values, Mapping):
        raise ServingError(f"ranking_influence must be a mapping such as {{'POPULARITY': 0.5}}, not {values!r}.")
    for name, value in values.items():
        if name not in INFLUENCES:
            raise ServingError(f"ranking_influence has no {name!r}.{nearest(str(name), INFLUENCES)}")
        _number(f"ranking_influence {name}", value, 0, 1)
