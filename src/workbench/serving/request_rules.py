"""Rules that come with a request: promotions, and caps per value of a column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from workbench.serving.request_json import Document, listed, mapped
from workbench.serving.request_limits import LIMITS, Limits, check_filter, check_text, check_whole, refuse


@dataclass(frozen=True, kw_only=True)
class Cap(Document):
    """At most `at_most` items with the same value of an item column in a list; each value of A|B counts."""

    what: ClassVar[str] = "A cap"
    column: str
    at_most: int

    def check(self, name: str, limits: Limits = LIMITS) -> None:
        """Refuse a cap without a column, or of less than one item."""
        check_text(f"{name}.column", self.column, limits.context_key_chars, "context_key_chars")
        check_whole(f"{name}.at_most", self.at_most, 1, limits.results, "Leave the cap out to have none.")


@dataclass(frozen=True, kw_only=True)
class Promotion(Document):
    """Items that get a share of the places, or certain places.

    name: marks the promoted items in the response.
    percent_promoted_items: 1 to 100, of the places of the list. With `slots` it may be left out.
    filter, filter_values: which items; the name of a filter or an expression. None: any item.
    slots: certain places, counted from 1, instead of random ones. An extension of ours.
    cap: at most so many promoted items. An extension of ours.
    """

    what: ClassVar[str] = "A promotion"
    name: str
    percent_promoted_items: int | None = None
    filter: str | None = None
    filter_values: Mapping[str, Any] = field(default_factory=dict)
    slots: tuple[int, ...] | None = None
    cap: int | None = None

    def __post_init__(self) -> None:
        self._take(filter_values=mapped, slots=listed)

    def check(self, name: str, limits: Limits = LIMITS) -> None:
        """Refuse a share outside 1 to 100, places outside the list or twice, a cap below 1, an odd filter."""
        check_text(f"{name}.name", self.name, limits.id_chars, "id_chars")
        if self.percent_promoted_items is None and self.slots is None:
            refuse(f"{name} has no percent_promoted_items", "it must be from 1 to 100", "Give it, or give slots.")
        if self.percent_promoted_items is not None:
            check_whole(
                f"{name}.percent_promoted_items", self.percent_promoted_items, 1, 100, "Drop it to promote none."
            )
        for slot in self.slots or ():
            check_whole(f"{name}.slots", slot, 1, limits.results, "The first place of a list is 1.")
        if self.slots is not None and (not self.slots or len(set(self.slots)) < len(self.slots)):
            refuse(f"{name}.slots is {list(self.slots)}", "it names each place once", "Leave it out for random places.")
        if self.cap is not None:
            check_whole(f"{name}.cap", self.cap, 1, limits.results, "Leave it out to have none.")
        check_filter(f"{name}.filter", self.filter, self.filter_values, limits)
