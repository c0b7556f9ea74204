"""Live events, items and users of a dataset group: taken in one call at a time, seen by every process at once.

The five operations of Amazon Personalize's events API (PutEvents, PutItems, PutUsers, PutActions,
PutActionInteractions) with its fields, limits and ids; what it leaves open is decided here and said.

Whose session is it? An event without a user belongs to the user whom its session named last; events from before a
session named anybody go to the first one it names, at once. When two users are named in one session, one after the
other, each keeps the events put since they were named.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from workbench.data import events_queries as queries
from workbench.data import events_writing as writing
from workbench.data.events_fields import action_rows, entity_rows, event_rows
from workbench.data.events_group import ORIGIN, GroupReader
from workbench.data.events_impressions import count_impressions
from workbench.data.events_recommendations import RecommendationLog
from workbench.data.events_records import POWER, Changes, Impressions, Limits, LiveEvent, PutResult
from workbench.data.events_store import EVENTS, FOLDER, EventStore

__all__ = ["Changes", "Impressions", "Limits", "LiveEvent", "LiveEvents", "PutResult", "RecommendationLog"]


class LiveEvents:
    """The live side of one dataset group. Several threads and processes may hold one each."""

    def __init__(self, workspace: str | Path, group: str, *, durability: str = POWER, limits: Limits | None = None):
        """Open a group's live events; nothing is made where there is no such group.

        Args:
            workspace: the workspace's folder.
            group: an existing dataset group.
            durability: "power" syncs every call to the disk, "process" hands it to the operating system: both lose
                nothing when the process is killed; only "power" survives a power cut.
            limits: how much a call may bring; Personalize's limits by default.

        Raises:
            EventError: there is no such workspace, group or durability.
        """
        self.path = Path(getattr(workspace, "path", workspace)).expanduser().resolve()
        self.group, self.limits = group, limits or Limits()
        self._reader = GroupReader(self.path, group)
        self.store = EventStore(self.path / group / FOLDER / EVENTS, durability)
        self._log: RecommendationLog | None = None

    def put_events(self, session_id: str, events: Sequence[Mapping[str, Any]], user_id: str | None = None) -> PutResult:
        """Take in events of one session.

        Args:
            session_id: 1 to 256 characters.
            events: 1 to 10 mappings (`limits.records`) of at most 10 KB with `eventType` and `sentAt` (epoch seconds
                or a datetime with time zone) and, if known, `eventId`, `eventValue`, `itemId`, `properties` (JSON
                text or a mapping; camelCase keys), `recommendationId`, `impression` (1 to 25 ids),
                `metricAttribution` ({"eventAttributionSource": text}).
            user_id: None for somebody who is not known yet.

        Returns:
            What became of them. An eventId that was there before is left out and counted; events without one are
            told apart by user (or session), time and everything they say.

        Raises:
            EventError: a rule is broken; the message names position, field, value and rule, and nothing is stored.
        """
        rows = event_rows(events, session_id, user_id, self._reader.facts(), self.limits)
        return writing.put_rows(self.store, INTERACTIONS, rows)

    def put_action_interactions(self, interactions: Sequence[Mapping[str, Any]]) -> PutResult:
        """Take in what users did with actions.

        Args:
            interactions: 1 to 10 mappings with `actionId`, `sessionId`, `timestamp` and `eventType` (Viewed, Taken or
                Not Taken, stored as the dataset spells them: VIEWED, TAKEN, NOT_TAKEN) and, if known, `userId`,
                `eventId`, `recommendationId`, `impression`, `properties`.
        """
        rows = action_rows(interactions, self._reader.facts(), self.limits)
        return writing.put_rows(self.store, ACTION_INTERACTIONS, rows)

    def put_items(self, items: Sequence[Mapping[str, Any]]) -> PutResult:
        """Take in items: mappings with `itemId` and `properties`. A known id is replaced whole, the latest put wins."""
        return self._put_entities(ITEMS, items)

    def put_users(self, users: Sequence[Mapping[str, Any]]) -> PutResult:
        """Take in users: mappings with `userId` and `properties`. A known id is replaced whole, the latest put wins."""
        return self._put_entities(USERS, users)

    def put_actions(self, actions: Sequence[Mapping[str, Any]]) -> PutResult:
        """Take in actions: mappings with `actionId` and `properties`. A known id is replaced whole."""
        return self._put_entities(ACTIONS, actions)

    def undo(self, event_id: str, kind: str = INTERACTIONS) -> bool:
        """Take an event back; its id never comes back, whoever puts it again.

        Whose session it was stays known. If the event was merged into history, the next merge takes it out there.

        Args:
            event_id: as it was put, or as `PutResult.event_ids` named it.
            kind: "interactions" or "action_interactions".

        Returns:
            False when it was undone before.

        Raises:
            EventError: there is no such event.
        """
        return writing.undo(self.store, kind, event_id)

    def user_events(self, user_id: str, after: int = 0, kind: str = INTERACTIONS) -> list[LiveEvent]:
        """What a user did, oldest first (by time, then sequence), undone events left out.

        Args:
            user_id: a user, or a session: its user's events once it has one, else its anonymous ones.
            after: only events that came, or became this user's, after this position; 0 for all.
            kind: "interactions" or "action_interactions".
        """
        return queries.user_events(self.store, user_id, after, kind)

    def user_of(self, session_id: str) -> str | None:
        """The user whom a session named last, or None while it is anonymous."""
        return queries.user_of(self.store, session_id)

    def user_version(self, user_id: str) -> int:
        """Sequence number of the newest put, undo or merged session that concerns a user or session; 0 for none."""
        return queries.user_version(self.store, user_id)

    def position(self) -> int:
        """Sequence number of the newest thing that was stored; 0 for none."""
        return queries.position(self.store)

    def changed_since(self, position: int) -> Changes:
        """Who and what changed after a position."""
        return queries.changes(self.store, position)

    def new_items(self, after: int = 0) -> dict[str, dict[str, Any]]:
        """Items put after a position: id to properties by column name, the latest put of each, oldest put first."""
        return queries.entities(self.store, ITEMS, after)

    def new_users(self, after: int = 0) -> dict[str, dict[str, Any]]:
        """Users put after a position: id to properties by column name."""
        return queries.entities(self.store, USERS, after)

    def new_actions(self, after: int = 0) -> dict[str, dict[str, Any]]:
        """Actions put after a position: id to properties by column name."""
        return queries.entities(self.store, ACTIONS, after)

    def impressions(self, after: int = 0) -> Impressions:
        """How often items were shown and clicked, ignored ones included; see `events_impressions`."""
        if self._log is None:
            self._log = RecommendationLog(self.path, self.group)
        return count_impressions(self.store, self._log, after)

    def merged_position(self, kind: str = INTERACTIONS, origin: Mapping[str, Any] | None = None) -> int:
        """Up to which position a dataset version holds the live events; 0 where it holds none.

        Args:
            kind: the dataset kind.
            origin: of a dataset version; None takes the newest version's.
        """
        merged = (self._reader.origin(kind) if origin is None else origin).get(ORIGIN) or {}
        return int(merged["position"]) if merged.get("store") == self.store.id else 0

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()
        self._reader.close()
        if self._log is not None:
            self._log.close()

    def _put_entities(self, kind: str, entities: Sequence[Mapping[str, Any]]) -> PutResult:
        rows = entity_rows(kind, entities, self._reader.facts(), self.limits)
        return writing.put_entities(self.store, kind, rows)
