"""Named filters of a dataset group: any number, checked when they are made, every revision kept.

They live in the workspace's catalogue, a row a revision, so that other processes see a new one at their next request.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data.atomic import disk_errors
from workbench.data.catalogue_reader import ACTIVE, CATALOG, DELETED, FILTER, CatalogueReader
from workbench.data.names import NAME, require_name
from workbench.errors import FilterError, nearest
from workbench.serving.campaign_records import require_group
from workbench.serving.filter_operands import parameters
from workbench.serving.filter_tree import Filter
from workbench.serving.filters import parse, portable

if TYPE_CHECKING:
    import pandas as pd

SETTLED = 100_000_000  # ns after which a file's time tells apart what was written before and after


@dataclass(frozen=True)
class StoredFilter:
    """One revision of a named filter; it never changes.

    revision: from 1; numbers are not given out twice, not even after the filter was deleted.
    text: as it was given.
    target: ItemID, UserID or ActionID.
    parameters: names of its parameters, without $.
    notices: what was said of it when it was made.
    not_portable: why Amazon Personalize would not take it beside the filters there were; () when it would.
    status: ACTIVE or DELETED.
    created: ISO time in UTC.
    """

    group: str
    name: str
    revision: int
    text: str
    target: str
    parameters: tuple[str, ...]
    notices: tuple[str, ...]
    not_portable: tuple[str, ...]
    status: str
    created: str

    @property
    def filter(self) -> Filter:
        """The filter as a tree."""
        return parse(self.text)

    def __str__(self) -> str:
        return f"{self.group}/filters/{self.name} revision {self.revision}"


class FilterStore:
    """The named filters of one dataset group. Threads may share it."""

    def __init__(self, workspace: str | Path, group: str):
        """Open the filters of a group in the workspace at a path.

        Raises:
            WorkspaceError: there is no such workspace.
            ServingError: there is no such group.
        """
        self.path, self.group = Path(workspace), group
        self._book = CatalogueReader(self.path / CATALOG)
        require_group(self._book, group)
        self._mark: tuple[Any, ...] | None = None
        self._known: Mapping[str, StoredFilter] = {}

    def create(self, name: str, text: str) -> StoredFilter:
        """Make a filter.

        Args:
            name: 1 to 63 letters, digits, `-` and `_`, starting with a letter or digit.
            text: the expression.

        Raises:
            FilterError: the name is taken, the text cannot be read, or it does not suit the newest datasets.
            WorkspaceError: the name is not allowed, or the disk is full.
        """
        require_name("filter", name)
        return self._write(name, text, None)

    def replace(self, name: str, text: str, *, expected_revision: int | None = None) -> StoredFilter:
        """Give a filter another expression, as its next revision.

        Args:
            name, text: as in `create`; the filter exists.
            expected_revision: the revision this is meant for; None for the one there is when the call starts.

        Raises:
            FilterError: no such filter, another process was faster, or as in `create`.
        """
        now = self.get(name)
        return self._write(name, text, now.revision if expected_revision is None else expected_revision)

    def keep(self, name: str, text: str) -> StoredFilter:
        """Have a filter say this: made where there is none, replaced where it says something else, else left alone.

        Args:
            name, text: as in `create`.

        Raises:
            FilterError, WorkspaceError: as `create` and `replace`.
        """
        now = self._current().get(name)
        if now is None:
            return self.create(name, text)
        return now if now.text == text else self.replace(name, text, expected_revision=now.revision)

    def get(self, name: str, revision: int | None = None) -> StoredFilter:
        """A filter; None takes its newest revision, a number any one, even of a deleted filter.

        Raises:
            FilterError: there is none; the message names the nearest.
        """
        if revision is not None:
            found = {each.revision: each for each in self.revisions(name)}
            if revision in found:
                return found[revision]
            known = nearest(str(revision), map(str, found))
            raise FilterError(f"Filter {name!r} of dataset group {self.group!r} has no revision {revision}.{known}")
        filters = self._current()
        if name not in filters:
            raise FilterError(f"Dataset group {self.group!r} has no filter {name!r}.{nearest(name, filters)}")
        return filters[name]

    def list(self) -> tuple[StoredFilter, ...]:
        """The newest revision of every filter, by name."""
        return tuple(self._current().values())

    def revisions(self, name: str) -> tuple[StoredFilter, ...]:
        """Every revision of a filter, oldest first, those of a deleted filter of the same name too."""
        return tuple(map(_stored, self._book.rows(kind=FILTER, group=self.group, name=name)))

    def delete(self, name: str) -> None:
        """Delete a filter; its revisions stay readable by number.

        Raises:
            FilterError: there is none.
        """
        from workbench.data import catalogue

        with self._writing(name) as connection:
            rows = catalogue.find(connection, kind=FILTER, group=self.group, status=ACTIVE)
            mine = [row for row in rows if row["name"] == name]
            if not mine:
                known = nearest(name, (row["name"] for row in rows))
                raise FilterError(f"Dataset group {self.group!r} has no filter {name!r}.{known}")
            for row in mine:
                catalogue.change(connection, row["id"], status=DELETED)

    def resolve(self, given: str) -> tuple[str, str]:
        """A filter's name or an expression, as requests give it, to its name ("" for an expression) and its text.

        Raises:
            FilterError: it is a name, and there is no such filter.
        """
        return (given, self.get(given).text) if NAME.fullmatch(given) else ("", given)

    def frame(self) -> "pd.DataFrame":
        """The filters by name: FILTER, TARGET, TEXT, PARAMETERS, REVISION, STATUS, PORTABLE, CREATED (ISO, UTC)."""
        import pandas as pd

        rows = [
            {
                "FILTER": each.name,
                "TARGET": each.target,
                "TEXT": each.text,
                "PARAMETERS": ", ".join(each.parameters),
                "REVISION": each.revision,
                "STATUS": each.status,
                "PORTABLE": not each.not_portable,
                "CREATED": each.created,
            }
            for each in self.list()
        ]
        columns = ["FILTER", "TARGET", "TEXT", "PARAMETERS", "REVISION", "STATUS", "PORTABLE", "CREATED"]
        return pd.DataFrame(rows, columns=columns, dtype=object)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Any]:
        """A transaction of the catalogue; what writes it is loaded only here, since requests only read."""
        from workbench.data.catalogue import Catalogue

        book = Catalogue(self._book.path)
        with disk_errors(f"filter {name}", self.path), closing(book), book.writing() as connection:
            yield connection

    def _write(self, name: str, text: str, replaces: int | None) -> StoredFilter:
        """Check a filter and write it as the next revision; `replaces` is the current one's number, None for none."""
        from workbench.data import catalogue
        from workbench.data.workspace import Workspace
        from workbench.serving.filter_schema import check_in_group

        filter = parse(text)
        workspace = Workspace(self.path)
        try:
            notices, tables = check_in_group(workspace, self.group, filter)
        finally:
            workspace.close()
        others = [each.filter for each in self.list() if each.name != name]
        facts = {
            "notices": list(dict.fromkeys((*filter.notices, *notices))),
            "not_portable": list(portable(filter, others, tables).reasons),
        }
        with self._writing(name) as connection:
            rows = catalogue.find(connection, kind=FILTER, group=self.group)
            _require_unchanged(name, [row for row in rows if row["status"] == ACTIVE], replaces)
            revision = max((row["version"] for row in rows if row["name"] == name), default=0) + 1
            values = {"kind": FILTER, "group": self.group, "name": name, "version": revision, "status": ACTIVE}
            catalogue.add(connection, **values, config=_config(filter), facts=facts)
            (row,) = catalogue.find(connection, kind=FILTER, group=self.group, name=name, version=revision)
        return _stored(row)

    def _current(self) -> Mapping[str, StoredFilter]:
        """The newest revisions by name, read anew only after something was written to the catalogue."""
        mark = _written(self._book.path)
        if mark is None or mark != self._mark:
            rows = self._book.rows(kind=FILTER, group=self.group, status=ACTIVE)
            self._known = {row["name"]: _stored(row) for row in rows}
            self._mark = mark
        return self._known


def _require_unchanged(name: str, rows: Iterable[Mapping[str, Any]], replaces: int | None) -> None:
    """Refuse a name that is taken, and a replacement of another revision than the current one."""
    same = [row for row in rows if row["name"].casefold() == name.casefold()]
    now = max((row["version"] for row in same if row["name"] == name), default=None)
    if replaces is None and same:
        raise FilterError(
            f"Filter {same[-1]['name']!r} exists at revision {same[-1]['version']}; "
            "change it with replace(), or give the new one another name."
        )
    if now != replaces:
        state = "it was deleted" if now is None else f"it is at revision {now}"
        raise FilterError(
            f"Filter {name!r} was to be replaced at revision {replaces}, and {state}: another process was faster. "
            "Look at it with get() and decide again."
        )


def _config(filter: Filter) -> dict[str, Any]:
    named = dict.fromkeys(name for each in filter.expressions for name in parameters(each))
    return {"text": filter.text, "target": filter.expressions[0].target, "parameters": list(named)}


def _stored(row: Mapping[str, Any]) -> StoredFilter:
    config, facts = row["config"], row["facts"]
    return StoredFilter(
        group=row["group"],
        name=row["name"],
        revision=row["version"],
        text=config["text"],
        target=config["target"],
        parameters=tuple(config["parameters"]),
        notices=tuple(facts["notices"]),
        not_portable=tuple(facts["not_portable"]),
        status=row["status"],
        created=row["created"],
    )


def _written(path: Path) -> tuple[Any, ...] | None:
    """What tells whether the catalogue was written to; None while it was just now, when times cannot tell."""
    marks: list[Any] = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        try:
            found = each.stat()
        except FileNotFoundError:
            marks.append(None)
            continue
        if abs(time.time_ns() - found.st_mtime_ns) < SETTLED:
            return None
        marks.append((found.st_mtime_ns, found.st_size, found.st_ino))
    return tuple(marks)
