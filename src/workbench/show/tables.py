"""Frames as tables for notebooks and reports: escaped, captioned, never a wall of rows."""

from dataclasses import dataclass
from html import escape

import pandas as pd

# The class stands twice where JupyterLab, which aligns every cell right, has to be outweighed.
STYLE = (
    "<style>.wb-table{overflow-x:auto;margin:.4em 0 1em}.wb-table table{border-collapse:collapse;font-size:.92em}"
    ".wb-table .wb-caption{font-weight:600;margin:.2em 0}.wb-table th{white-space:nowrap}"
    ".wb-table th,.wb-table td{padding:.25em .7em;vertical-align:top;max-width:34em;"
    "overflow-wrap:anywhere;border-bottom:1px solid #d1d5db}.wb-table td.n,.wb-table th.n{"
    "font-variant-numeric:tabular-nums}.wb-table td{overflow-wrap:normal;min-width:2em}"
    ".wb-table td.w{overflow-wrap:anywhere;min-width:14em}"
    ".wb-table th.n{white-space:normal;overflow-wrap:normal}"
    ".wb-table.wb-table th,.wb-table.wb-table td{text-align:left}"
    ".wb-table.wb-table th.n,.wb-table.wb-table td.n{text-align:right}"
    ".wb-more{color:#6b7280;font-size:.88em}</style>"
)
WORDY = 40  # characters from which a cell keeps a readable width on a narrow screen
PLAIN = "tex2jax_ignore mathjax_ignore"  # classes that keep JupyterLab from reading $A … $B in data as formulas
WIDEST = 240  # characters of one cell; the rest is cut with an ellipsis


@dataclass(frozen=True)
class Table:
    """A frame that shows itself as escaped HTML, or as text where there is no browser."""

    frame: pd.DataFrame
    caption: str = ""
    rows: int = 25

    def _repr_html_(self) -> str:
        shown = self.frame.head(self.rows)
        right = [pd.api.types.is_numeric_dtype(dtype) for dtype in shown.dtypes]
        head = "".join(_cell("th", str(name), number) for name, number in zip(shown.columns, right, strict=True))
        body = "".join(
            "<tr>" + "".join(_cell("td", text(v), n) for v, n in zip(row, right, strict=True)) + "</tr>"
            for row in shown.itertuples(index=False, name=None)
        )
        caption = f'<p class="wb-caption">{escape(self.caption)}</p>' if self.caption else ""
        rest = len(self.frame) - len(shown)
        more = f'<p class="wb-more">{rest:,} more rows are not shown.</p>' if rest > 0 else ""
        if self.frame.empty:
            more = '<p class="wb-more">No rows.</p>'
        return (
            f'{STYLE}<div class="wb-table {PLAIN}">{caption}<table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{more}</div>"
        )

    def __repr__(self) -> str:
        lines = [self.caption] if self.caption else []
        return "\n".join([*lines, self.frame.head(self.rows).to_string(index=False)])


def show_table(frame: pd.DataFrame, caption: str = "", rows: int = 25) -> Table:
    """Show the first rows of a frame with every text escaped.

    Args:
        frame: any columns; its index is not shown.
        caption: one line above the table.
        rows: how many rows at most; the number left out is said below the table.
    """
    return Table(frame.copy(), caption, rows)


def text(value: object) -> str:
    """Write one value for a reader: thousands grouped, floats to four significant digits, missing as a dash."""
    if isinstance(value, list | tuple | set | frozenset):
        return shorten(", ".join(text(each) for each in value))
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if pd.api.types.is_integer(value):
        return f"{value:,}" if 10_000 <= abs(value) < 100_000_000 else str(value)  # shorter: a year; longer: a time
    if pd.api.types.is_float(value):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return shorten(str(value))


def shorten(words: str, length: int = WIDEST) -> str:
    """Cut a text that is longer than `length` characters and mark the cut."""
    return words if len(words) <= length else words[: length - 1] + "…"


def _cell(tag: str, words: str, number: bool) -> str:
    kind = ' class="n"' if number else ' class="w"' if tag == "td" and len(words) > WORDY else ""
    return f"<{tag}{kind}>{escape(words)}</{tag}>"
