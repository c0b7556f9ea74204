"""The guide to serving says what the code does."""

import ast
import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.exploration_policies import POLICIES
from workbench.serving.requests import Limits, RecommendRequest

GUIDE = (Path(__file__).parents[2] / "notebooks" / "guides" / "serving.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.S)


def section(title):
    return GUIDE.split(f"# {title}\n")[1].split("\n#")[0]


def test_the_limits_are_those_of_the_code():
    known, found = asdict(Limits()), {}
    for row in re.findall(r"^\| .* \|$", section("Limits"), re.M)[1:]:
        _, values, names = (cell.strip() for cell in row.strip("|").split("|"))
        numbers = re.findall(r"\d+(?:,\d{3})*", values)
        given = re.findall(r"`(\w+)`", names)
        found |= dict(zip(given, (int(each.replace(",", "")) for each in numbers), strict=False))
    assert found == known


def test_every_field_of_a_request_is_explained():
    named = re.findall(r"`(\w+)`", section("Requests"))
    assert {each.name for each in fields(RecommendRequest)} <= set(named)


def test_defaults_of_exploration_are_those_of_a_campaign():
    words, settings = section("Exploration"), CampaignSettings()
    assert f"`exploration_item_age_cut_off` days ({settings.exploration_item_age_cut_off:g})" in words
    assert f"Personalize's default is {settings.exploration_weight:g}" in words
    assert all(f"| `{name}` |" in words for name in POLICIES)


@pytest.mark.parametrize(
    "start", ["from workbench.serving.requests import Promotion, RecommendRequest", "from workbench.serving.context"]
)
def test_examples_run(start):
    code = next(block for block in BLOCKS if block.startswith(start))
    names = {}
    exec(code, names)
    said = re.search(r"^# (\(.*\))$", code, re.M)
    if said:
        tree = ast.parse(code).body[-1]
        assert eval(compile(ast.Expression(tree.value), "guide", "eval"), names) == ast.literal_eval(said[1])
