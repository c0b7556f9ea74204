"""What an application asks for: a list for somebody, an order for a given list, items like one; and rules for it.

Fields are Personalize's in snake_case; `from_json` and `to_json` speak its camelCase. A request says nothing about
the data: columns, ids and filters are checked by who answers it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from workbench.serving.request_json import Document, document_of, listed, mapped
from workbench.serving.request_limits import (
    LIMITS,
    Limits,
    check_context,
    check_filter,
    check_metadata,
    check_results,
    check_share,
    check_text,
    check_whole,
    refuse,
)
from workbench.serving.request_rules import Cap, Promotion
from workbench.serving.responses import Explanation, Influence, RecommendedItem, Response, RuleEffect

__all__ = [
    "LIMITS",
    "Cap",
    "Explanation",
    "Influence",
    "Limits",
    "Promotion",
    "RankRequest",
    "RecommendRequest",
    "RecommendedItem",
    "RelatedRequest",
    "Response",
    "RuleEffect",
    "read_request",
]


@dataclass(frozen=True, kw_only=True)
class _Request(Document):
    """What all requests share.

    user_id: whom it is for; a session's id for somebody anonymous.
    context: columns of the interactions to their value now, such as {"DEVICE": "phone"}.
    filter, filter_values: the name of a filter or an expression itself, and values for its parameters.
    metadata_columns: columns of the items that come with every item.
    campaign: which one should answer; needed only where several are behind one door.
    explain: say for every item what moved its score. An extension of ours, like all that follow.
    timestamp: epoch seconds that count as now, for NOW() and derived context; None is the clock.
    """

    user_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    filter: str | None = None
    filter_values: Mapping[str, Any] = field(default_factory=dict)
    metadata_columns: tuple[str, ...] = ()
    campaign: str | None = None
    explain: bool = False
    timestamp: int | None = None

    def __post_init__(self) -> None:
        self._take(context=mapped, filter_values=mapped, metadata_columns=listed)

    def check(self, limits: Limits = LIMITS) -> None:
        """Refuse anything beyond the limits.

        Raises:
            ServingError: says what was got, what is needed and what to do.
        """
        if self.user_id is not None:
            check_text("user_id", self.user_id, limits.id_chars, "id_chars")
        check_context(self.context, limits)
        check_filter("filter", self.filter, self.filter_values, limits)
        check_metadata(self.metadata_columns, limits)
        if not isinstance(self.explain, bool):
            refuse(f"explain is {self.explain!r}", "it must be true or false", "Leave it out to have no explanations.")
        if self.timestamp is not None:
            check_whole("timestamp", self.timestamp, 0, 2**40, "Give epoch seconds, or leave it out for now.")

    def beyond_personalize(self) -> tuple[str, ...]:
        """Name what of this request Personalize itself would not take; empty when it would."""
        return tuple(f"{name} is an extension" for name in ("explain", "timestamp") if _given(self, name))


@dataclass(frozen=True, kw_only=True)
class _ListRequest(_Request):
    """What requests for a new list share.

    num_results: places of the list.
    promotions: earlier ones come first where two want the same item or place.
    caps: how many items of one value may stand in the list.
    exploration_weight: 0 to 1, instead of the campaign's.
    exclude_seen: whether items of the user's history are left out, instead of the campaign's; related items leave
        none out unless told to.
    seed: of promotions' places and of exploration; None draws anew for every request.
    """

    num_results: int = 25
    promotions: tuple[Promotion, ...] = ()
    caps: tuple[Cap, ...] = ()
    exploration_weight: float | None = None
    exclude_seen: bool | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._take(promotions=_several(Promotion), caps=_several(Cap))

    def check(self, limits: Limits = LIMITS) -> None:
        """Refuse anything beyond the limits.

        Raises:
            ServingError: says what was got, what is needed and what to do.
        """
        super().check(limits)
        check_results(self.num_results, bool(self.metadata_columns), limits)
        if len(self.promotions) > limits.promotions:
            refuse(
                f"{len(self.promotions):,} promotions are asked for",
                f"{limits.promotions:,} are allowed",
                "Send fewer, or raise Limits(promotions=…).",
            )
        for name, given in (("promotions", self.promotions), ("caps", self.caps)):
            for place, each in enumerate(given):
                each.check(f"{name}[{place}]", limits)
        twice = [name for name, count in Counter(each.name for each in self.promotions).items() if count > 1]
        if twice:
            refuse(f"Two promotions are called {twice[0]!r}", "their names mark the promoted items", "Rename one.")
        if self.exploration_weight is not None:
            check_share("exploration_weight", self.exploration_weight)
        if self.exclude_seen not in (None, True, False):
            refuse(f"exclude_seen is {self.exclude_seen!r}", "it must be true or false", "Leave it out for the usual.")
        if self.seed is not None:
            check_whole("seed", self.seed, 0, 2**63 - 1, "Leave it out to draw anew every time.")

    def beyond_personalize(self) -> tuple[str, ...]:
        """Name what of this request Personalize itself would not take; empty when it would."""
        found = list(super().beyond_personalize())
        own = ("caps", "exploration_weight", "exclude_seen", "seed")
        found += [f"{name} is an extension" for name in own if _given(self, name)]
        if len(self.promotions) > 1:
            found.append(f"{len(self.promotions)} promotions; one is taken")
        for place, each in enumerate(self.promotions):
            found += [f"promotions[{place}].{name} is an extension" for name in ("slots", "cap") if _given(each, name)]
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class RecommendRequest(_ListRequest):
    """A list for a user or a session (GetRecommendations); without a user it is the one for everybody."""

    what: ClassVar[str] = "A recommendation request"
    hints: ClassVar[Mapping[str, str]] = {
        "itemId": "Items like one are asked for with a RelatedRequest.",
        "inputList": "A given list is put in order with a RankRequest.",
    }


@dataclass(frozen=True, kw_only=True)
class RelatedRequest(_ListRequest):
    """Items related to one (GetRecommendations with an itemId); the user only matters to filters."""

    what: ClassVar[str] = "A request for related items"
    item_id: str

    def check(self, limits: Limits = LIMITS) -> None:
        """Refuse anything beyond the limits, or an odd item id.

        Raises:
            ServingError: says what was got, what is needed and what to do.
        """
        check_text("item_id", self.item_id, limits.id_chars, "id_chars")
        super().check(limits)


@dataclass(frozen=True, kw_only=True)
class RankRequest(_Request):
    """A given list in the user's order (GetPersonalizedRanking).

    input_list: item ids, 1 to 500, each once; `repeated` says which are not, `distinct` leaves repeats out.
    """

    what: ClassVar[str] = "A ranking request"
    hints: ClassVar[Mapping[str, str]] = {
        "numResults": "A ranking holds every item of its inputList.",
        "promotions": "Promotions are for RecommendRequest and RelatedRequest.",
    }
    user_id: str = field()  # not optional here
    input_list: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        self._take(input_list=listed)

    @property
    def distinct(self) -> tuple[str, ...]:
        """The item ids in the order given, each once."""
        return tuple(dict.fromkeys(self.input_list))

    @property
    def repeated(self) -> dict[str, int]:
        """Item ids that were given more than once, and how often."""
        return {name: count for name, count in Counter(self.input_list).items() if count > 1}

    def check(self, limits: Limits = LIMITS) -> None:
        """Refuse anything beyond the limits, an empty list, or ids that are no text.

        Raises:
            ServingError: says what was got, what is needed and what to do.
        """
        super().check(limits)
        high = limits.ranked_with_metadata if self.metadata_columns else limits.ranked
        limit = "ranked_with_metadata" if self.metadata_columns else "ranked"
        if not self.input_list:
            refuse("input_list is empty", f"a ranking needs 1 to {high:,} items", "Give the items to put in order.")
        if len(self.input_list) > high:
            refuse(
                f"input_list holds {len(self.input_list):,} items",
                f"{high:,} are allowed{' with metadata columns' if self.metadata_columns else ''}",
                f"Send fewer, or raise Limits({limit}=…).",
            )
        for place, each in enumerate(self.input_list):
            check_text(f"input_list[{place}]", each, limits.id_chars, "id_chars")


def read_request(document: Mapping[str, Any] | str | bytes) -> RecommendRequest | RelatedRequest | RankRequest:
    """Read whichever request a document is: inputList makes it a ranking, itemId related items, else a list."""
    found = document_of("A request", document)
    kind = (
        RankRequest if "inputList" in found else RelatedRequest if found.get("itemId") is not None else RecommendRequest
    )
    return kind.from_json(found)


def _given(document: Document, name: str) -> bool:
    default = next(each.default for each in fields(document) if each.name == name)
    value = getattr(document, name)
    return value is not default and value != ()


def _several(kind: type[Document]) -> Callable[[str, object], tuple[Any, ...]]:
    """Take a list of documents, of keyword arguments for them, or of what Personalize writes."""
    known = {each.name for each in fields(kind)}

    def one(given: object) -> Document:
        if isinstance(given, kind):
            return given
        return kind.of(**given) if isinstance(given, Mapping) and known >= given.keys() else kind.from_json(given)

    return lambda name, value: tuple(one(each) for each in listed(name, value))
