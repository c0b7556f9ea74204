"""Executed notebooks become a report a colleague opens offline: index page, one page a notebook, or one file."""

import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.records import write_text
from workbench.show.notebook_page import Section, render
from workbench.show.tables import text

PLOTLY_FILE = "assets/plotly.min.js"


def write(folder: Path, *, single_file: bool = False) -> Path:
    """Write a run's report from its results.json and executed notebooks.

    Args:
        folder: a run's folder, holding results.json and <notebook>.ipynb files.
        single_file: also write report.html, one page with everything inside.

    Returns:
        The path of index.html. A notebook that failed or did not run is said, never missing.
    """
    run = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    sections = {
        each["name"]: render(folder / f"{each['name']}.ipynb")
        for each in run["notebooks"]
        if (folder / f"{each['name']}.ipynb").is_file() and each["status"] != "not run"
    }
    if any(section.figures for section in sections.values()):
        write_text(folder / PLOTLY_FILE, _plotly())
    links = {name: f"{name}.html" for name in sections}
    for position, entry in enumerate(run["notebooks"]):
        if entry["name"] in sections:
            page = _notebook_page(run, position, sections[entry["name"]])
            write_text(folder / f"{entry['name']}.html", _relinked(page, run, links))
    write_text(folder / "index.html", _page(run["title"], _index(run, links), "", plotly="", wide=True))
    if single_file:
        write_text(folder / "report.html", _single(folder, run, list(sections)))
    return folder / "index.html"


def redirect(target: str) -> str:
    """Write a page that only leads to another one, for systems without links."""
    safe = escape(target)
    refresh = f'<meta http-equiv="refresh" content="0;url={safe}">'
    return f'<!doctype html><meta charset="utf-8">{refresh}<a href="{safe}">Report</a>'


def _relinked(page: str, run: dict[str, Any], links: dict[str, str]) -> str:
    """Lead links between notebooks to their pages here; a notebook or guide outside the report keeps only its words."""
    named = {each["name"]: each["results"].get("notebook", each["name"]) for each in run["notebooks"]}
    targets = {named[name]: link for name, link in reversed(links.items())}  # of several runs of one, the first

    def led(match: re.Match) -> str:
        target = targets.get(match[1].removesuffix(".ipynb"))
        return f'<a href="{target}">{match[2]}</a>' if target else match[2]

    return re.sub(r'<a href="([^":#]+\.(?:ipynb|md))">(.*?)</a>', led, page, flags=re.S)


def _notebook_page(run: dict[str, Any], position: int, section: Section) -> str:
    entries = run["notebooks"]
    entry = entries[position]
    around = ['<a href="index.html">All of the report</a>']
    if position:
        before = entries[position - 1]
        around.append(f'<a href="{before["name"]}.html">← {escape(before["title"])}</a>')
    if position + 1 < len(entries) and entries[position + 1]["status"] != "not run":
        after = entries[position + 1]
        around.append(f'<a href="{after["name"]}.html">{escape(after["title"])} →</a>')
    links = "".join(around)
    body = f"<main>{_failure(entry)}{section.html}{_footer(run, entry)}</main>"
    plotly = f'<script src="{PLOTLY_FILE}"></script>' if section.figures else ""
    return _page(section.title, _toc(section) + body, f'<header class="top">{links}</header>', plotly=plotly)


def _single(folder: Path, run: dict[str, Any], names: list[str]) -> str:
    sections = {name: render(folder / f"{name}.ipynb", prefix=f"{name}-") for name in names}
    links = {name: f"#{name}" for name in names}
    index = _index(run, links)
    entries = {each["name"]: each for each in run["notebooks"]}
    body = "".join(
        f'<section class="notebook" id="{name}">{_failure(entries[name])}{_relinked(section.html, run, links)}'
        "</section>"
        for name, section in sections.items()
    )
    figures = any(section.figures for section in sections.values())
    return _page(run["title"], index + body, "", plotly=f"<script>{_plotly()}</script>" if figures else "", wide=True)


def _index(run: dict[str, Any], links: dict[str, str]) -> str:
    about = f"<p>{escape(run['about'])}</p>" if run["about"] else ""
    failed = f'<p class="failure">This run failed. {escape(run["why"])}</p>' if run["why"] else ""
    count = sum(each["status"] == "completed" for each in run["notebooks"])
    facts = (
        f"<p class='soft'>{count} of {len(run['notebooks'])} notebooks completed in {duration(run['seconds'])} · "
        f"started {escape(run['started'])} · sheet <code>{escape(run['sheet'])}</code></p>"
    )
    rows = "".join(_index_row(entry, links.get(entry["name"])) for entry in run["notebooks"])
    table = (
        "<h2>What ran</h2><div class='scroll'><table><thead><tr><th>Notebook</th><th>State</th><th class='n'>Time</th>"
        f"<th>Data</th><th>Parameters set for this run</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
    versions = ", ".join(f"{escape(name)} {escape(number)}" for name, number in run["versions"].items())
    footer = f"<footer>Made with {versions}. Numbers for programs: <code>results.json</code>.</footer>"
    return f"<main><h1>{escape(run['title'])}</h1>{about}{failed}{facts}{_headlines(run, links)}{table}{footer}</main>"


def _headlines(run: dict[str, Any], links: dict[str, str]) -> str:
    parts = []
    for entry in run["notebooks"]:
        headline = entry["results"].get("headline") or []
        cards = "".join(_card(each) for each in headline)
        if cards:
            link = links.get(entry["name"])
            title = escape(entry["title"])
            parts.append(f"<h3>{f'<a href={json.dumps(link)}>{title}</a>' if link else title}</h3>")
            parts.append(f'<div class="cards">{cards}</div>')
    return "<h2>Headlines</h2>" + "".join(parts) if parts else ""


def _card(item: dict[str, Any]) -> str:
    unit = f" {escape(str(item['unit']))}" if item.get("unit") else ""
    interval = ""
    if item.get("low") is not None and item.get("high") is not None:
        level = f"{100 * item.get('level', 0.95):g}"
        interval = f"<span>{level} % interval {text(item['low'])} to {text(item['high'])}</span>"
    note = f"<span>{escape(str(item['note']))}</span>" if item.get("note") else ""
    value = item.get("value")
    value = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(text(value))
    return f'<div class="card"><span>{escape(str(item["name"]))}</span><b>{value}{unit}</b>{interval}{note}</div>'


def _index_row(entry: dict[str, Any], link: str | None) -> str:
    title = escape(entry["title"])
    name = f'<a href="{link}">{title}</a>' if link else title
    state = entry["status"].replace(" ", "-")
    changed = ", ".join(f"{escape(name)} = {escape(text(value))}" for name, value in entry["parameters"].items())
    used = entry["results"].get("parameters") or entry["parameters"]
    data = escape(text(used.get("source") or used.get("group") or "–"))
    hashed = escape(str(entry["results"].get("data_hash", ""))[:12])
    return (
        f"<tr><td>{name}<br><code>{escape(entry['name'])}</code></td>"
        f'<td class="status-{state}">{escape(entry["status"])}</td>'
        f"<td class='n'>{duration(entry['seconds'])}</td><td>{data}<br><code>{hashed}</code></td>"
        f"<td>{changed or '–'}</td></tr>"
    )


def _failure(entry: dict[str, Any]) -> str:
    return f'<p class="failure">This notebook failed: {escape(entry["error"])}</p>' if entry["error"] else ""


def _footer(run: dict[str, Any], entry: dict[str, Any]) -> str:
    found = entry["results"]
    used = found.get("parameters") or entry["parameters"]
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(text(value))}</td></tr>" for name, value in used.items())
    table = f"<details><summary>Parameters of this run</summary><table>{rows}</table></details>" if rows else ""
    seed = f" · seed {escape(str(found['seed']))}" if found.get("seed") is not None else ""
    hashed = f" · data {escape(str(found['data_hash'])[:12])}" if found.get("data_hash") else ""
    return (
        f"<footer>{table}{escape(entry['name'])} · {duration(entry['seconds'])} · {escape(run['started'])}"
        f"{hashed}{seed}</footer>"
    )


def _toc(section: Section) -> str:
    items = "".join(
        f'<li class="h{level}"><a href="#{escape(anchor)}">{escape(words)}</a></li>'
        for level, anchor, words in section.headings
        if level > 1
    )
    return f'<nav class="toc"><details open><summary>Contents</summary><ol>{items}</ol></details></nav>'


def _page(title: str, body: str, top: str, *, plotly: str, wide: bool = False) -> str:
    css, script = (files("workbench.show").joinpath("page", name).read_text("utf-8") for name in ASSETS)
    draw = f"{plotly}<script>{script}</script>" if plotly else ""
    kind = "page wide" if wide else "page"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<link rel='icon' href='data:,'><title>{escape(title)}</title><style>{css}</style>{draw}</head>"
        f'<body>{top}<div class="{kind}">{body}</div></body></html>\n'
    )


ASSETS = ("report.css", "figures.js")


def duration(seconds: float) -> str:
    """Write a time span for a reader: "0.4 s", "48 s", "2 min 5 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()
