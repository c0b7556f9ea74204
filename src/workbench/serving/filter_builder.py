"""From the grammar's tree to the filter's: conditions and what joins them, spelled canonically."""

from lark import Token
from lark.visitors import Transformer_NonRecursive

from workbench.serving import filter_tree as tree
from workbench.serving.filter_literals import CURRENT_ITEM, Literals

OTHER_SPELLINGS = {"<>": "!=", "≠": "!=", "==": "=", "=<": "<=", "≤": "<=", "=>": ">=", "≥": ">="}
ALONE = (tree.Star, tree.Placeholder, tree.CurrentItem)  # no other value stands beside these


class Group(tuple):
    """A node that stood in brackets: (node,)."""


class Listed(tuple):
    """A list in brackets: (its items, the closing bracket)."""


class Builder(Transformer_NonRecursive):
    """Builds one filter's expressions; each method is called for the rule of its name, inner rules first.

    Args:
        text: the whole filter, for errors.
        targets: written spellings of ItemID, UserID and ActionID, in small letters, to the canonical ones.
    """

    def __init__(self, text: str, targets: dict[str, str]):
        super().__init__(visit_tokens=False)
        self.targets, self.literals = targets, Literals(text)

    def start(self, parts: list) -> tuple[tree.Expression, ...]:
        """Drop the | between the expressions."""
        return tuple(part for part in parts if not isinstance(part, Token))

    def expression(self, parts: list) -> tree.Expression:
        """Action, target, WHERE, node, and perhaps IF with its conditions."""
        action, target, _, where, *when = parts
        conditions = tuple(part for part in when if not isinstance(part, Token))
        return tree.Expression(action.upper(), self.targets[target.lower()], bare(where), conditions)

    def either(self, parts: list) -> tree.Or:
        """Alternatives; an AND among them without brackets earns a notice."""
        nodes = [part for part in parts if not isinstance(part, Token)]
        if any(isinstance(node, tree.And) for node in nodes):
            self.literals.note(
                "AND and OR are mixed without brackets: AND is taken first, so that A OR B AND C means A OR (B AND C). "
                "Personalize does not document which it takes first."
            )
        return tree.Or(tuple(map(bare, nodes)))

    def both(self, parts: list) -> tree.And:
        """Conditions that must hold together."""
        return tree.And(tuple(bare(part) for part in parts if not isinstance(part, Token)))

    def negation(self, parts: list) -> tree.Not:
        """NOT before a condition or a bracket."""
        return tree.Not(bare(parts[1]))

    def group(self, parts: list) -> Group:
        """A bracket, kept until what stands around it is known."""
        return Group((bare(parts[1]),))

    def operator(self, parts: list[Token]) -> str:
        """The operator in its canonical spelling."""
        written = " ".join(parts).upper()
        read = OTHER_SPELLINGS.get(written, written)
        if read != written:
            self.literals.note(f"{written} read as {read}.")
        return read

    def listing(self, parts: list) -> Listed:
        """What stands between brackets, with the closing one."""
        items = [part for part in parts if isinstance(part, tuple) or part.type not in ("LPAR", "COMMA", "RPAR")]
        return Listed((items, parts[-1]))

    def now(self, parts: list[Token]) -> tuple[tree.Now, Token, Token]:
        """NOW() with its durations."""
        return self.literals.now(parts)

    def condition(self, parts: list) -> tree.Condition:
        """A field, an operator and what it is compared with."""
        written, operator, operand = parts
        field = self.literals.field(written)
        if field.dataset == CURRENT_ITEM:
            column = field.column
            raise self.literals.wrong(
                f"{written} stands left of {operator}, where the column that is tested belongs.",
                written,
                advice=f"Turn it round: Items.{column} {operator} CurrentItem.{column}.",
            )
        if isinstance(operand, Listed):
            items, last = operand
        else:
            items, last = [operand], operand[2] if isinstance(operand, tuple) else operand
        values = [value for item in items for value in self.literals.operands(item, field, operator)]
        self.require_fitting(operator, values, (written, last), isinstance(operand, Listed))
        return tree.Condition(field, operator, tuple(values), (written.start_pos, last.start_pos + len(last)))

    def require_fitting(
        self, operator: str, values: list[tree.Operand], ends: tuple[Token, Token], listed: bool
    ) -> None:
        """Refuse numbers and kinds of values that an operator does not take."""
        if not values:
            raise self.literals.wrong(
                "the list is empty.", *ends, f'Write at least one value between the brackets: {operator} ("value").'
            )
        if operator in tree.IN_OPERATORS:
            self.require_list(operator, values, ends, listed)
        else:
            self.require_one(operator, values, ends, listed)

    def require_list(self, operator: str, values: list[tree.Operand], ends: tuple[Token, Token], listed: bool) -> None:
        """IN takes texts, numbers and booleans, or one parameter, * or column of the current item."""
        if any(isinstance(each, tree.Now) for each in values):
            advice = "Compare it: for example >= NOW() - 30d."
            raise self.literals.wrong(f"{operator} looks for exact values, and NOW() is never one.", *ends, advice)
        alone = next((each for each in values if isinstance(each, ALONE)), None)
        if alone is not None and len(values) > 1:
            raise self.literals.wrong(
                f"{alone} stands in a list with other values.",
                *ends,
                f"Put it alone: {operator} {f'({alone})' if not isinstance(alone, tree.CurrentItem) else alone}; "
                "join several conditions with OR.",
            )
        if listed == isinstance(alone, tree.CurrentItem):
            self.literals.note(f"{values[0]} after {operator} read {'without' if listed else 'in'} brackets.")

    def require_one(self, operator: str, values: list[tree.Operand], ends: tuple[Token, Token], listed: bool) -> None:
        """Comparisons take one value that is no *; LIKE and CONTAINS one text or parameter."""
        if len(values) > 1:
            several = {"=": "IN", "!=": "NOT IN"}.get(operator)
            advice = f"For several values write {several} (…)." if several else "Write one condition for each value."
            if all(isinstance(each, tree.Number) for each in values) and not listed:
                advice += f" A number has no commas: {''.join(map(str, values))}."
            raise self.literals.wrong(f"{operator} takes one value, not {len(values):,}.", *ends, advice)
        value = values[0]
        if isinstance(value, tree.Star):
            raise self.literals.wrong(f"* does not go with {operator}.", *ends, "Any event type is EVENT_TYPE IN (*).")
        if operator in tree.TEXT_OPERATORS and not isinstance(value, tree.Text | tree.Placeholder):
            raise self.literals.wrong(
                f"{operator} takes a text or a parameter, not {value}.",
                *ends,
                f'Write it in quotes: {operator} "{value}".',
            )
        if listed and not isinstance(value, tree.Placeholder):
            self.literals.note(f"{value} after {operator} read without brackets.")


def bare(node: tree.Node | Group) -> tree.Node:
    """A node without the brackets it stood in."""
    return node[0] if isinstance(node, Group) else node
