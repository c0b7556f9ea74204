"""What an application gets back: items with scores and reasons, what each rule did, and what should be known."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from workbench.errors import ServingError, nearest
from workbench.records import plain
from workbench.serving.relevance import Relevance
from workbench.serving.request_json import document_of

# As Personalize spells its reasons.
PROMOTED = "Promoted item"
EXPLORATION = "Exploration"
POPULAR = "Popular item"
RECOMMEND, RELATED, RANK = "recommend", "related", "rank"
KEY_CHARS = 9  # of a recommendation id, the dash with it


@dataclass(frozen=True)
class Influence:
    """One thing that moved a score.

    kind: "past item", or "item", "user" or "context" for an attribute of it.
    name: an item's id, or an attribute such as "GENRES=Comedy".
    share: of all that moved the score, by size; below 0 where it spoke against the item.
    """

    kind: str
    name: str
    share: float


@dataclass(frozen=True)
class Explanation:
    """Why an item stands where it does.

    text: one sentence for people, such as "because you watched Alien".
    influences: the largest first.
    rules: which rules moved it, in words.
    """

    text: str
    influences: tuple[Influence, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecommendedItem:
    """One place of a list.

    position: counted from 1.
    score: None where the model gives none.
    reason: Personalize's texts ("Promoted item", "Exploration", "Popular item") and our own; empty when the item
        stands where its score puts it.
    metadata: the columns asked for.
    """

    item_id: str
    position: int
    score: float | None = None
    reason: tuple[str, ...] = ()
    promotion_name: str | None = None
    metadata: Mapping[str, Any] | None = None
    explanation: Explanation | None = None

    def to_json(self, extended: bool = True) -> dict[str, Any]:
        """Write it as Personalize would; `extended` adds position and explanation, and leaves numbers numbers."""
        document: dict[str, Any] = {"itemId": self.item_id}
        if self.score is not None:
            document["score"] = float(self.score)
        if self.promotion_name is not None:
            document["promotionName"] = self.promotion_name
        if self.metadata is not None:
            known = {name: value for name, value in self.metadata.items() if extended or value is not None}
            document["metadata"] = plain(known) if extended else {name: _text(each) for name, each in known.items()}
        if self.reason:
            document["reason"] = list(self.reason)
        if extended:
            document["position"] = int(self.position)
            if self.explanation is not None:
                document["explanation"] = plain(asdict(self.explanation))
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any], position: int) -> Self:
        """Read one; a list of Personalize's own counts its positions itself."""
        told = document.get("explanation")
        return cls(
            item_id=document["itemId"],
            position=document.get("position", position),
            score=document.get("score"),
            reason=tuple(document.get("reason", ())),
            promotion_name=document.get("promotionName"),
            metadata=document.get("metadata"),
            explanation=None if told is None else _explanation(told),
        )


@dataclass(frozen=True)
class RuleEffect:
    """What one rule did to the list.

    rule: "filter", "seen", "promotion", "exploration", "cap", "objective" …
    name: of the filter, the promotion, the column.
    removed: items it kept from being listed.
    moved: places that hold another item because of it.
    text: the same for people, with what should be known (fewer items than asked for).
    """

    rule: str
    name: str = ""
    removed: int = 0
    moved: int = 0
    text: str = ""


@dataclass(frozen=True)
class Response:
    """An answered request.

    recommendation_id: at most 40 characters, beginning with the campaign's key.
    items: by position.
    kind: "recommend", "related" or "rank".
    exploration_share: places with an explored item ÷ places.
    rules: what each rule removed or moved.
    notices: what should be known: missing context, unknown user, popular fallback, unknown filter values …
    user_version: sequence number of the newest live event of this user that the list has taken in; 0 is none.
    relevance: what promotions, caps and exploration cost; None where nothing changed the list.
    cached: whether the list was kept from an earlier request.
    """

    recommendation_id: str
    items: tuple[RecommendedItem, ...]
    kind: str = RECOMMEND
    user_id: str | None = None
    exploration_share: float = 0.0
    rules: tuple[RuleEffect, ...] = ()
    notices: tuple[str, ...] = ()
    user_version: int = 0
    relevance: Relevance | None = None
    cached: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)  # campaign, solution version, recipe …

    @property
    def item_ids(self) -> list[str]:
        """The list's item ids by position."""
        return [each.item_id for each in self.items]

    def to_json(self, extended: bool = True) -> dict[str, Any]:
        """Write it as Personalize would; `extended` adds everything that the service does not tell."""
        name = "personalizedRanking" if self.kind == RANK else "itemList"
        document: dict[str, Any] = {
            name: [each.to_json(extended) for each in self.items],
            "recommendationId": self.recommendation_id,
        }
        if not extended:
            return document
        own = {
            "kind": self.kind,
            "userId": self.user_id,
            "explorationShare": self.exploration_share,
            "rules": [asdict(each) for each in self.rules],
            "notices": list(self.notices),
            "userVersion": self.user_version,
            "relevance": None if self.relevance is None else asdict(self.relevance),
            "cached": self.cached,
            "details": dict(self.details),
        }
        return document | plain(own)

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | str | bytes) -> Self:
        """Read one, of ours or of Personalize's own.

        Raises:
            ServingError: it is no JSON object, or has no list or no recommendationId.
        """
        found = document_of("A response", document)
        ranking = "personalizedRanking" in found
        name = "personalizedRanking" if ranking else "itemList"
        absent = [each for each in (name, "recommendationId") if each not in found]
        if absent:
            raise ServingError(f"The response has no {absent[0]!r}.{nearest(absent[0], found)}")
        rows = found[name]
        cost = found.get("relevance")
        return cls(
            recommendation_id=found["recommendationId"],
            items=tuple(RecommendedItem.from_json(each, place) for place, each in enumerate(rows, 1)),
            kind=found.get("kind", RANK if ranking else RECOMMEND),
            user_id=found.get("userId"),
            exploration_share=found.get("explorationShare", 0.0),
            rules=tuple(RuleEffect(**each) for each in found.get("rules", ())),
            notices=tuple(found.get("notices", ())),
            user_version=found.get("userVersion", 0),
            relevance=None if cost is None else Relevance(**cost),
            cached=found.get("cached", False),
            details=found.get("details", {}),
        )


def campaign_key(group: str, campaign: str) -> str:
    """The beginning of all recommendation ids of a campaign: 8 characters and a dash, the same for ever.

    `impact.attribution_sources.event_sources(events, {campaign_key(group, name): name})` credits its events with it.
    """
    return hashlib.blake2b(f"{group}\0{campaign}".encode(), digest_size=4).hexdigest() + "-"


def new_recommendation_id(key: str) -> str:
    """A fresh id of 33 characters (Personalize allows 40): the campaign's key and 96 random bits."""
    return key + secrets.token_hex(12)


def _explanation(told: Mapping[str, Any]) -> Explanation:
    influences = tuple(Influence(**each) for each in told.get("influences", ()))
    return Explanation(told["text"], influences, tuple(told.get("rules", ())))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
