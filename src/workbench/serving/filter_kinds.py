"""What the columns hold that a filter asks about, and which operators and values go with it."""

from collections.abc import Collection, Mapping

from workbench.columns import ACTION_ID, EVENT_TYPE, EVENT_VALUE, ITEM_ID, TIMESTAMP, USER_ID
from workbench.serving import filter_tree as tree
from workbench.serving.filter_literals import CURRENT_ITEM
from workbench.serving.filter_rules import EVENTS
from workbench.serving.filter_values import number_of
from workbench.serving.tables import AnyColumn, EntityTable, NumberColumn

NUMBER, BOOLEAN, CATEGORY, PROSE, ID, UNKNOWN = "number", "boolean", "category", "prose", "id", "unknown"
HOLDS = {NUMBER: "numbers", BOOLEAN: "true or false", CATEGORY: "categories", PROSE: "long text", ID: "ids"}
TEXTS = (CATEGORY, PROSE, ID)
ORDERED = ("<", "<=", ">", ">=")
TABLES = {tree.CURRENT_USER: tree.USERS, CURRENT_ITEM: tree.ITEMS}  # whose columns a name stands for
IDS = {
    tree.ITEMS: (ITEM_ID,),
    tree.USERS: (USER_ID,),
    tree.ACTIONS: (ACTION_ID,),
    tree.INTERACTIONS: (ITEM_ID, USER_ID),
    tree.ACTION_INTERACTIONS: (ACTION_ID, USER_ID),
}
OF_EVENTS = {EVENT_TYPE: CATEGORY, TIMESTAMP: NUMBER, EVENT_VALUE: NUMBER}
Fault = tuple[str, str] | None  # what is wrong and what to write; None when nothing is


class Columns:
    """The columns of all datasets.

    Args:
        tables: "Items", "Users", "Actions" to their tables; None or absent where there is no such dataset.
        event_columns: the columns of events; a mapping may say what each holds, "number", "boolean", "category" or
            "prose".
    """

    def __init__(self, tables: Mapping[str, EntityTable | None], event_columns: Collection[str]):
        given = event_columns if isinstance(event_columns, Mapping) else {}
        self.tables = tables
        self.of_events = {name: given.get(name) or OF_EVENTS.get(name, UNKNOWN) for name in (*event_columns, TIMESTAMP)}

    def names(self, dataset: str) -> list[str] | None:
        """The columns that can be asked about, None when there is no such dataset."""
        source = TABLES.get(dataset, dataset)
        if source in EVENTS:
            return [*self.of_events, *(each for each in IDS[source] if each not in self.of_events)]
        table = self.tables.get(source)
        return None if table is None else [*IDS[source], *table.columns]

    def column(self, dataset: str, name: str) -> AnyColumn | None:
        """A column of items, users or actions; None for ids and for columns of events."""
        table = self.tables.get(TABLES.get(dataset, dataset))
        return None if table is None else table.columns.get(name)

    def kind(self, dataset: str, name: str) -> str:
        """What a column holds."""
        source = TABLES.get(dataset, dataset)
        if name in IDS[source]:
            return ID
        if source in EVENTS:
            return self.of_events[name]
        column = self.column(dataset, name)
        if isinstance(column, NumberColumn):
            return BOOLEAN if column.boolean else NUMBER
        return PROSE if column.textual else CATEGORY


def operator_fault(condition: tree.Condition, kind: str) -> Fault:
    """Why an operator does not go with what a column holds."""
    field, operator = condition.field, condition.operator
    if kind == PROSE and operator not in tree.TEXT_OPERATORS:
        return (
            f"{field} holds long text, which {operator} cannot compare.",
            f'Look for words in it: {field} CONTAINS "word"; or store it as a category.',
        )
    if operator in tree.TEXT_OPERATORS and kind in (NUMBER, BOOLEAN):
        return f"{field} holds {HOLDS[kind]}, and {operator} looks into text.", "Compare with =, !=, <, > or IN."
    if operator in ORDERED and kind in (*TEXTS, BOOLEAN):
        return (
            f"{field} holds {HOLDS[kind]}, which have no order for {operator}.",
            "Use = or IN" + (", or store the column as numbers." if kind == CATEGORY else "."),
        )
    return None


def value_fault(condition: tree.Condition, kind: str, value: tree.Operand) -> Fault:
    """Why a value cannot be compared with what a column holds."""
    field = condition.field
    if kind in TEXTS and isinstance(value, tree.Number):
        return f"{field} holds {HOLDS[kind]}, and {value} is a number.", f'As text it is written "{value}".'
    if kind in (*TEXTS, BOOLEAN) and isinstance(value, tree.Now):
        return f"{field} holds {HOLDS[kind]}, and NOW() is a time.", "Times are compared with columns of epoch seconds."
    if kind == NUMBER and isinstance(value, tree.Boolean):
        return f"{field} holds numbers, and {value} is none.", "Write 1 or 0."
    if kind == NUMBER and isinstance(value, tree.Text) and number_of(value.value) is None:
        return f"{field} holds numbers, and {str(value)[:60]} is none.", "Write a number, without quotes."
    if kind == BOOLEAN and isinstance(value, tree.Text) and number_of(value.value, boolean=True) not in (0.0, 1.0):
        return f"{field} holds true or false, and {str(value)[:60]} is neither.", "Write TRUE or FALSE."
    if kind == BOOLEAN and isinstance(value, tree.Number) and value.value not in (0.0, 1.0):
        return f"{field} holds true or false, and {value} is neither.", "Write TRUE or FALSE."
    return None


def clash(field: tree.Field, kind: str, value: tree.CurrentItem, other: str) -> Fault:
    """Why a column cannot be compared with one of the current item."""
    sides = {NUMBER: 0, BOOLEAN: 1, CATEGORY: 2, ID: 2, PROSE: 3}
    if UNKNOWN in (kind, other) or sides[kind] == sides[other]:
        return None
    return (
        f"{field} holds {HOLDS[kind]} and {value} {HOLDS[other]}.",
        "Compare columns that hold the same kind of value.",
    )
