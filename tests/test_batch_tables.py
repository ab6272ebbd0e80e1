"""Reading tables of questions: which column, which encoding, and one clear sentence for what cannot be read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import openpyxl
import pytest

from advisor.batch.tables import QuestionTable, Row, read_table
from advisor.errors import InputError

CAFE = "Ist das Café-Ranking gut?"


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def questions(table: QuestionTable) -> list[str]:
    return [row.question for row in table.rows()]


def workbook(folder: Path, rows: list[list[object]], *, sheets: tuple[str, ...] = ("Sheet",)) -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheets[0]
    for name in sheets[1:]:
        book.create_sheet(name)
    for row in rows:
        book[sheets[-1]].append(row)
    path = folder / "questions.xlsx"
    book.save(path)
    return path


def test_the_question_column_is_found_and_the_others_are_kept(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "q.csv", 'Client,Question,Prio\nA,"Links, or clicks?",1\nB,Are links dead?,2\n'))
    assert list(table.rows()) == [
        Row(number=1, question="Links, or clicks?", columns={"Client": "A", "Prio": "1"}),
        Row(number=2, question="Are links dead?", columns={"Client": "B", "Prio": "2"}),
    ]


def test_a_column_can_be_named_in_any_case(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "q.csv", "Frage an uns;Kunde\nSind Links tot?;A\n"), column="frage an uns")
    assert questions(table) == ["Sind Links tot?"]


def test_without_a_question_column_the_columns_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_table(written(tmp_path, "q.csv", "client,topic\nA,links\n"))
    assert caught.value.line == "no column of 'q.csv' is named question. Name the column with --column; the columns are: client, topic."


def test_a_named_column_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'nope'") as caught:
        read_table(written(tmp_path, "q.csv", "question,topic\nA?,links\n"), column="nope")
    assert "question, topic" in caught.value.line


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_by_the_header(tmp_path: Path, delimiter: str) -> None:
    text = f"question{delimiter}client\nAre links dead?{delimiter}A\n"
    assert questions(read_table(written(tmp_path, "q.csv", text))) == ["Are links dead?"]


def test_one_column_needs_no_header_and_no_quotes(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "q.csv", "Should I buy links, or wait?\nAre titles, snippets and such worth it?\n"))
    assert questions(table) == ["Should I buy links, or wait?", "Are titles, snippets and such worth it?"]


ENCODED = {
    "utf-8": CAFE.encode(),
    "utf-8 with a mark": b"\xef\xbb\xbf" + CAFE.encode(),
    "windows-1252": CAFE.encode("cp1252"),
    "windows-1252 behind a utf-8 mark": b"\xef\xbb\xbf" + CAFE.encode("cp1252"),
    "utf-16 with a mark": CAFE.encode("utf-16"),
    "utf-16 little-endian without a mark": CAFE.encode("utf-16-le"),
    "utf-16 big-endian without a mark": CAFE.encode("utf-16-be"),
    "utf-32 with a mark": CAFE.encode("utf-32"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_encodings_are_told(tmp_path: Path, name: str) -> None:
    table = read_table(written(tmp_path, "q.txt", ENCODED[name]))
    assert questions(table) == [CAFE]
    assert bool(table.note) == (not name.startswith("utf-8"))


def test_jsonl_takes_objects_and_texts_and_marks_a_bad_line(tmp_path: Path) -> None:
    lines = [json.dumps({"question": "Are links dead?", "client": "A", "tags": ["x"]}), '"Do clicks count?"', "{broken", "17"]
    rows = list(read_table(written(tmp_path, "q.jsonl", "\n".join(lines))).rows())
    assert [r.question for r in rows] == ["Are links dead?", "Do clicks count?", "", ""]
    assert rows[0].columns == {"client": "A", "tags": '["x"]'}
    assert [r.error for r in rows] == ["", "", "line 3 is not valid JSON", "line 4 is neither an object nor a text"]


def test_a_workbook_is_read_from_its_first_sheet_or_the_named_one(tmp_path: Path) -> None:
    path = workbook(
        tmp_path, [["Query", "Volume"], ["Are links dead?", 10.0], [None, None], ["Do clicks count?", 2.5]], sheets=("Notes", "List")
    )
    with pytest.raises(InputError, match=r"'Notes' of 'questions\.xlsx' is empty"):
        read_table(path)
    table = read_table(path, sheet="List")
    assert [(r.question, r.columns) for r in table.rows()] == [
        ("Are links dead?", {"Volume": "10"}),
        ("Do clicks count?", {"Volume": "2.5"}),
    ]
    with pytest.raises(InputError, match="no sheet 'Lost'") as caught:
        read_table(path, sheet="Lost")
    assert "Notes, List" in caught.value.line


def test_a_row_with_too_many_cells_or_no_question_becomes_an_error_of_that_row(tmp_path: Path) -> None:
    rows = list(read_table(written(tmp_path, "q.csv", "question,client\nLinks, clicks?,A\n,B\nAre links dead?,C\n")).rows())
    assert [bool(r.error) for r in rows] == [True, True, False]
    assert "quote the cell" in rows[0].error
    assert "row 2" in rows[1].error


def test_rows_can_be_read_again(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "q.txt", "Are links dead?\n\nDo clicks count?\n"))
    assert questions(table) == questions(table) == ["Are links dead?", "Do clicks count?"]


def an_archive(folder: Path, name: str) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    return path


BAD = {
    "empty file": ("q.csv", b"", "is empty"),
    "only white space": ("q.csv", b"\n \n\n", "is empty"),
    "only a mark": ("q.csv", b"\xef\xbb\xbf", "is empty"),
    "header only": ("q.csv", b"question,client\n", "has a header and no rows"),
    "the same header twice": ("q.csv", b"question,Topic,topic\nA?,b,c\n", "names 'topic' more than once"),
    "a picture named csv": ("q.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "is not a text file"),
    "text named xlsx": ("q.xlsx", b"question\nAre links dead?\n", "is no Excel workbook"),
    "another kind": ("q.docx", b"x", "is not a file of questions"),
    "no json": ("q.jsonl", b"\n\n", "is empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    file, content, expected = BAD[name]
    with pytest.raises(InputError, match=expected) as caught:
        read_table(written(tmp_path, file, content))
    assert "\n" not in caught.value.line
    assert caught.value.hint


def test_an_archive_is_no_workbook_under_either_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"an archive named \.xlsx"):
        read_table(an_archive(tmp_path, "q.xlsx"))
    with pytest.raises(InputError, match="under another name"):
        read_table(an_archive(tmp_path, "q.csv"))


def test_a_damaged_workbook_is_said(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["question"], ["Are links dead?"]])
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as cut:
        for part in whole.infolist():
            cut.writestr(part, whole.read(part)[:-40] if part.filename == "xl/workbook.xml" else whole.read(part))
    with pytest.raises(InputError, match=r"'cut\.xlsx' is damaged"):
        read_table(tmp_path / "cut.xlsx")


def test_a_workbook_that_claims_to_be_huge_is_read_by_what_it_holds(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["question", "client"], ["Are links dead?", "A"]])
    with zipfile.ZipFile(path) as honest, zipfile.ZipFile(tmp_path / "huge.xlsx", "w") as boasting:
        for part in honest.infolist():
            content = honest.read(part)
            if part.filename.startswith("xl/worksheets/"):
                assert b'<dimension ref="A1:B2"' in content
                content = content.replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:XFD1048576"')
            boasting.writestr(part, content)
    assert [r.columns for r in read_table(tmp_path / "huge.xlsx").rows()] == [{"client": "A"}]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "nowhere.csv")


def test_a_cell_of_five_megabytes_is_one_row(tmp_path: Path) -> None:
    huge = "links " * 900_000
    rows = list(read_table(written(tmp_path, "q.csv", f"question,client\n{huge},A\nAre links dead?,B\n")).rows())
    assert [len(r.question) > 5_000_000 for r in rows] == [True, False]
