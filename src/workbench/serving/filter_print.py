"""A filter laid out: what was understood, part by part, and which parts only exist here."""

from dataclasses import asdict, dataclass

from workbench.serving import filter_tree as tree
from workbench.serving.filter_portable import extensions

SHOWN_BY_TEXT = ("expression", "condition")  # parts whose text says what they are


@dataclass(frozen=True)
class Line:
    """One part of a filter.

    Attributes:
        depth: how far it stands inside others, 0 for an expression.
        part: "expression", "all of", "any of", "not", "condition" or "if".
        text: its canonical spelling; "" for what only joins the lines below it.
        extension: what Amazon Personalize does not have; "" when it has all of it.
    """

    depth: int
    part: str
    text: str
    extension: str = ""

    def __str__(self) -> str:
        said = " ".join(each for each in ("" if self.part in SHOWN_BY_TEXT else self.part, self.text) if each)
        return f"{'    ' * self.depth}{said}{f'    [{self.extension}]' if self.extension else ''}"


def outline(filter: tree.Filter) -> tuple[Line, ...]:
    """Lay a filter out as lines, each part below what it belongs to.

    `"\\n".join(map(str, outline(filter)))` shows it indented; `records` gives rows for a table.
    """
    lines = []
    for expression in filter.expressions:
        lines.append(Line(0, "expression", f"{expression.action} {expression.target}"))
        lines += nodes(expression.where)
        lines += [Line(1, "if", str(each), marked(each)) for each in expression.when]
    return tuple(lines)


def records(filter: tree.Filter) -> list[dict[str, str | int]]:
    """The lines as rows: DEPTH, PART, TEXT, EXTENSION."""
    return [{name.upper(): value for name, value in asdict(line).items()} for line in outline(filter)]


def nodes(node: tree.Node) -> list[Line]:
    """The lines of an expression's conditions."""
    lines, waiting = [], [(node, 1, False)]
    while waiting:
        part, depth, bracketed = waiting.pop()
        brackets = "brackets" if bracketed else ""
        if isinstance(part, tree.Condition):
            lines.append(Line(depth, "condition", str(part), marked(part)))
        elif isinstance(part, tree.Not):
            lines.append(Line(depth, "not", "", "NOT"))
            waiting.append((part.part, depth + 1, isinstance(part.part, tree.And | tree.Or)))
        else:
            both = isinstance(part, tree.And)
            inner = (tree.And, tree.Or) if both else (tree.Or,)
            lines.append(Line(depth, "all of" if both else "any of", "", brackets))
            waiting += [(each, depth + 1, isinstance(each, inner)) for each in reversed(part.parts)]
    return lines


def marked(condition: tree.Condition) -> str:
    """What a condition has that Personalize has not."""
    return "; ".join(extensions(condition))
