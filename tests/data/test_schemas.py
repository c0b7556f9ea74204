import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from workbench.columns import KINDS
from workbench.data.connection import connect
from workbench.data.schemas import Field, check, require, schema_for
from workbench.errors import SchemaError

NOW = 1_700_000_000


def interactions(**columns):
    base = {"USER_ID": ["u1", "u2", "u3"], "ITEM_ID": ["a", "b", "c"], "TIMESTAMP": [NOW, NOW + 1, NOW + 2]}
    return pd.DataFrame(base | columns)


def broken(table, kind="interactions", domain=None, severity=None):
    """The violations as (column, rule, rows, count)."""
    found = check(table, kind, domain)
    found = found if severity is None else found[found["SEVERITY"] == severity]
    return [(row["COLUMN"], row["RULE"], row["ROWS"], row["COUNT"]) for _, row in found.iterrows()]


def one(table, column, kind="interactions", domain=None):
    """The only violation of a column."""
    found = check(table, kind, domain)
    [(_, row)] = found[found["COLUMN"] == column].iterrows()
    return row


def test_a_right_table_breaks_nothing():
    assert check(interactions(), "interactions").empty
    assert list(check(interactions(), "interactions").columns) == [
        "COLUMN", "ROWS", "COUNT", "VALUE", "RULE", "REMEDY", "SEVERITY",
    ]  # fmt: skip


def test_the_table_is_not_changed():
    table = interactions()
    before = table.copy()
    check(table, "interactions")
    pd.testing.assert_frame_equal(table, before)


def test_all_violations_come_at_once_errors_first():
    table = pd.DataFrame({
        "user_id": ["a", None, "c"],
        "ITEM_ID": ["x" * 300, "", None],
        "TIMESTAMP": ["1600000000000", "noon", "1600000000"],
        "EVENT_VALUE": ["1", "two", "3"],
    })  # fmt: skip
    found = check(table, "interactions")
    assert found["SEVERITY"].tolist() == ["error"] * 6 + ["warning"]
    assert set(found["COLUMN"]) == {"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_VALUE"}


@pytest.mark.parametrize(
    ("there", "needed"),
    [("user_id", "USER_ID"), ("UserId", "USER_ID"), ("customer", "USER_ID"), ("USR_ID", "USER_ID"),
     ("product_id", "ITEM_ID"), ("asin", "ITEM_ID"), ("ts", "TIMESTAMP"), ("event_time", "TIMESTAMP")],
)  # fmt: skip
def test_a_missing_column_names_the_likely_match(there, needed):
    row = one(interactions().rename(columns={needed: there}), needed)
    assert row["VALUE"] == there
    assert row["SEVERITY"] == "error"
    assert f"columns={{'{there}': '{needed}'}}" in row["REMEDY"]


def test_a_missing_column_without_a_match_lists_what_there_is():
    row = one(interactions().drop(columns="TIMESTAMP"), "TIMESTAMP")
    assert row["VALUE"] is None
    assert "USER_ID, ITEM_ID" in row["REMEDY"]


def test_null_and_empty_ids_are_errors_with_their_rows():
    table = interactions(USER_ID=[None, "u", "  "], ITEM_ID=["", "a", None])
    assert broken(table) == [
        ("USER_ID", "id is missing", [1], 1),
        ("USER_ID", "id is empty", [3], 1),
        ("ITEM_ID", "id is missing", [3], 1),
        ("ITEM_ID", "id is empty", [1], 1),
    ]


def test_row_numbers_come_from_the_source_when_the_table_has_them():
    table = interactions(USER_ID=[None, "u", None], _ROW=[70, 80, 90])
    assert broken(table) == [("USER_ID", "id is missing", [70, 90], 2)]


def test_only_the_first_five_row_numbers_are_given_but_all_rows_counted():
    table = pd.DataFrame({"USER_ID": [None] * 9 + ["u"], "ITEM_ID": ["a"] * 10, "TIMESTAMP": [NOW] * 10})
    assert broken(table) == [("USER_ID", "id is missing", [1, 2, 3, 4, 5], 9)]


def test_odd_ids_are_warnings_and_leading_zeros_are_none():
    table = pd.DataFrame({
        "USER_ID": ["007", "a b", " lead", "😀", "x" * 257, "nan", "<script>", "USER_ID"],
        "ITEM_ID": list("abcdefgh"),
        "TIMESTAMP": [NOW] * 8,
    })  # fmt: skip
    assert broken(table, severity="error") == []
    assert broken(table) == [
        ("USER_ID", "id begins or ends with a space", [3], 1),
        ("USER_ID", "id looks like a missing value written as text", [6], 1),
        ("USER_ID", "id is longer than 256 characters", [5], 1),
        ("USER_ID", "value is a reserved column name", [8], 1),
    ]


def test_whole_number_ids_warn_and_fractional_ones_are_errors():
    assert one(interactions(USER_ID=[1, 2, 3]), "USER_ID")["SEVERITY"] == "warning"
    row = one(interactions(ITEM_ID=[1.0, 2.0, 3.5]), "ITEM_ID")
    assert (row["SEVERITY"], row["RULE"], row["VALUE"]) == ("error", "must be text", "DOUBLE")


@pytest.mark.parametrize(
    ("times", "rule", "row"),
    [([NOW, NOW * 1_000, NOW], "time is in milliseconds, not seconds", 2),
     ([NOW, NOW, NOW * 1_000_000], "time is in microseconds, not seconds", 3),
     ([NOW * 10**9, NOW, NOW], "time is in nanoseconds, not seconds", 1),
     (["1600000000", "2024-01-01", "1600000000"], "must be whole epoch seconds", 2),
     ([1.0, 2.5, 3.0], "must be whole epoch seconds", 2),
     ([1.0, 2.0, None], "time is missing", 3),
     ([float("inf"), 2.0, 3.0], "must be whole epoch seconds", 1)],
)  # fmt: skip
def test_times_that_are_no_epoch_seconds_are_errors(times, rule, row):
    assert broken(interactions(TIMESTAMP=times), severity="error") == [("TIMESTAMP", rule, [row], 1)]


def test_dates_are_an_error_of_the_column():
    row = one(interactions(TIMESTAMP=pd.to_datetime(["2024-01-01"] * 3)), "TIMESTAMP")
    assert (row["RULE"], row["COUNT"]) == ("must be whole epoch seconds", 0)
    assert "parse_time" in row["REMEDY"]


def test_future_and_zero_times_are_warnings():
    table = interactions(TIMESTAMP=[NOW, 0, 4_000_000_000])
    assert broken(table, severity="warning") == [
        ("TIMESTAMP", "time lies in the future", [3], 1),
        ("TIMESTAMP", "time is 1970-01-01 or before", [2], 1),
    ]


def test_text_of_whole_numbers_is_a_time():
    assert check(interactions(TIMESTAMP=["1600000000", " 1600000001", "1600000002"]), "interactions").empty


def test_values_must_be_numbers():
    assert broken(interactions(EVENT_VALUE=["1", None, "high"])) == [("EVENT_VALUE", "must be a number", [3], 1)]
    assert broken(interactions(EVENT_VALUE=[1, float("inf"), 2])) == [("EVENT_VALUE", "must be finite", [2], 1)]


def test_eleven_event_types_are_a_warning_that_names_the_rarest():
    rows = 23
    table = pd.DataFrame({
        "USER_ID": ["u"] * rows,
        "ITEM_ID": ["i"] * rows,
        "TIMESTAMP": [NOW] * rows,
        "EVENT_TYPE": [f"e{number % 11:02}" for number in range(22)] + ["e10"],
    })  # fmt: skip
    row = one(table, "EVENT_TYPE")
    assert (row["RULE"], row["VALUE"], row["SEVERITY"]) == ("has 11 event types, at most 10", "e09 (2)", "warning")


def test_a_missing_event_type_is_an_error_only_where_it_is_required():
    table = interactions(EVENT_TYPE=["View", None, "Purchase"])
    assert one(table, "EVENT_TYPE")["SEVERITY"] == "warning"
    assert one(table, "EVENT_TYPE", domain="ECOMMERCE")["SEVERITY"] == "error"


def test_a_domain_requires_its_columns():
    assert one(interactions(), "EVENT_TYPE", domain="VIDEO_ON_DEMAND")["SEVERITY"] == "error"
    items = pd.DataFrame({"ITEM_ID": ["a"], "genre": ["Drama"], "PRICE": [1.0]})
    assert one(items, "GENRES", "items", "VIDEO_ON_DEMAND")["VALUE"] == "genre"
    assert one(items, "CREATION_TIMESTAMP", "items", "VIDEO_ON_DEMAND")["SEVERITY"] == "error"
    assert one(items, "CATEGORY_L1", "items", "ECOMMERCE")["SEVERITY"] == "error"
    assert check(items, "items").empty


def test_a_domain_knows_its_event_types():
    row = one(interactions(EVENT_TYPE=["view", "view", "buy"]), "EVENT_TYPE", domain="ECOMMERCE")
    assert (row["VALUE"], row["SEVERITY"]) == ("view, buy", "warning")
    assert "View and Purchase" in row["RULE"]


@pytest.mark.parametrize(("kind", "key"), [("items", "ITEM_ID"), ("users", "USER_ID"), ("actions", "ACTION_ID")])
def test_an_id_may_stand_in_one_row_only(kind, key):
    table = pd.DataFrame({key: ["b", "a", "b", "c", "b", "a"], "SIZE": range(6)})
    row = one(table, key, kind)
    assert (row["ROWS"], row["COUNT"], row["VALUE"], row["SEVERITY"]) == ([3, 5, 6], 3, "b", "error")


def test_metadata_is_advised_and_limited():
    assert broken(pd.DataFrame({"USER_ID": ["a"]}), "users")[0][1].startswith("needs at least one column")
    wide = pd.DataFrame({"USER_ID": ["a"]} | {f"C{number}": [number] for number in range(26)})
    assert [each[1] for each in broken(wide, "users")] == ["has 26 metadata columns, Personalize takes 25"]
    six = interactions(**{f"C{number}": [1, 2, 3] for number in range(6)})
    assert [each[1] for each in broken(six)] == ["has 6 metadata columns, Personalize takes 5"]


def test_names_that_clash_without_punctuation_are_warnings():
    items = pd.DataFrame(
        {"ITEM_ID": ["a"], "GENRES_FIELD_1": ["x"], "GENRESFIELD1": ["y"], "2nd": ["z"], "n" * 151: [1]}
    )
    assert [(each[0][:20], each[1][:24]) for each in broken(items, "items", severity="warning")] == [
        ("2nd", "names are letters, digit"),
        ("n" * 20, "names are letters, digit"),
        ("GENRESFIELD1", "is the same name as GENR"),
    ]


def test_names_that_differ_in_case_only_are_refused():
    with pytest.raises(SchemaError, match=r"\['Size', 'SIZE'\] differ in nothing but case"):
        check(pd.DataFrame([["a", 1, 2]], columns=["ITEM_ID", "Size", "SIZE"]), "items")


def test_mixed_types_in_a_column_name_the_first_rows():
    with pytest.raises(SchemaError, match=r"USER_ID mixes types: int \(first in row 2\), str \(first in row 1\)"):
        check(interactions(USER_ID=pd.Series(["a", 2, 3], dtype=object)), "interactions")


@pytest.mark.parametrize("values", [[2**70, 1, 2], [object()] * 3, [1 + 2j] * 3])
def test_values_that_no_file_can_hold_name_their_column(values):
    with pytest.raises(SchemaError, match="Column PLACE cannot be stored"):
        check(interactions(PLACE=values), "interactions")


def test_lists_are_errors_and_dates_beside_are_warnings():
    items = pd.DataFrame({"ITEM_ID": ["a"], "TAGS": [["x", "y"]], "SINCE": pd.to_datetime(["2024-01-01"]), "N": [1]})
    assert [(each[0], each[1]) for each in broken(items, "items")] == [
        ("TAGS", "holds lists or nested values"),
        ("SINCE", "is neither text, number nor boolean"),
    ]


def test_a_column_without_any_value_is_missing_values_not_a_wrong_type():
    table = interactions(USER_ID=[None] * 3, EVENT_VALUE=[None] * 3, IMPRESSION=[None] * 3, PLACE=[None] * 3)
    assert broken(table) == [("USER_ID", "id is missing", [1, 2, 3], 3)]


def test_long_values_are_warnings():
    table = interactions(IMPRESSION=["a|b", "x" * 1_001, None], PLACE=["a", "b", "y" * 20_001])
    assert broken(table) == [
        ("IMPRESSION", "impression is longer than 1,000 characters", [2], 1),
        ("PLACE", "text is longer than 20,000 characters", [3], 1),
    ]


def test_a_header_only_table_says_so():
    assert broken(interactions().iloc[:0])[0][:2] == ("", "has no rows")


def test_reserved_words_as_values_hint_at_a_second_header():
    row = one(interactions(ITEM_ID=["a", "ITEM_ID", "c"]), "ITEM_ID")
    assert (row["ROWS"], row["SEVERITY"]) == ([2], "warning")
    assert "header line" in row["REMEDY"]


def test_limits_of_actions_are_warnings():
    actions = pd.DataFrame({"ACTION_ID": [f"a{number}" for number in range(1_001)], "VALUE": 1})
    assert broken(actions, "actions") == [("", "has more than 1,000 actions", [], 0)]
    assert ("", "a ECOMMERCE group cannot hold actions", [], 0) in broken(actions, "actions", "ECOMMERCE")


def test_require_lists_every_error_and_no_warning():
    table = interactions(USER_ID=["a", None, " c"], TIMESTAMP=[NOW, NOW * 1_000, NOW])
    with pytest.raises(SchemaError, match=r"2 rule\(s\) broken") as caught:
        require(table, "interactions")
    assert "USER_ID: id is missing in 1 row(s): 2. Drop these rows" in str(caught.value)
    assert "TIMESTAMP: time is in milliseconds, not seconds in 1 row(s): 2, such as '1700000000000'" in str(
        caught.value
    )
    assert "begins or ends" not in str(caught.value)
    assert len(caught.value.violations) == 3


def test_require_gives_back_the_warnings():
    assert require(interactions(USER_ID=["a", "b", " c"]), "interactions")["SEVERITY"].tolist() == ["warning"]


def test_ibis_tables_of_any_connection_are_checked():
    frame = interactions(USER_ID=["a", None, "c"])
    other = ibis.duckdb.connect().create_table("events", frame)
    for table in (other, ibis.memtable(frame), connect().create_table("events_of_a_test", frame, temp=True)):
        assert broken(table) == [("USER_ID", "id is missing", [2], 1)]


def test_types_are_read_off_the_table():
    many = 200
    items = pd.DataFrame({
        "ITEM_ID": [str(number) for number in range(many)],
        "TITLE": [f"Film {number}" for number in range(many)],
        "GENRES": ["Drama|Crime", "Comedy"] * (many // 2),
        "SKU": [f"k{number}" for number in range(many)],
        "PLOT": ["a man and a woman meet on a train and part"] * many,
        "YEAR": range(many),
        "PRICE": [0.5] * many,
        "CREATION_TIMESTAMP": [NOW] * many,
        "NEW": [True, False] * (many // 2),
    })  # fmt: skip
    schema = schema_for("items", table=items)
    assert schema.fields == (
        Field("ITEM_ID", "string", required=True),
        Field("TITLE", "string", nullable=True, item_name=True),
        Field("GENRES", "string", nullable=True, categorical=True),
        Field("SKU", "string", nullable=True),
        Field("PLOT", "string", nullable=True, textual=True),
        Field("YEAR", "long", nullable=True),
        Field("PRICE", "double", nullable=True),
        Field("CREATION_TIMESTAMP", "long", nullable=True),
        Field("NEW", "boolean", nullable=True),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("domain", [None, "ECOMMERCE", "VIDEO_ON_DEMAND"])
def test_a_table_of_the_schema_itself_breaks_nothing_but_the_domains_own_limits(kind, domain):
    values = {"string": "x", "long": NOW, "float": 1.5}
    table = pd.DataFrame({each.name: [values[each.type]] for each in schema_for(kind, domain).fields} | {"SIZE": [1]})
    errors = broken(table, kind, domain, "error")
    assert errors == []


@pytest.mark.parametrize(
    ("kind", "domain", "hint"), [("item", None, "'items'"), ("items", "E-COMMERCE", "'ECOMMERCE'")]
)
def test_misspelt_kinds_and_domains_get_a_hint(kind, domain, hint):
    with pytest.raises(SchemaError, match=hint):
        schema_for(kind, domain)


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8)
VALUES = st.one_of(
    st.lists(st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=12), min_size=3, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.floats(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
RESERVED = st.sampled_from(["USER_ID", "ITEM_ID", "ACTION_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "PRICE"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(NAMES | RESERVED, VALUES, min_size=1, max_size=4),
    st.sampled_from(KINDS),
    st.sampled_from([None, "ECOMMERCE", "VIDEO_ON_DEMAND"]),
)
def test_any_table_gets_an_answer(columns, kind, domain):
    assume(len({name.casefold() for name in columns}) == len(columns))
    found = check(pd.DataFrame(columns), kind, domain)
    assert set(found["SEVERITY"]) <= {"error", "warning"}
    assert (found["COUNT"] <= 3).all()
    assert all(rows == sorted(rows) and set(rows) <= {1, 2, 3} for rows in found["ROWS"])
