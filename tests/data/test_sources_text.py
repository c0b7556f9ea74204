"""Text files: layout, hostile content, and every way they arrive broken."""

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.sources import Source, connect, open_source
from workbench.errors import SourceError

HOSTILE = ["00123", "NA", "null", "None", "id with spaces", " padded ", "🎬🍿", "x" * 300, "<script>alert(1)</script>"]
HOSTILE += ['quo"te', "comma,semi;tab\tbar|", "line\nbreak", "O'Brien", "'; DROP TABLE x; --", "1e5", "12.50", "-0"]


@pytest.fixture
def write(tmp_path):
    def to_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def rows(source: Source) -> list[tuple]:
    """The table's rows in order, with None for what is missing."""
    return connect().con.execute(f'SELECT * FROM "{source.table.get_name()}"').fetchall()


def line(source: Source, column: str) -> pd.Series:
    return source.report.set_index("COLUMN").loc[column]


def test_types_are_recognised_and_reported(write):
    source = open_source(
        write("e.csv", "uid,n,price,new,code,name,none\n7,1,1.5,True,007,a,\n8,-2,2,false,12,b,\n"),
        columns={"uid": "USER_ID"},
    )
    assert rows(source) == [("7", 1, 1.5, True, "007", "a", None), ("8", -2, 2.0, False, "12", "b", None)]
    assert list(source.report.columns) == ["COLUMN", "TYPE", "RECOGNISED_AS", "EXAMPLE", "NOTE"]
    assert list(source.report["TYPE"]) == ["text", "int64", "float64", "boolean", "text", "text", "text"]
    assert line(source, "USER_ID")["RECOGNISED_AS"] == "id, kept as text"
    assert "named 'uid' in the source" in line(source, "USER_ID")["NOTE"]
    assert "'007' would change as numbers" in line(source, "code")["NOTE"]
    assert "no value in any row" in line(source, "none")["NOTE"]
    assert source.name == "e.csv"
    assert source.table.columns == ("USER_ID", "n", "price", "new", "code", "name", "none")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"], "int64"),
        (["01", "2"], "text"),
        (["+5", "2"], "text"),
        (["9223372036854775808", "2"], "text"),  # one above what int64 holds
        (["1_000", "2"], "text"),
        (["0x1A", "2"], "text"),
        (["1.5", "2"], "float64"),
        (["00.5", "2.5"], "text"),
        (["1e-05", ".5"], "float64"),
        (["inf", "2.5"], "text"),
        (["nan", "2.5"], "text"),
        ([" 12", "3 "], "int64"),
        ([" 1.5", "3 "], "float64"),
        (["yes", "no"], "text"),
        (["0", "1"], "int64"),
        (["TRUE", "false"], "boolean"),
        (["True", "1"], "text"),
    ],
)
def test_a_type_is_taken_only_when_no_value_changes_by_it(write, values, kind):
    source = open_source(write("e.csv", "v,w\n" + "".join(f"{each},x\n" for each in values)))
    assert line(source, "v")["TYPE"] == kind
    if kind == "text":
        assert [row[0] for row in rows(source)] == values


def test_hostile_ids_come_back_exactly(tmp_path):
    path = tmp_path / "e.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["USER_ID", "ITEM_ID"], *([each, each[::-1]] for each in HOSTILE)])
    assert rows(open_source(path)) == [(each, each[::-1]) for each in HOSTILE]


TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_any_table_of_text_ids_comes_back_identical(tmp_path, table):
    path = tmp_path / "any.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["USER_ID", "ITEM_ID"], *table])
    expected = [(user or None, item or None) for user, item in table]
    assert rows(open_source(path)) == expected


def test_empty_ids_are_missing_and_words_are_not(write):
    source = open_source(write("e.csv", 'USER_ID,x\nNA,1\nnull,2\n"",3\n,4\n'))
    assert [row[0] for row in rows(source)] == ["NA", "null", None, None]
    assert "2 missing" in line(source, "USER_ID")["NOTE"]


def test_a_word_for_missing_is_pointed_at_and_obeyed_only_when_said(write):
    path = write("e.csv", "USER_ID,n\nNA,1\nb,NA\nc,3\n")
    asked = open_source(path)
    assert [row[1] for row in rows(asked)] == ["1", "NA", "3"]
    assert "1 of 3 values are not whole numbers, such as 'NA'; options={'missing': ['NA']}" in line(asked, "n")["NOTE"]
    assert rows(open_source(path, options={"missing": ["NA"]})) == [("NA", 1), ("b", None), ("c", 3)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiter_is_found_and_noted(write, mark):
    source = open_source(write("e.txt", f"a{mark}b\n1{mark}x\n2{mark}y\n"))
    assert rows(source) == [(1, "x"), (2, "y")]
    assert any(note.startswith("delimiter found") for note in source.notes)


def test_delimiter_of_the_ending_wins_when_both_fit(write):
    assert rows(open_source(write("e.csv", "a,b|c\nx,y|z\n"))) == [("x", "y|z")]
    with pytest.raises(SourceError, match=r"cut at ',' \(comma\) or '\|' \(vertical bar\).*options=\{'delimiter'"):
        open_source(write("e.txt", "a,b|c\nx,y|z\n"))


def test_wrong_delimiter_suggests_the_right_one(write):
    with pytest.raises(SourceError, match=r"there is one column, 'user;item'.*options=\{'delimiter': ';'\}"):
        open_source(write("e.csv", "user;item\n1;2\n"), options={"delimiter": ","})


def test_delimiter_of_several_characters(write):
    path = write("ratings.dat", "1::10::5\n2::20::3\n")
    options = {"format": "csv", "delimiter": "::", "header": False, "names": ["USER_ID", "ITEM_ID", "RATING"]}
    assert rows(open_source(path, options=options)) == [("1", "10", 5), ("2", "20", 3)]


def test_quotes_newlines_and_byte_order_mark(write):
    source = open_source(write("e.csv", '\ufeff"USER_ID","title"\r\n"1","a ""b"", c\nd"\r\n"2","x\r\ny"\r\n'))
    assert rows(source) == [("1", 'a "b", c\nd'), ("2", "x\r\ny")]
    assert "UTF-8 byte order mark skipped" in source.notes


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(write, end):
    assert rows(open_source(write("e.csv", end.join(["a,b", "1,x", "2,y", ""])))) == [(1, "x"), (2, "y")]


def test_mixed_line_ends_are_rewritten_and_noted(write):
    source = open_source(write("e.csv", "a,b\n1,x\r\n2,y\n"))
    assert rows(source) == [(1, "x"), (2, "y")]
    assert any("rewritten" in note for note in source.notes)


def test_other_encodings_are_read_when_said(write):
    assert rows(open_source(write("e.csv", "a,b\n1,é\n".encode("latin-1")), options={"encoding": "latin-1"})) == [
        (1, "é")
    ]
    source = open_source(write("f.csv", "a,b\n1,é\n".encode("utf-16")))
    assert rows(source) == [(1, "é")]
    assert "f.csv turned from utf-16 into UTF-8" in source.notes
    packed = write("g.csv.gz", gzip.compress("a,b\n1,€\n".encode("cp1252")))
    assert rows(open_source(packed, options={"encoding": "cp1252"})) == [(1, "€")]


def test_mixed_encodings_name_byte_and_line(write):
    path = write("e.csv", "a,b\n1,é\n".encode() + b"2,\xe9t\xe9\n")
    with pytest.raises(SourceError, match=r"byte 11 \(line 3\) is not UTF-8.*reads '2,été'.*'encoding': 'cp1252'"):
        open_source(path)
    with pytest.raises(SourceError, match="byte 5 is not shift_jis"):
        open_source(write("g.csv", b"a,b\n1\xa0,\xff\n"), options={"encoding": "shift_jis"})


BROKEN = [
    ("empty.csv", "", "the file is empty"),
    ("blank.csv", "\n \n", "the file is empty"),
    ("header.csv", "a,b\n", "column names but no rows"),
    ("twice.csv", "a,b,a\n1,2,3\n", r"column 'a' \(column 3\) stands there twice.*options=\{'names'"),
    ("case.csv", "user_id,User_ID\n1,2\n", "'User_ID' .* beside 'user_id' .upper and lower case"),
    ("long.csv", "a,b\n1,2\n1,2,3\n4\n", r"2 columns \(a, b\), but row 2 \(line 3\) has 3.*row 3 \(line 4\) has 1"),
    ("late.csv", 'a,b\n"1\n1",2\n3\n', r"row 2 \(line 4\) has 1"),
    ("open.csv", 'a,b\n1,2\n"3,4\n5,6\n', r"row 2 \(line 3\): a quote is opened and never closed"),
    ("inner.csv", 'a,b\n1,2\n"x"y,4\n', r"row 2 \(line 3\).*written twice"),
    ("data.csv", "1,2\n3,4\n", r"the first row, \['1', '2'\], looks like data.*'header': False"),
    ("nul.csv", b"a,b\n1,x\0y\n", r"null byte at byte 7 \(line 2\)"),
    ("wide.csv", "a,b\n1,é\n".encode("utf-16-le"), "null byte.*utf-16"),
    ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 9)[:-9], "cut.csv.gz: cannot be read"),
    ("fake.csv.gz", b"a,b\n1,2\n", "Not a gzipped file"),
    ("x.foo", "a,b\n1,2\n", r"ending '.foo' does not say.*options=\{'format': 'csv'\}"),
    ("x.inter", "user\titem\n1\t2\n", "not a RecBole atomic file.*user_id:token"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN, ids=[each[0] for each in BROKEN])
def test_broken_files_say_what_and_where(write, name, content, message):
    with pytest.raises(SourceError, match=message):
        open_source(write(name, content))


def test_a_null_byte_far_into_the_file_is_found(write):
    body = "".join(f"u{n},i{n}\n" for n in range(150_000))
    with pytest.raises(SourceError, match="column 'ITEM_ID', row 150,001: a null byte"):
        open_source(write("e.csv", f"USER_ID,ITEM_ID\n{body}u,x\0y\n"))


def test_a_ragged_row_far_into_the_file_is_found(write):
    body = "".join(f"u{n},i{n}\n" for n in range(50_000))
    with pytest.raises(SourceError, match=r"row 50,001 \(line 50,002\) has 1: \['alone'\]"):
        open_source(write("e.csv", f"USER_ID,ITEM_ID\n{body}alone\n"))


def test_a_type_that_breaks_late_is_not_taken(write):
    body = "".join(f"u{n},{n}\n" for n in range(12_000))
    source = open_source(write("e.csv", f"USER_ID,n\n{body}last,many\n"))
    assert line(source, "n")["TYPE"] == "text"
    assert "1 of 12,001 values are not whole numbers, such as 'many'" in line(source, "n")["NOTE"]


def test_row_order_of_the_file_is_kept(write):
    order = [(n * 7_919) % 300_007 for n in range(300_007)]
    source = open_source(write("e.csv", "n,text\n" + "".join(f"{n},some more text\n" for n in order)))
    assert [row[0] for row in rows(source)] == order


def test_no_header(write):
    path = write("e.csv", "1,2\n3,4\n")
    named = open_source(path, options={"header": False, "names": ["USER_ID", "ITEM_ID"]})
    assert rows(named) == [("1", "2"), ("3", "4")]
    assert open_source(path, options={"header": False}).table.columns == ("column_1", "column_2")
    with pytest.raises(SourceError, match="2 columns, but options names has 1"):
        open_source(path, options={"header": False, "names": ["USER_ID"]})


def test_nameless_columns_get_a_name_and_a_note(write):
    source = open_source(write("e.csv", ",user\n0,a\n1,b\n"))
    assert source.table.columns == ("unnamed_1", "user")
    assert "1 column(s) without a name called unnamed_N" in source.notes


def test_mapping_a_missing_column_names_the_likely_one(write):
    path = write("e.csv", "user,item\n1,2\n")
    with pytest.raises(SourceError, match="no column 'usr' to map to 'USER_ID'. Did you mean 'user'"):
        open_source(path, columns={"usr": "USER_ID"})
    with pytest.raises(SourceError, match="after mapping: column 'USER_ID' .* twice"):
        open_source(path, columns={"user": "USER_ID", "item": "USER_ID"})


def test_wanted_types_are_obeyed_or_refused_with_rows(write):
    path = write("e.csv", "n,m\n1,5\nx,6\ny,7\n")
    assert rows(open_source(path, options={"types": {"m": "text"}}))[0] == ("1", "5")
    assert rows(open_source(path, options={"types": {"m": "number"}}))[0] == ("1", 5.0)
    with pytest.raises(SourceError, match="'n' shall be integer, but 2 of 3 values are not: row 2: 'x', row 3: 'y'"):
        open_source(path, options={"types": {"n": "integer"}})


def test_decimal_comma(write):
    path = write("e.csv", "a;p\nx;1,50\ny;2\n")
    assert [row[1] for row in rows(open_source(path, options={"decimal": ","}))] == [1.5, 2.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimeter": ","}, "'delimeter' is not an option of a source. Did you mean 'delimiter'"),
        ({"header": "no"}, "option 'header' must be bool, not 'no'"),
        ({"types": {"a": "int"}}, "'a' cannot be 'int'"),
        ({"bad_times": "drop"}, "bad_times is 'error' or 'missing'"),
        ({"timezone": "Europe/Berlim"}, "'Europe/Berlim' is no time zone.*Europe/Berlin"),
        ({"format": "csw"}, "'csw' is unknown. Did you mean 'csv'"),
        ({"encoding": "nonsense"}, "'nonsense' is unknown"),
        ({"table": "a", "query": "b"}, "not both"),
    ],
)
def test_wrong_options_are_refused(write, options, message):
    with pytest.raises(SourceError, match=message):
        open_source(write("e.csv", "a,b\n1,2\n"), options=options)


def test_recbole_atomic_files(write):
    source = open_source(
        write(
            "ml.inter",
            'user_id:token\titem_id:token\trating:float\ttimestamp:float\ttag:token\n1\t002\t3.5\t881250949\t7"\n',
        ),
        columns={"user_id": "USER_ID", "item_id": "ITEM_ID", "timestamp": "TIMESTAMP"},
    )
    assert rows(source) == [("1", "002", 3.5, 881250949, '7"')]
    assert line(source, "tag")["RECOGNISED_AS"] == "text (declared so by the file)"


def test_unmapped_times_are_pointed_at(write):
    source = open_source(write("e.csv", "at,ms,day,timestamp\n2024-01-05,1700000000000,05/01/2024,881250949\n"))
    assert "looks like ISO times" in line(source, "at")["NOTE"]
    assert "looks like milliseconds" in line(source, "ms")["NOTE"]
    assert "looks like seconds" in line(source, "timestamp")["NOTE"]
    assert "looks like dates" in line(source, "day")["NOTE"]


def test_names_with_quotes_and_the_words_of_sql(write):
    source = open_source(write("e.csv", '"se""lect","from","it\'s"\n1,2,3\n'))
    assert source.table.columns == ('se"lect', "from", "it's")
    assert rows(source) == [(1, 2, 3)]
