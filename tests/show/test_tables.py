"""Tables escape what comes from data, and say what they leave out."""

import pandas as pd

from workbench.show.tables import show_table, text


def test_hostile_text_is_escaped_everywhere():
    bad = "<script>alert(1)</script>"
    html = show_table(pd.DataFrame({bad: [bad]}), caption=bad)._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 3


def test_rows_left_out_are_counted_and_the_frame_is_not_changed():
    frame = pd.DataFrame({"A": range(30)})
    html = show_table(frame, rows=10)._repr_html_()
    assert html.count("<tr>") == 11
    assert "20 more rows are not shown." in html
    assert list(frame.columns) == ["A"]


def test_a_long_name_of_a_number_column_may_break_between_words():
    html = show_table(pd.DataFrame({"user-personalization": [0.5]}))._repr_html_()
    assert '<th class="n">user-personalization</th>' in html
    assert html.index(".wb-table th{white-space:nowrap}") < html.index(".wb-table th.n{white-space:normal")


def test_no_rows_is_said():
    assert "No rows." in show_table(pd.DataFrame({"A": []}))._repr_html_()


def test_values_are_written_for_readers():
    given = [None, float("nan"), True, 1995, 12345, 0.123456, 12345.6, 964982703, ["a", 1], "x" * 300]
    assert [text(each) for each in given] == [
        "–",
        "–",
        "yes",
        "1995",
        "12,345",
        "0.1235",
        "12,346",
        "964982703",
        "a, 1",
        "x" * 239 + "…",
    ]
