"""The right-hand sides of conditions: texts, numbers, parameters, times, the current item."""

import math
import re

from lark import Token

from workbench.errors import meant
from workbench.serving import filter_tree as tree
from workbench.serving.filter_errors import FilterTextError, quoted

MOST_VALUES = 10_000  # texts and numbers in one filter: more would take too long to read
LONGEST_NUMBER = 400  # characters
MOST_SECONDS = 10_000 * tree.WEEK  # the furthest that NOW() goes back or ahead
CURRENT_ITEM = "CurrentItem"
DATASETS = {name.lower(): name for name in (*tree.DATASETS, tree.CURRENT_USER, CURRENT_ITEM)}
VALUE = re.compile(r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|[^\s,]+""", re.S)
ESCAPED = re.compile(r"""\\([\\"'])""")
DURATION = re.compile(r"([+-]?)\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z])", re.I)


class Literals:
    """Reads fields and values of one filter.

    Args:
        text: the whole filter, for errors.

    Attributes:
        notices: what was read otherwise than written, each once.
        count: texts and numbers read so far.
    """

    def __init__(self, text: str):
        self.text, self.notices, self.count = text, [], 0

    def note(self, notice: str) -> None:
        """Keep a notice once."""
        if notice not in self.notices:
            self.notices.append(notice)

    def wrong(self, problem: str, first: Token, last: Token | None = None, advice: str = "") -> FilterTextError:
        """The error for what stands from one token to another."""
        last = first if last is None else last
        return FilterTextError(problem, self.text, first.start_pos, last.start_pos + len(last), advice)

    def field(self, token: Token) -> tree.Field:
        """A field of a dataset that exists, in its canonical spelling; CurrentItem counts as a dataset here."""
        dataset, column = (part.strip() for part in token.split("."))
        known = DATASETS.get(dataset.lower()) if dataset.isascii() else None
        if known is None:
            place = Token("WORD", dataset, start_pos=token.start_pos)
            advice = f"{meant(dataset[:60], DATASETS.values())} There are {', '.join(DATASETS.values())}."
            raise self.wrong(f"there is no dataset {quoted(dataset)}.", place, advice=advice.strip())
        if known != dataset:
            self.note(f"{dataset} read as {known}.")
        return tree.Field(known, column)

    def operands(self, item: Token | tuple, field: tree.Field, operator: str) -> list[tree.Operand]:
        """What stands between two commas, or alone; a token of texts and numbers gives all of them."""
        if isinstance(item, tuple):
            return [item[0]]
        if item.type == "PLACEHOLDER":
            return [tree.Placeholder(item[1:])]
        if item.type == "STAR":
            return [tree.Star()]
        if item.type == "BOOLEAN":
            return [tree.Boolean(item.upper() == "TRUE")]
        if item.type == "FIELD":
            return [self.current_item(item, field, operator)]
        if item.type == "WORD":
            raise self.wrong(f"the text {quoted(item)} is not in quotes.", item, advice=f'Write "{item}".')
        return self.literals(item, field, operator)

    def current_item(self, token: Token, field: tree.Field, operator: str) -> tree.CurrentItem:
        """A field as a value: only the current item has any."""
        value = self.field(token)
        if value.dataset == CURRENT_ITEM:
            return tree.CurrentItem(value.column)
        raise self.wrong(
            f"{token} is a column, and a column cannot be compared with another column.",
            token,
            advice=f"Compare with a value, with a parameter ({operator} $NAME) or, for related items, with "
            f"CurrentItem.{value.column}; or add a column that says how {field.column} and {value.column} compare.",
        )

    def literals(self, token: Token, field: tree.Field, operator: str) -> list[tree.Operand]:
        """The texts and numbers of one token."""
        written = VALUE.findall(token)
        self.count += len(written)
        if self.count > MOST_VALUES:
            raise self.wrong(
                f"more than {MOST_VALUES:,} values.",
                token,
                advice="Put what the list says into a column of the dataset and test that column.",
            )
        values = [unquoted(each) if each[0] in "\"'" else self.number(each, token) for each in written]
        if any(each[0] == "'" for each in written):
            self.note("Single quotes read as double quotes.")
        if operator in tree.IN_OPERATORS:
            if values == [tree.Text("*")] and field.column.upper() == "EVENT_TYPE":
                self.note('"*" read as *: any event type.')
                return [tree.Star()]
            self.note_commas(values)
        return values

    def note_commas(self, values: list[tree.Operand]) -> None:
        """Say that "click, rating" is one value: a slip that Personalize's own documentation makes."""
        joined = next((each for each in values if isinstance(each, tree.Text) and "," in each.value), None)
        if joined is not None and len(joined.value) <= 200:
            parts = [str(tree.Text(part.strip())) for part in joined.value.split(",") if part.strip()]
            self.note(f"{joined} is one text with a comma in it; several values are written {', '.join(parts)}.")

    def number(self, written: str, token: Token) -> tree.Number:
        """A number that is not beyond what a column can hold."""
        value = float(written) if len(written) <= LONGEST_NUMBER else math.inf
        if math.isinf(value):
            raise self.wrong(f"the number {quoted(written)} is too large.", token, advice="Write one below 1e308.")
        return tree.Number(value, written)

    def now(self, parts: list[Token]) -> tuple[tree.Now, Token, Token]:
        """NOW() moved by durations, with its first and last token; one without a sign goes on as the one before."""
        durations = [part for part in parts if part.type == "DURATION"]
        if parts[0].type != "NOW":
            advice = f"Count from the time of the request: NOW() - {durations[0].strip(' +-')}."
            raise self.wrong(
                f"{quoted(parts[0].strip())} is a length of time, not a time.", parts[0], parts[-1], advice
            )
        if len(parts) == len(durations) + 1:
            self.note(f"{parts[0]} read as NOW().")
        offset, sign = 0.0, ""
        for part in durations:
            given, count, unit = DURATION.match(part).groups()
            sign = given or sign
            if not sign:
                raise self.wrong("+ or - is missing before the duration.", part, advice=f"Write - {part.strip()}.")
            offset += (-1 if sign == "-" else 1) * float(count) * tree.UNITS[unit.lower()]
        if abs(offset) > MOST_SECONDS or offset != int(offset):
            raise self.wrong(
                f"NOW() cannot be moved by {quoted(' '.join(part.strip() for part in durations))}.",
                durations[0],
                durations[-1],
                f"Move it by whole seconds, by {MOST_SECONDS // tree.WEEK:,}w at most.",
            )
        return tree.Now(int(offset)), parts[0], parts[-1]


def unquoted(written: str) -> tree.Text:
    """A text without its quotes; a backslash before a quote or a backslash only says that this is meant."""
    inner = written[1:-1]
    return tree.Text(ESCAPED.sub(lambda found: found[1], inner) if "\\" in inner else inner)
