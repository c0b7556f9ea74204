"""The step that cleans text as Personalize does."""

import ibis.expr.types as ir

from workbench.data.steps.functions import unescape
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, differ, need, texts
from workbench.errors import FlowError

LONGEST = 20_000  # characters; Personalize truncates longer text
TAG = r"<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?</(script|style)\s*>|</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>"


@step(
    "clean_text",
    "Removes HTML tags, turns entities into characters, joins runs of white space, cuts what is too long.",
    [
        Option("columns", (list,), "Text columns."),
        Option("longest", (int,), "Characters that stay.", LONGEST),
        Option("tags", (bool,), "Remove tags and comments, scripts and styles with what is in them.", True),
        Option("entities", (bool,), "Turn entities such as `&amp;` into characters.", True),
        Option("whitespace", (bool,), "Make every run of spaces, tabs and line breaks one space.", True),
    ],
    {"columns": ["PRODUCT_DESCRIPTION"]},
    keeps_rows=True,
    heavy=True,
)
def clean_text(
    work: Work, table: ir.Table, *, columns: list[str], longest: int, tags: bool, entities: bool, whitespace: bool
) -> Outcome:
    """Clean text; what is empty afterwards becomes null. The record counts changed and cut texts."""
    need(table, *texts(columns, "option 'columns'"))
    if longest < 1:
        raise FlowError(f"option 'longest' must be at least 1, got {longest}.")
    new, cut = {}, {}
    for name in columns:
        if not table[name].type().is_string():
            raise FlowError(f"column {name!r} holds {table[name].type()} values, not text.")
        text = table[name]
        if tags:
            text = text.re_replace(f"(?i){TAG}", " ")
        if entities:
            text = text.contains("&").ifelse(unescape(text), text)
        if whitespace:
            text = text.re_replace(r"[\s\x{00A0}\x{2028}\x{2029}]+", " ").strip()
        cut[name] = text.length() > longest
        new[name] = text.left(longest).nullif("")
    counts = work.numbers(
        table,
        **{f"changed{i}": differ(new[name], table[name]) for i, name in enumerate(columns)},
        **{f"cut{i}": cut[name].sum() for i, name in enumerate(columns)},
    )
    changed = sum(counts[f"changed{i}"] for i in range(len(columns)))
    shortened = sum(counts[f"cut{i}"] for i in range(len(columns)))
    return Outcome(
        table.mutate(**new), changed, f"{shortened:,} texts cut at {longest:,} characters" if shortened else ""
    )
