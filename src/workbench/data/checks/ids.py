"""Do ids agree: repeated, unknown, nearly equal, with blanks, or standing for nobody."""

from collections.abc import Iterator

from ibis import Table
from ibis.expr.types import StringValue

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    USER_ID,
    USERS,
)
from workbench.data.checks import mends
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import INFO, OURS, RULES, WARNING, Finding, check, count, percent, share, some

NOBODY = (
    "null", "none", "nan", "na", "n/a", "undefined", "unknown", "anonymous", "anon", "guest", "test", "0", "-1",
)  # fmt: skip
NOBODY_SHARE = 1.0  # per cent of the events
TABLES = {ITEM_ID: ITEMS, USER_ID: USERS, ACTION_ID: ACTIONS}


@check(
    "duplicate_events",
    looks_for="events identical in every column",
    threshold="any; from 1 % a warning",
    origin=f"{RULES}: stored once (the 1 % are {OURS})",
    touches=("volume",),
)
def duplicate_events(facts: Facts) -> Iterator[Finding]:
    """A repeated export or a retried request counts an interest twice."""
    for dataset in (INTERACTIONS, ACTION_INTERACTIONS):
        if dataset not in facts.tables:
            continue
        if dataset == INTERACTIONS:
            rows, found = facts.events.rows, facts.events.rows - facts.events.distinct_rows
        else:
            rows = facts.rows(dataset)
            found = rows - int(facts.tables[dataset].distinct().count().to_pandas())
        if found:
            yield Finding(
                WARNING if share(found, rows) >= 1 else INFO, dataset, "", found, "rows",
                f"{count(found)} of {count(rows)} events ({percent(share(found, rows))}) repeat another in every "
                "column. Keep each once.",
                step=mends.drop_duplicates("events identical in every column are one event"),
            )  # fmt: skip


@check(
    "duplicate_ids",
    looks_for="an id with several rows in the items, users or actions",
    threshold="any",
    origin="Personalize, data readiness list",
    touches=("items", "users"),
)
def duplicate_ids(facts: Facts) -> Iterator[Finding]:
    """Only one row can describe a thing; the step keeps the last."""
    for key, dataset in TABLES.items():
        if dataset not in facts.tables:
            continue
        table = facts.tables[dataset].filter(lambda each, key=key: each[key].notnull())
        repeated = table.group_by(key).aggregate(N=table.count()).filter(lambda each: each["N"] > 1)
        extra = int((repeated["N"] - 1).sum().to_pandas() or 0)
        if extra:
            examples = repeated.order_by(key).limit(3).to_pandas()[key]
            yield Finding(
                WARNING, dataset, key, extra, "rows",
                f"{count(extra)} row(s) repeat the id of another, such as {some(examples)}. Keep one row per id.",
                step=mends.drop_duplicates("one row per id, the last one given", [key], "last"),
            )  # fmt: skip


def _unknown(facts: Facts, dataset: str, key: str, usual: str) -> Iterator[Finding]:
    described = TABLES[key]
    if dataset not in facts.tables or described not in facts.tables:
        return
    active = _events_by(facts, dataset, key)
    unknown = active.anti_join(facts.tables[described].select(key).distinct(), key)
    row = unknown.aggregate(ids=unknown.count(), events=unknown["EVENTS"].sum()).to_pandas().iloc[0].fillna(0)
    if not row["ids"]:
        return
    total = int(active.count().to_pandas())
    examples = unknown.order_by(key).limit(3).to_pandas()[key]
    hint = nearly_equal(unknown, facts.tables[described], key)
    yield Finding(
        WARNING, dataset, key, row["events"], "events",
        f"{count(row['events'])} events name {count(row['ids'])} of {count(total)} {described} "
        f"({percent(share(row['ids'], total))}) that the {described} table does not have, such as {some(examples)}. "
        f"{hint or usual}",
        step=mends.keep_known(key, described),
    )  # fmt: skip


def _events_by(facts: Facts, dataset: str, key: str) -> Table:
    if dataset == INTERACTIONS:
        return facts.events.items if key == ITEM_ID else facts.events.users
    table = facts.tables[dataset].filter(lambda each: each[key].notnull())
    return table.group_by(key).aggregate(EVENTS=table.count())


def nearly_equal(unknown: Table, described: Table, key: str) -> str:
    """Say how unknown ids would match if ids were written alike; empty when they would not.

    Args:
        unknown: ids found in events only.
        described: the table that should describe them.
        key: the id's column.
    """
    known = described.select(key).filter(lambda each: each[key].notnull())
    for name, fold in {"case and blanks": _plain, "leading zeros": _without_zeros, "a trailing .0": _whole}.items():
        left = unknown.select(FOLDED=fold(unknown[key])).distinct()
        right = known.select(FOLDED=fold(known[key])).distinct()
        found = int(left.semi_join(right, "FOLDED").count().to_pandas())
        if found:
            return f"{count(found)} of them differ from a known id only by {name}: write ids alike at the source."
    return ""


def _plain(text: StringValue) -> StringValue:
    return text.strip().lower()


def _without_zeros(text: StringValue) -> StringValue:
    return text.strip().re_replace("^0+(.)", r"\1")


def _whole(text: StringValue) -> StringValue:
    return text.strip().re_replace(r"\.0+$", "")


@check(
    "unknown_items",
    looks_for="events with items that the catalogue lacks",
    threshold="any",
    origin="Personalize, data readiness list (mismatched IDs)",
    touches=("ids", "items"),
)
def unknown_items(facts: Facts) -> Iterator[Finding]:
    """They can be recommended, but never explained, filtered or shown with a title."""
    yield from _unknown(facts, INTERACTIONS, ITEM_ID, "Import their rows, or drop their events.")


@check(
    "unknown_users",
    looks_for="events of users that the user table lacks",
    threshold="any",
    origin="Personalize, data readiness list (mismatched IDs)",
    touches=("users",),
)
def unknown_users(facts: Facts) -> Iterator[Finding]:
    """They are served without what is known about users."""
    yield from _unknown(facts, INTERACTIONS, USER_ID, "Import their rows, or drop their events if they are guests.")
    yield from _unknown(facts, ACTION_INTERACTIONS, USER_ID, "Import their rows, or drop their events.")


@check(
    "unknown_actions",
    looks_for="action events with actions that the actions table lacks",
    threshold="any",
    origin="Personalize, data readiness list (mismatched IDs)",
    touches=("ids",),
)
def unknown_actions(facts: Facts) -> Iterator[Finding]:
    """Such an action cannot be proposed."""
    yield from _unknown(facts, ACTION_INTERACTIONS, ACTION_ID, "Import their rows, or drop their events.")


@check(
    "blanks_in_ids",
    looks_for="ids with blanks at an end",
    threshold="any",
    origin=OURS,
    touches=("ids",),
)
def blanks_in_ids(facts: Facts) -> Iterator[Finding]:
    """With them, 'u1' and 'u1 ' are two users."""
    for row in facts.with_role("id").itertuples():
        if row.DATASET == INTERACTIONS:
            ids = facts.events.users if row.COLUMN == USER_ID else facts.events.items
        else:
            ids = facts.tables[row.DATASET].mutate(EVENTS=1)
        found = int(ids.filter(ids[row.COLUMN] != ids[row.COLUMN].strip())["EVENTS"].sum().to_pandas() or 0)
        if found:
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, found, "rows",
                f"{count(found)} id(s) begin or end with a blank, so they match no id without it. Take it off.",
                step=mends.strip_ids([row.COLUMN]),
            )  # fmt: skip


@check(
    "nobody",
    looks_for="an id that stands for nobody, such as anonymous, 0 or null, with many events",
    threshold="1 % of events",
    origin=OURS,
    touches=("ids",),
)
def nobody(facts: Facts) -> Iterator[Finding]:
    """All anonymous visitors under one id look like one tireless user."""
    if facts.events is None:
        return
    for key, active in ((USER_ID, facts.events.users), (ITEM_ID, facts.events.items)):
        named = active.filter(active[key].strip().lower().isin(NOBODY)).order_by(key).to_pandas()
        heavy = named[100 * named["EVENTS"] >= NOBODY_SHARE * max(facts.events.rows, 1)]
        # Where ids are plain numbers, 0 and 1 are ids like any other unless they carry far more than their share.
        heavy = heavy[heavy["EVENTS"] > 20 * facts.events.rows / max(int(active.count().to_pandas()), 1)]
        if len(heavy):
            found = int(heavy["EVENTS"].sum())
            yield Finding(
                WARNING, INTERACTIONS, key, found, "events",
                f"{count(found)} events belong to {some(heavy[key])}, which reads as no id at all. Give each visit its "
                "own id, or drop these events.",
                step=mends.drop_ids(key, heavy[key].tolist(), "an id that stands for nobody"),
            )  # fmt: skip
