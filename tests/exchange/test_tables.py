from __future__ import annotations

import pytest

from exchange import tables
from exchange.tables import FileProblem, read_table, safe_cell


def test_reads_with_and_without_a_byte_order_mark() -> None:
    for content in ("a,b\n1,µ\n".encode(), "a,b\n1,µ\n".encode("utf-8-sig")):
        table = read_table(content)
        assert table.headings == ("a", "b")
        assert table.rows[0].data == {"a": "1", "b": "µ"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_finds_the_delimiter(delimiter: str) -> None:
    content = f"a{delimiter}b c{delimiter}d\n1{delimiter}2{delimiter}3\n".encode()
    table = read_table(content, wanted={"a", "d"})
    assert table.delimiter == delimiter
    assert table.rows[0].data == {"a": "1", "b c": "2", "d": "3"}


def test_the_delimiter_that_gives_the_wanted_headings_wins_over_more_columns() -> None:
    content = b"value;unit, as printed, by the lab\n1,5;U/L\n"
    assert read_table(content, wanted={"value"}).delimiter == ";"


def test_line_numbers_are_those_of_the_file() -> None:
    content = b'a,b\n\n"two\nlines",1\n,\nx,2\n'
    assert [(row.number, row.data["b"]) for row in read_table(content).rows] == [(3, "1"), (6, "2")]


def test_rows_without_any_text_are_no_rows() -> None:
    assert read_table(b"a,b\n1,2\n,\n , \n").rows == read_table(b"a,b\n1,2\n").rows


def test_missing_and_surplus_cells_are_kept_and_marked() -> None:
    rows = read_table(b"a,b\n1\n1,2,3\n1,2,\n").rows
    assert [row.is_whole for row in rows] == [False, False, True]
    assert rows[1].data == {"a": "1", "b": "2", "column 3": "3"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("naïve,b\n".encode("latin-1"), "encoding"),
        ("a,b\n1,2\n".encode("utf-16"), "encoding"),
        (b"a,b\n1,\x00\n", "encoding"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"", "empty"),
        (b"\xef\xbb\xbf\n\n", "empty"),
        (b"a,a\n1,2\n", "heading-twice"),
        (b"a,c\n1,2\n", "heading-missing"),
        (b'a,b\n"open,2\n', "malformed"),
        (b'a,b\n"x"y,2\n', "malformed"),
        (b"a" * 200_000 + b",b\n1,2\n", "malformed"),
        (b"a,b\n" + b"1," * 600 + b"2\n", "too-many-cells"),
        (b"a,b" + b",x" * 600 + b"\n1,2\n", "too-many-cells"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(content: bytes, code: str) -> None:
    with pytest.raises(FileProblem) as caught:
        read_table(content, wanted={"a", "b"})
    assert caught.value.code == code


def test_size_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    assert len(read_table(b"a,b\n1,2\n1,2\n").rows) == 2
    with pytest.raises(FileProblem, match="more than 2 rows"):
        read_table(b"a,b\n1,2\n1,2\n1,2\n")
    monkeypatch.setattr(tables, "MAX_BYTES", 8)
    assert read_table(b"a,b\n1,2\n").rows
    with pytest.raises(FileProblem, match="larger than"):
        read_table(b"a,b\n1,22\n")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("+A1", "'+A1"),
        ("-A1", "'-A1"),
        ("\tx", "'\tx"),
        ("-5.2", "-5.2"),
        ("+3", "+3"),
        ("plain", "plain"),
        ("", ""),
        ("-1+cmd", "'-1+cmd"),
        ("x;=1+1", "x;'=1+1"),
        ("x, @SUM(1)", "x, '@SUM(1)"),
        ("x\t+cmd", "x\t'+cmd"),
        ("x\n-A1", "x\n'-A1"),
        ('x;"=1+1"', 'x;"\'=1+1"'),
        ("1-2; a=b", "1-2; a=b"),
    ],
)
def test_no_cell_is_a_formula(text: str, safe: str) -> None:
    assert safe_cell(text) == safe
