"""The catalogue read without SQLAlchemy says what the catalogue itself says."""

import sqlite3
from pathlib import Path

import pytest

from workbench.data.catalogue import CATALOG, DATASET, GROUP, LAYOUT, Catalogue, add
from workbench.data.catalogue_reader import CatalogueReader
from workbench.errors import WorkspaceError


@pytest.fixture
def book(tmp_path: Path) -> Catalogue:
    made = Catalogue(tmp_path / CATALOG)
    with made.writing() as connection:
        add(connection, kind=GROUP, group="ü", name="ü", status="ACTIVE", config={"domain": None}, path="ü")
        for version in (2, 1):
            values = {"group": "ü", "name": "items", "version": version, "path": f"ü/items/{version}"}
            add(connection, kind=DATASET, status="ACTIVE", facts={"rows": 3, "columns": {"A": "BIGINT"}}, **values)
    return made


def test_rows_are_those_of_the_catalogue(book: Catalogue):
    reader = CatalogueReader(book.path)
    assert reader.rows() == book.rows()
    assert [row["version"] for row in reader.rows(kind=DATASET, group="ü")] == [1, 2]
    assert reader.rows(kind=DATASET, version=2) == book.rows(kind=DATASET, version=2)
    assert reader.rows(name="nobody") == []


def test_what_was_committed_is_seen_at_once(book: Catalogue):
    reader = CatalogueReader(book.path)
    [row] = reader.rows(kind=GROUP)
    book.change(row["id"], status="DELETED")
    assert reader.rows(kind=GROUP)[0]["status"] == "DELETED"


def test_there_must_be_a_catalogue_of_this_layout(book: Catalogue, tmp_path: Path):
    with pytest.raises(WorkspaceError, match=r"no workspace in .*elsewhere: it holds no catalog.db"):
        CatalogueReader(tmp_path / "elsewhere" / CATALOG)
    (tmp_path / "text.db").write_text("no database, and long enough for SQLite to say so")
    with pytest.raises(WorkspaceError, match="cannot be read as a catalogue"):
        CatalogueReader(tmp_path / "text.db")
    with sqlite3.connect(book.path) as connection:
        connection.execute("UPDATE workbench_layout SET version = ?", (LAYOUT + 1,))
    with pytest.raises(WorkspaceError, match=f"has layout {LAYOUT + 1}; this version of the workbench reads layout"):
        CatalogueReader(book.path)


def test_an_unknown_column_is_a_mistake_of_the_caller(book: Catalogue):
    with pytest.raises(ValueError, match=r"no columns \['nmae'\]"):
        CatalogueReader(book.path).rows(nmae="x")
