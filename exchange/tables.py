"""A delimited text file as rows of text. Knows nothing of what the columns mean; no Django.

What cannot be read with certainty is refused as a whole, with a sentence that says what to do: a file in another
encoding would come in with wrong names and units ("µ"), and nobody would see it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 250_000
MAX_CELLS = 500  # of one row: a file of nothing but delimiters would take a hundred times its size in memory
DELIMITERS = (",", ";", "\t", "|")


class FileProblem(Exception):
    """The file as a whole cannot be read. `code` is a word for machines, `message` a sentence for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Row:
    """`number` is the line of the file where the row begins, the heading being 1. `data` maps heading to text as it
    stands in the file. `is_whole`: it has exactly the cells the heading has."""

    number: int
    data: dict[str, str]
    is_whole: bool = True


@dataclass(frozen=True)
class Table:
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str


def decode(content: bytes) -> str:
    """The text of a UTF-8 file, with or without its mark. FileProblem for everything else, too large included."""
    if len(content) > MAX_BYTES:
        raise FileProblem("too-large", f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Send it in parts.")
    if not content.strip():
        raise FileProblem("empty", "The file is empty.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileProblem("spreadsheet", "This is a spreadsheet. Save it as “CSV UTF-8” and upload that.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileProblem(
            "encoding",
            "The file is not in UTF-8, so letters such as µ or é would be misread. Save it as “CSV UTF-8”.",
        ) from None
    if "\x00" in text:
        raise FileProblem(
            "encoding", "The file holds characters that are not text. Save it as “CSV UTF-8” and try again."
        )
    return text


def find_delimiter(heading: str, wanted: Collection[str] = ()) -> str:
    """The delimiter under which the first line has most of the `wanted` headings, then most columns."""

    def merit(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip() for cell in next(csv.reader([heading], delimiter=delimiter), [])]
        return len(set(cells) & set(wanted)), len(cells)

    return max(DELIMITERS, key=merit)


def read_table(content: bytes, *, wanted: Collection[str] = (), delimiter: str | None = None) -> Table:
    """Rows of a delimited file with a heading line. Rows without any text are left out and not counted.

    `wanted` are the headings the reader will look for; one that is missing is a FileProblem. So are a heading that
    stands twice, a quote that is never closed, more than MAX_ROWS rows, and more than MAX_CELLS cells in one.
    """
    text = decode(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    try:
        used = delimiter or find_delimiter(first, wanted)
    except csv.Error:
        raise FileProblem(
            "malformed", "The heading line cannot be read: one of its headings is far too long."
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=used, strict=True)
    headings: tuple[str, ...] | None = None
    rows: list[Row] = []
    try:
        begin = 1
        for cells in reader:
            number, begin = begin, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > MAX_CELLS:
                raise FileProblem("too-many-cells", f"Line {number} has more than {MAX_CELLS} cells.")
            if headings is None:
                headings = _headings(cells, wanted)
                continue
            if len(rows) == MAX_ROWS:
                raise FileProblem("too-many-rows", f"The file has more than {MAX_ROWS} rows. Send it in parts.")
            rows.append(_row(number, headings, cells))
    except csv.Error:
        raise FileProblem(
            "malformed",
            f"The file cannot be read from line {reader.line_num} on: a quote is not closed or stands wrongly.",
        ) from None
    if headings is None:
        raise FileProblem("empty", "The file is empty.")
    return Table(headings, tuple(rows), used)


def _headings(cells: list[str], wanted: Collection[str]) -> tuple[str, ...]:
    headings = tuple(cell.strip() for cell in cells)
    twice = sorted(name for name, count in Counter(headings).items() if count > 1 and name)
    if twice:
        raise FileProblem("heading-twice", f"A heading stands twice: {', '.join(twice)}.")
    missing = sorted(set(wanted) - set(headings))
    if missing:
        raise FileProblem("heading-missing", f"The file has no column named {', '.join(missing)}.")
    # A column without a heading keeps its place under a name of its own, so that the row is kept whole.
    return tuple(name or f"column {n}" for n, name in enumerate(headings, 1))


def _row(number: int, headings: tuple[str, ...], cells: list[str]) -> Row:
    # Cells beyond the last heading are kept as well: trailing empty ones (a spreadsheet's) say nothing.
    while len(cells) > len(headings) and not cells[-1].strip():
        cells.pop()
    data = dict(zip(headings, cells, strict=False))
    data.update({f"column {n}": cell for n, cell in enumerate(cells[len(headings) :], len(headings) + 1)})
    return Row(number, data, is_whole=len(cells) == len(headings))


def safe_cell(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula; plain numbers stay numbers.

    Also not where it takes another separator than the file has, and sees a cell begin in the middle of ours.
    """
    if _is_number(text):
        return text
    marked = _FORMULA_WITHIN.sub(r"\1'", text)
    return "'" + marked if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else marked


_FORMULA_WITHIN = re.compile(r"([,;|\t\r\n][ \"']*)(?=[=+\-@])")


def _is_number(text: str) -> bool:
    digits = text[1:] if text[:1] in "+-" else text
    return digits.replace(".", "", 1).isdecimal()
