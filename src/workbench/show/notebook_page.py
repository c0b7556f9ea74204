"""One executed notebook becomes the inside of a page: code folded, figures as data, text from data escaped."""

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDED = """{% extends 'basic/index.html.j2' %}
{% block input %}{% set tags = cell.metadata.get("tags", []) -%}
<details class="code"><summary>{{ "Parameters of this run" if "injected-parameters" in tags else
"Parameters and their defaults" if "parameters" in tags else "Code" }}</summary>{{ super() }}</details>{% endblock %}"""


@dataclass(frozen=True)
class Section:
    """A notebook's inside: its title, (level, anchor, words) of its headings, and its HTML."""

    title: str
    headings: list[tuple[int, str, str]]
    html: str
    figures: int


def render(path: Path, prefix: str = "") -> Section:
    """Turn an executed notebook into HTML.

    Args:
        path: the executed .ipynb.
        prefix: put before every heading's anchor, so several notebooks can share one page.

    Returns:
        The page's inside. Widgets are left out (they need a kernel); markdown that code displayed is rendered with
        any HTML in it escaped, because its words may come from the data.
    """
    document = nbformat.read(path, as_version=4)
    figures = 0
    for cell in document.cells:
        if cell.cell_type == "code":
            cell.outputs = [kept for kept in map(_output, cell.outputs) if kept]
            figures += sum("wb-figure" in (each.get("data") or {}).get("text/html", "") for each in cell.outputs)
    headings = _headings(document, prefix)
    html = _with_anchors(_exporter().from_notebook_node(document)[0], headings)
    title = next((words for level, _, words in headings if level == 1), path.stem)
    return Section(title, headings, html, figures)


def figure_box(figure: dict) -> str:
    """Write a plotly figure as data that figures.js draws."""
    words = json.dumps({name: figure.get(name) for name in ("data", "layout", "frames")}, separators=(",", ":"))
    height = int((figure.get("layout") or {}).get("height") or 420)
    safe = words.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return (
        f'<div class="wb-figure" style="min-height:{height}px"><div style="height:{height}px"></div>'
        f'<script type="application/json">{safe}</script></div>'
    )


def _exporter():
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(raw_template=FOLDED)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    return exporter


def _output(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    if output.output_type == "stream":
        return None if output.name == "stderr" and _is_progress(output.text) else output
    data = output.get("data")
    if data is None:
        return output
    if PLOTLY in data:
        output.data = nbformat.NotebookNode({"text/html": figure_box(data[PLOTLY])})
    elif WIDGET in data:
        return None
    elif "text/markdown" in data:
        output.data = nbformat.NotebookNode({"text/html": _markdown(data["text/markdown"])})
    else:
        for mime in ("application/javascript", "application/vnd.jupyter.widget-state+json"):
            data.pop(mime, None)
    return output


def _markdown(words: str) -> str:
    import mistune

    return str(mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])(words))


def _is_progress(words: str) -> bool:
    """Tell a progress bar's leftovers from a warning somebody should read."""
    return all(not line.strip() or re.search(r"\d+%\||it/s|s/it|\?it", line) for line in re.split(r"[\r\n]", words))


def _headings(document: nbformat.NotebookNode, prefix: str) -> list[tuple[int, str, str]]:
    found, seen = [], {}
    for cell in document.cells:
        if cell.cell_type != "markdown":
            continue
        for line in re.sub(r"```.*?```", "", cell.source, flags=re.S).splitlines():
            match = re.match(r"(#{1,3})\s+(.*)", line)
            if match:
                words = re.sub(r"[`*_]", "", match[2]).strip()
                anchor = prefix + (re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part")
                seen[anchor] = seen.get(anchor, 0) + 1
                found.append((len(match[1]), anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor]}", words))
    return found


def _with_anchors(html: str, headings: list[tuple[int, str, str]]) -> str:
    """Give the headings of the rendered page our anchors, in order; nbconvert's own may clash across notebooks."""
    waiting = iter(headings)

    def opened(match: re.Match) -> str:
        following = next(waiting, None)
        return f'<h{match[1]} id="{escape(following[1])}">' if following else match[0]

    return re.sub(r"<h([1-3])(?: id=\"[^\"]*\")[^>]*>", opened, html)
