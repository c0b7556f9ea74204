"""What holds whatever the columns are: which datasets go together, and where * and CurrentUser may stand."""

from workbench.serving import filter_tree as tree
from workbench.serving.filter_errors import FilterTextError

ALLOWED = {  # what a filter of each target may ask about
    tree.ITEM_TARGET: (tree.ITEMS, tree.INTERACTIONS),
    tree.USER_TARGET: (tree.USERS, tree.INTERACTIONS),
    tree.ACTION_TARGET: (tree.ACTIONS, tree.ACTION_INTERACTIONS),
}
LISTED = {tree.ITEM_TARGET: "items", tree.USER_TARGET: "users", tree.ACTION_TARGET: "actions"}
EVENTS = (tree.INTERACTIONS, tree.ACTION_INTERACTIONS)
EVENT_TYPE = "EVENT_TYPE"


def require_rules(filter: tree.Filter) -> None:
    """Raise a FilterError for the first condition that no schema could make right."""
    for expression in filter.expressions:
        where = tree.conditions(expression.where)
        if expression.target != filter.expressions[0].target:
            raise at(
                filter,
                where[0],
                f"{expression.target} in a filter that began with {filter.expressions[0].target}.",
                "All expressions of a filter list the same kind of thing.",
            )
        for condition in where:
            require_place(filter, expression, condition, where[0].field.dataset)
            require_values(filter, condition)
        for condition in expression.when:
            if condition.field.dataset != tree.CURRENT_USER:
                raise at(
                    filter,
                    condition,
                    f"IF asks about the current user, not about {condition.field.dataset}.",
                    f"Move {condition.field} before IF, or write CurrentUser.{condition.field.column}.",
                )
            require_values(filter, condition)


def require_place(filter: tree.Filter, expression: tree.Expression, condition: tree.Condition, first: str) -> None:
    """One dataset in an expression, and one that its target can be tested by."""
    dataset = condition.field.dataset
    allowed = ALLOWED[expression.target]
    if dataset == tree.CURRENT_USER:
        raise at(
            filter,
            condition,
            "CurrentUser stands only after IF.",
            f"First say which {LISTED[expression.target]}, then for whom: "
            f'WHERE {allowed[0]}.COLUMN IN ("value") IF {condition}.',
        )
    if dataset not in allowed:
        advice = f"A filter of {expression.target} tests {' or '.join(allowed)}."
        if dataset == tree.USERS:
            advice += (
                f" For a condition on whoever gets the list, add IF CurrentUser.{condition.field.column} … at the end."
            )
        raise at(filter, condition, f"{dataset} says nothing about {LISTED[expression.target]}.", advice)
    if dataset != first:
        raise at(
            filter,
            condition,
            f"one expression asks about two datasets, {first} and {dataset}.",
            f"Make it two expressions joined with |: {expression.action} {expression.target} WHERE {first}.… | "
            f"{expression.action} {expression.target} WHERE {condition}. Two INCLUDEs keep what either keeps; to keep "
            "only what both would, turn one round into an EXCLUDE.",
        )


def require_values(filter: tree.Filter, condition: tree.Condition) -> None:
    """* asks for any event type; the current item is compared with items."""
    value, field = condition.values[0], condition.field
    event_type = field.dataset in EVENTS and field.column.upper() == EVENT_TYPE
    star = any(isinstance(each, tree.Star) or each == tree.Text("*") for each in condition.values)
    if star and condition.operator in tree.IN_OPERATORS:
        if not event_type:
            raise at(
                filter,
                condition,
                f"* means any event type, and {field} holds none.",
                "List the values that are meant; leave the condition out to allow them all.",
            )
        if len(condition.values) > 1:
            raise at(filter, condition, "* stands in a list with other values.", "Write IN (*) or the types alone.")
        if condition.operator == "NOT IN":
            raise at(
                filter, condition, "no event is of none of all types.", "To drop what has any event: EXCLUDE … IN (*)."
            )
    if isinstance(value, tree.CurrentItem) and field.dataset not in (tree.ITEMS, tree.CURRENT_USER):
        raise at(
            filter, condition, f"CurrentItem is compared with columns of Items, not with {field}.", "Test Items.COLUMN."
        )


def at(filter: tree.Filter, condition: tree.Condition, problem: str, advice: str) -> FilterTextError:
    """The error for one condition; in a filter that was not parsed, its canonical text is shown whole."""
    start, end = condition.span
    if end > start:
        return FilterTextError(problem, filter.text, start, end, advice)
    text = str(condition)
    return FilterTextError(problem, text, 0, len(text), advice)
