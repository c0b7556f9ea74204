"""Masks against an evaluator that goes row by row in plain Python, over random tables, histories and trees."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.serving import filter_tree as tree
from workbench.serving.filter_masks import compile_filter
from workbench.serving.tables import EntityTable, EventLog, NumberColumn, TextColumn, UserState, text_array

NOW = 1_000
GENRES = (None, "", "a", "A", "b", "a|b", "b|c", "a||b", "|", "ab|c")
NUMBERS = (None, -1.0, 0.0, 0.5, 1.0, 7.0)
TIMES = (None, 980.0, 990.0, 999.0, 1_000.0)
TYPES = (None, "click", "Click", "BUY", "buy")
ORDER = {
    "<": lambda held, asked: held < asked,
    "<=": lambda held, asked: held <= asked,
    ">": lambda held, asked: held > asked,
    ">=": lambda held, asked: held >= asked,
}


def by_row(filter, table, user, given, now, current):
    """Every item's fate, one after the other."""
    active = [
        each for each in filter.expressions if all(holds(part, row_of(user), given, now, {}) for part in each.when)
    ]
    rows = [table.row(code) for code in range(len(table))]
    item = rows[current] if current is not None and current >= 0 else {}
    matched = {id(each): matched_items(each, rows, user, given, now, item) for each in active}
    kept = []
    for code in range(len(table)):
        includes = [code in matched[id(each)] for each in active if each.action == "INCLUDE"]
        excludes = [code in matched[id(each)] for each in active if each.action == "EXCLUDE"]
        kept.append((any(includes) or not includes) and not any(excludes))
    return kept


def row_of(user):
    return {} if user is None else {"USER_ID": user.user_id, **user.attributes}


def matched_items(expression, rows, user, given, now, item):
    first = tree.conditions(expression.where)[0]
    if first.field.dataset == "Items":
        return {code for code, row in enumerate(rows) if holds(expression.where, row, given, now, item)}
    events = user.events if user else EventLog.empty()
    found = set()
    for number in range(len(events)):
        row = {name: values[number] for name, values in events.columns.items()}
        row["TIMESTAMP"] = float(events.times[number])
        if holds(expression.where, row, given, now, item):
            found.add(int(events.entities[number]))
    return found


def holds(node, row, given, now, item):
    """True, False, or None where everything in the node is ignored."""
    if isinstance(node, tree.Not):
        inner = holds(node.part, row, given, now, item)
        return None if inner is None else not inner
    if isinstance(node, tree.And | tree.Or):
        parts = [each for part in node.parts if (each := holds(part, row, given, now, item)) is not None]
        if not parts:
            return None
        return all(parts) if isinstance(node, tree.And) else any(parts)
    return condition_holds(node, row.get(node.field.column), given, now, item, node.field.column == "EVENT_TYPE")


def condition_holds(node, held, given, now, item, folded):
    operand = node.values[0]
    if isinstance(operand, tree.Placeholder) and operand.name not in given:
        return None
    if isinstance(operand, tree.Star):
        return node.operator == "IN"
    if isinstance(held, float) and np.isnan(held):
        held = None
    if node.operator.startswith("NOT "):
        return not fits(node.operator[4:], held, asked_for(node, given, now, item), folded)
    return fits(node.operator, held, asked_for(node, given, now, item), folded)


def asked_for(node, given, now, item):
    operand = node.values[0]
    if isinstance(operand, tree.Placeholder):
        return list(given[operand.name])
    if isinstance(operand, tree.Now):
        return [now + operand.offset]
    if isinstance(operand, tree.CurrentItem):
        value = item.get(operand.column)
        if value is None:
            return []
        if isinstance(value, str) and node.operator in ("IN", "NOT IN"):
            return [part for part in value.split("|") if part] or [value]
        return [value]
    return [getattr(each, "text", None) or each.value for each in node.values]


def fits(operator, held, asked, folded):
    if held is None or not asked:
        return False
    if isinstance(held, float):
        numbers = [float(each) for each in asked]
        if operator in ORDER:
            return ORDER[operator](held, numbers[0])
        return held != numbers[0] if operator == "!=" else held in numbers
    texts = [str(each).casefold() if folded else str(each) for each in asked]
    held = held.casefold() if folded else held
    wholes = [held, *(part for part in held.split("|") if part)]
    if operator == "CONTAINS":
        return any(text.casefold() in held.casefold() for text in texts)
    if operator == "LIKE":
        plain = [re.compile(text.replace("|", r"\|").replace("%", ".*").replace("_", ".")) for text in texts]
        return any(pattern.fullmatch(whole) for pattern in plain for whole in wholes)
    equal = any(text in wholes for text in texts)
    return not equal if operator == "!=" else equal


texts = st.sampled_from(["a", "A", "b", "c", "a|b", "", "x"]).map(tree.Text)
numbers = st.sampled_from([-1, 0, 0.5, 1, 7]).map(lambda value: tree.Number(float(value), str(value)))
kinds = st.sampled_from(["click", "BUY", "x"]).map(tree.Text)
patterns = st.text("ab|%_", min_size=1, max_size=3).map(tree.Text)
PARAMETERS = {"Items.GENRES": "TEXT", "Items.PRICE": "NUMBER", "Interactions.EVENT_TYPE": "TYPE"}
PARAMETERS |= {"CurrentUser.TIER": "TEXT", "CurrentUser.AGE": "NUMBER", "Interactions.EVENT_VALUE": "NUMBER"}


@st.composite
def text_conditions(draw, name, values=texts, current=False):
    field = tree.Field(*name.split("."))
    operator = draw(st.sampled_from(["IN", "NOT IN", "=", "!=", "LIKE", "NOT LIKE", "CONTAINS", "NOT CONTAINS"]))
    if operator in ("IN", "NOT IN"):
        listed = st.lists(values, min_size=1, max_size=3).map(tuple)
    elif operator in ("=", "!="):
        listed = values.map(lambda each: (each,))
    else:
        return tree.Condition(field, operator, (draw(patterns),))
    others = [st.just((tree.Placeholder(PARAMETERS[name]),))]
    if current:
        others.append(st.just((tree.CurrentItem("GENRES"),)))
    if name.endswith("EVENT_TYPE") and operator == "IN":
        others.append(st.just((tree.Star(),)))
    return tree.Condition(field, operator, draw(st.one_of(listed, *others)))


@st.composite
def number_conditions(draw, name, current=False):
    field = tree.Field(*name.split("."))
    operator = draw(st.sampled_from(["IN", "NOT IN", "=", "!=", "<", "<=", ">", ">="]))
    if operator in ("IN", "NOT IN"):
        return tree.Condition(field, operator, draw(st.lists(numbers, min_size=1, max_size=3).map(tuple)))
    others = [st.just(tree.Placeholder(PARAMETERS[name]))]
    if current:
        others.append(st.just(tree.CurrentItem("PRICE")))
    return tree.Condition(field, operator, (draw(st.one_of(numbers, *others)),))


@st.composite
def time_conditions(draw, name):
    operator = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
    offset = draw(st.sampled_from([-20, -10, -5, -1, 0, 3]))
    return tree.Condition(tree.Field(*name.split(".")), operator, (tree.Now(offset),))


def trees(leaves):
    joined = lambda kind, inner: st.lists(inner, min_size=2, max_size=3).map(lambda parts: kind(tuple(parts)))  # noqa: E731
    return st.recursive(
        leaves,
        lambda inner: st.one_of(joined(tree.And, inner), joined(tree.Or, inner), inner.map(tree.Not)),
        max_leaves=4,
    )


def expressions(current):
    on_items = st.one_of(
        text_conditions("Items.GENRES", current=current),
        number_conditions("Items.PRICE", current=current),
        time_conditions("Items.CREATION_TIMESTAMP"),
    )
    on_events = st.one_of(
        text_conditions("Interactions.EVENT_TYPE", kinds),
        number_conditions("Interactions.EVENT_VALUE"),
        time_conditions("Interactions.TIMESTAMP"),
    )
    on_user = st.one_of(text_conditions("CurrentUser.TIER"), number_conditions("CurrentUser.AGE"))
    when = st.one_of(st.just(()), st.just(()), st.lists(on_user, min_size=1, max_size=2).map(tuple))
    actions = st.sampled_from(["INCLUDE", "EXCLUDE"])
    where = st.one_of(trees(on_items), trees(on_events))
    return st.builds(tree.Expression, actions, st.just("ItemID"), where, when)


def filters(current=False):
    return st.lists(expressions(current), min_size=1, max_size=4).map(lambda parts: tree.Filter("", tuple(parts)))


def choices(values):
    return st.lists(st.sampled_from(values), min_size=6, max_size=6)


@st.composite
def item_tables(draw):
    genres = draw(choices(GENRES))
    vocabulary = text_array(each for each in GENRES if each is not None)
    position = {text: code for code, text in enumerate(vocabulary.tolist())}
    codes = np.array([-1 if each is None else position[each] for each in genres], dtype=np.int32)
    floats = lambda values: NumberColumn(np.array([np.nan if each is None else each for each in values]))  # noqa: E731
    columns = {"GENRES": TextColumn(codes, vocabulary), "PRICE": floats(draw(choices(NUMBERS)))}
    columns["CREATION_TIMESTAMP"] = floats(draw(choices(TIMES)))
    return EntityTable("Items", text_array(map(str, range(6))), columns)


@st.composite
def users(draw):
    events = draw(
        st.lists(
            st.tuples(st.integers(-1, 5), st.sampled_from(TYPES), st.sampled_from(NUMBERS), st.sampled_from(TIMES[1:])),
            max_size=6,
        )
    )
    codes, types, values, times = zip(*events, strict=True) if events else ([], [], [], [])
    log = EventLog(
        np.array(codes, dtype=np.int32),
        np.array(times, dtype=np.int64),
        {
            "EVENT_TYPE": text_array(types),
            "EVENT_VALUE": np.array([np.nan if each is None else each for each in values], dtype=np.float64),
        },
    )
    attributes = {"TIER": draw(st.sampled_from(GENRES)), "AGE": draw(st.sampled_from(NUMBERS))}
    return UserState("u", draw(st.sampled_from([attributes, {}])), log)


@st.composite
def values_for(draw, filter):
    """Values for all parameters of the INCLUDEs, and for some of the others."""
    needed = set()
    named = set()
    for expression in filter.expressions:
        for condition in (*tree.conditions(expression.where), *expression.when):
            for value in condition.values:
                if isinstance(value, tree.Placeholder):
                    named.add(value.name)
                    if expression.action == "INCLUDE":
                        needed.add(value.name)
    all_values = {"TEXT": ("a",), "NUMBER": ("1",), "TYPE": ("Buy",)}
    return {name: list(all_values[name]) for name in sorted(named) if name in needed or draw(st.booleans())}


@settings(max_examples=150, deadline=None)
@given(st.data(), filters(current=True), item_tables(), st.one_of(st.none(), users()), st.integers(-1, 5))
def test_masks_equal_the_fate_of_every_item(data, filter, table, user, current):
    values = data.draw(values_for(filter))
    compiled = compile_filter(filter, table)
    for now in (NOW, NOW - 3, NOW, NOW + 11):
        mask = compiled.mask(user, values, now=now, current_item=current)
        assert mask.tolist() == by_row(filter, table, user, values, now, current), (str(filter), now)


@settings(max_examples=100, deadline=None)
@given(st.data(), filters(), item_tables(), st.lists(users(), min_size=1, max_size=3))
def test_a_shared_mask_without_each_users_removals_is_the_users_own_mask(data, filter, table, people):
    values = data.draw(values_for(filter))
    compiled = compile_filter(filter, table)
    shared = compiled.shared(values, now=NOW)
    if shared is None:
        assert any(each.when or each.action == "INCLUDE" for each in filter.expressions)
        return
    attributes, log = together(people)
    takers, items = shared.removed_pairs(log, attributes)
    for number, user in enumerate(people):
        own = compiled.mask(user, values, now=NOW).tolist()
        by_user, in_one_go = shared.allowed.copy(), shared.allowed.copy()
        by_user[shared.removed(user)] = False
        in_one_go[items[takers == number]] = False
        assert by_user.tolist() == in_one_go.tolist() == own, str(filter)


def together(people):
    """The attributes and events of several users as one table and one log."""
    tiers = [each.attributes.get("TIER") for each in people]
    vocabulary = text_array(dict.fromkeys(each for each in tiers if each is not None))
    codes = np.array([-1 if each is None else vocabulary.tolist().index(each) for each in tiers], dtype=np.int32)
    ages = [each.attributes.get("AGE") for each in people]
    columns = {
        "TIER": TextColumn(codes, vocabulary),
        "AGE": NumberColumn(np.array([np.nan if each is None else each for each in ages])),
    }
    logs = [each.events for each in people]
    join = lambda arrays: np.concatenate(list(arrays))  # noqa: E731
    log = EventLog(
        join(each.entities for each in logs),
        join(each.times for each in logs),
        {name: join(each.columns[name] for each in logs) for name in ("EVENT_TYPE", "EVENT_VALUE")},
        np.repeat(np.arange(len(people), dtype=np.int32), [len(each) for each in logs]),
    )
    return EntityTable("Users", text_array(map(str, range(len(people)))), columns), log
