"""What the guide to data sources says is true: its example runs, and it leaves out no ending and no option."""

import re
from dataclasses import fields
from pathlib import Path

from workbench.data.readers.files import FORMATS
from workbench.data.readers.options import SourceOptions
from workbench.data.readers.unpacking import COMPRESSED
from workbench.data.sources import open_source

GUIDE = Path(__file__).parents[2] / "notebooks" / "guides" / "data_sources.md"


def test_the_example_runs(tmp_path, monkeypatch):
    example = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(GUIDE), "exec"), {"open_source": open_source})


def test_every_ending_and_option_is_named():
    text = GUIDE.read_text(encoding="utf-8")
    databases = {".duckdb", ".ddb", ".sqlite", ".sqlite3", ".db"}  # named by their URLs
    assert [each for each in (*FORMATS, *COMPRESSED) if each not in databases and each not in text] == []
    internal = {"progress", "table", "query"}
    assert [
        each.name for each in fields(SourceOptions) if f'"{each.name}"' not in text and each.name not in internal
    ] == []
