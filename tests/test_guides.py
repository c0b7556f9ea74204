"""README, guides and notebooks: links lead somewhere, tables say what the catalogue says, nothing is left out."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.recipes import recbole_bridge_models as bridge
from workbench.recipes.catalog import CATALOG, entry

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOLDER = ROOT / "notebooks" / "guides"
GUIDES = sorted(FOLDER.glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *GUIDES, *NOTEBOOKS]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SECTIONS = {  # headings that are no recipe's name, to the recipe whose table stands under them
    "user-personalization: what it is made of, what it picks, and what you can tell it": "user-personalization",
    "The closed form": "autoregressive",
    "The transformer": "transformer",
}
PARTS = ("autoregressive", "transformer", "user-personalization")
WHOLES = ("user-personalization", "personalized-ranking")  # have the settings of their parts


def read(path: Path) -> str:
    """The words of a page; of a notebook its text cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def plain(text: str) -> str:
    """Text without code blocks, in which brackets are no links and # begins no heading."""
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.*?)\s*$", plain(read(path)), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every row of every table: the nearest heading above it, and its cells by the table's head."""
    heading, head = "", []
    for line in plain(text).splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ").strip()
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if not head:
            head = cells
        elif set("".join(cells)) - set("-: "):
            yield heading, dict(zip(head, cells, strict=False))


def settings() -> list[tuple[str, str, str, str, str]]:
    """Page, recipe, hyperparameter, default and range as written, of every table of hyperparameters."""
    found = []
    for path in GUIDES:
        for heading, row in rows(read(path)):
            if "hyperparameter" not in row:
                continue
            recipe = row.get("recipe", "").strip("`") or SECTIONS.get(heading, heading)
            names = re.findall(r"`(\w+)`", row["hyperparameter"])
            assert len(names) == 1, f"{path.name}: one hyperparameter a row, not {row['hyperparameter']!r}"
            found.append((path.name, recipe, names[0], row["default"], row["range"]))
    return found


def number(text: str) -> float:
    return float(text.replace(",", ""))


def means(written: str, default: object) -> bool:
    """Whether a cell of a table says this default; words behind a colon or semicolon explain it."""
    first = re.split(r"[:;]", written, maxsplit=1)[0].strip().strip('`"')
    if isinstance(default, bool) or default is None or isinstance(default, dict):
        return first.lower() == str(default).lower()
    if isinstance(default, list):
        return ([number(each) for each in first.split(", ")] if first != "[]" else []) == default
    if isinstance(default, str):
        return first == default
    return number(first) == default


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_to_a_heading(path):
    for target in LINK.findall(plain(read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (path.parent / name).resolve() if name else path
        assert place.is_relative_to(ROOT.resolve()), f"{target} leads out of the repository"
        assert place.exists(), f"there is no {target}"
        if anchor:
            assert anchor in anchors(place), (
                f"{place.name} has no heading for #{anchor}; it has {sorted(anchors(place))}"
            )


@pytest.mark.parametrize("path", [ROOT / "README.md", *GUIDES], ids=lambda path: path.name)
def test_files_that_are_named_exist(path):
    named = re.findall(r"`((?:src|tests|notebooks|data)/[\w/.*-]+\.[a-z]+|data/samples/\w+)`", read(path))
    assert [each for each in named if not list(ROOT.glob(each))] == []


@pytest.mark.parametrize("path", [ROOT / "README.md", *GUIDES], ids=lambda path: path.name)
def test_what_is_imported_exists(path):
    for module, names in re.findall(r"^from (workbench[\w.]*) import (.+)$", read(path), re.M):
        file = ROOT / "src" / Path(*module.split("."))
        file = file.with_suffix(".py") if file.with_suffix(".py").exists() else file / "__init__.py"
        tree = ast.parse(file.read_text(encoding="utf-8"))
        known = {
            each.asname or each.name for node in tree.body if isinstance(node, ast.ImportFrom) for each in node.names
        }
        known |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        stored = (each for node in tree.body for each in ast.walk(node) if isinstance(each, ast.Name))
        known |= {each.id for each in stored if isinstance(each.ctx, ast.Store)}
        assert {name.strip() for name in names.split(",")} <= known, module


def test_what_make_is_asked_for_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for path in (ROOT / "README.md", *GUIDES):
        assert set(re.findall(r"`make ([a-z][a-z-]*)", read(path))) <= targets, path.name


@pytest.mark.parametrize(("page", "recipe", "name", "default", "span"), settings())
def test_a_table_of_hyperparameters_says_what_the_catalogue_says(page, recipe, name, default, span):
    assert recipe in CATALOG, f"{page}: the table with {name} stands under {recipe!r}, which is no recipe"
    held = [CATALOG[recipe]]
    if recipe in PARTS:
        held += [CATALOG[whole] for whole in WHOLES if name in CATALOG[whole].hyperparameters]
    for row in held:
        assert name in row.hyperparameters, f"{page}: {row.name} has no hyperparameter {name}"
        setting = row.hyperparameters[name]
        assert means(default, setting.default), f"{page}: {name} is {setting.default!r} by default, not {default!r}"
        if setting.choices:
            assert span == ", ".join(map(str, setting.choices))
        elif setting.type in ("int", "float", "list", "mapping"):
            low, high = re.match(r"([\d.,]+) to ([\d.,]*\d)", span).groups()
            assert (number(low), number(high)) == (setting.low, setting.high), f"{page}: {name} is not {span}"


@pytest.mark.parametrize("recipe", [name for name, row in CATALOG.items() if row.family != "recbole"])
def test_every_hyperparameter_is_explained(recipe):
    words = read(FOLDER / "recipes.md") + read(FOLDER / "user_personalization.md")
    assert [name for name in CATALOG[recipe].hyperparameters if f"`{name}`" not in words] == []


def test_parameters_of_the_bridge_are_what_the_guide_says():
    listed = {}
    for _, row in rows(read(FOLDER / "recbole.md")):
        if {"name", "default"} <= set(row):
            names = re.findall(r"`(\w+)`", row["name"])
            cells = [row["default"]] if len(names) == 1 else row["default"].split(", ")
            listed |= dict(zip(names, cells, strict=True))
    assert set(bridge.BRIDGE | bridge.SEQUENCE_ONLY) <= set(listed)
    for model in bridge.offered():
        for name, value in bridge.default_parameters(model).items():
            if name in listed and value not in ("", []):
                said = re.escape("all" if (name, value) == ("threads", 0) else str(value))
                if isinstance(value, int | float) and not isinstance(value, bool):
                    said = rf"(?<![\d.,])({said}|{value:g}|{value:,})(?![.,]?\d)"
                assert re.search(said, listed[name]), f"{model}: {name}={value!r}"


def test_the_guide_counts_recboles_models_rightly():
    counts = f"{len(bridge.models())} recommendation models. The bridge fits {len(bridge.offered())} of them"
    assert counts in read(FOLDER / "recbole.md")
    assert f"{len(bridge.offered())} of its {len(bridge.models())} run" in read(ROOT / "CHANGELOG.md")


def test_every_recipe_stands_in_the_guide_to_recipes():
    first = [row["recipe"] for heading, row in rows(read(FOLDER / "recipes.md")) if "learns from" in row]
    named = set(re.findall(r"`([\w:<>-]+)`", " ".join(first)))
    wanted = {name if CATALOG[name].family != "recbole" else "recbole:<Model>" for name in CATALOG}
    assert named == wanted


def test_every_recipe_is_named_in_the_guide_to_readiness():
    words = read(FOLDER / "insights.md")
    assert [name for name in CATALOG if f"`{name}`" not in words] == []


def test_every_guide_stands_in_the_readme():
    listed = re.findall(r"^\| \[(\w+)\]\(notebooks/guides/(\w+)\.md\)", read(ROOT / "README.md"), re.M)
    assert sorted(listed) == [(path.stem, path.stem) for path in GUIDES]


def test_every_notebook_stands_in_the_readme_with_its_question():
    listed = dict(re.findall(r"^\| `(\d\d_\w+)` \| (.*\?) \|$", read(ROOT / "README.md"), re.M))
    assert listed == {path.stem: read(path).splitlines()[0].removeprefix("# ") for path in NOTEBOOKS}


def test_recipes_named_in_code_examples_exist():
    for path in (ROOT / "README.md", *GUIDES):
        for name in re.findall(r"(?:entry|build|tune)\(\"([^\"]+)\"|\brecipe=([\w:-]+)", read(path)):
            assert entry(next(filter(None, name))).name, path.name
