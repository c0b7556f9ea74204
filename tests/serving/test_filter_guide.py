"""The guide to filters: its examples parse, are portable or extensions as it says, or are refused."""

import re
from pathlib import Path

import pytest

from workbench.errors import FilterError
from workbench.serving import filter_literals, filter_parser, filter_portable
from workbench.serving.filters import parse, portable

GUIDE = (Path(__file__).parents[2] / "notebooks" / "guides" / "filters.md").read_text(encoding="utf-8")


def examples(kind: str) -> list[str]:
    """The lines of all blocks of a kind."""
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", GUIDE, re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("text", examples("filter"))
def test_what_personalize_takes_is_portable(text):
    assert portable(parse(text)).reasons == ()


@pytest.mark.parametrize("text", examples("extension"))
def test_extensions_are_read_and_are_not_portable(text):
    assert not portable(parse(text)).accepted


@pytest.mark.parametrize("text", examples("refused"))
def test_what_is_refused_is_refused(text):
    with pytest.raises(FilterError, match=r"^Line 1, column \d+: "):
        parse(text)


def test_the_error_shown_is_the_error_given():
    shown = next(block for block in re.findall(r"```text\n(.*?)```", GUIDE, re.S) if block.startswith("Line"))
    with pytest.raises(FilterError) as caught:
        parse("INCLUED ItemID WHERE Items.A = 1")
    assert str(caught.value) == shown.strip()


def test_the_limits_are_those_of_the_code():
    limits = (filter_parser.LONGEST, filter_literals.MOST_VALUES, filter_parser.MOST_TOKENS)
    words = " ".join(GUIDE.split())
    said = "at most {:,} characters, {:,} values, {:,} words, fields, operators and brackets".format(*limits)
    assert said in words
    assert f"{filter_parser.DEEPEST} brackets and NOTs" in words
    for name in ("MOST_CHARACTERS", "MOST_FIELDS", "MOST_FILTERS", "MOST_GROUP_FIELDS", "MOST_PARAMETERS"):
        assert re.search(rf"\| {getattr(filter_portable, name):,}\b", GUIDE), name
