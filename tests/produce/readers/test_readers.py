"""Every format by a file of it: those of data/documents, and ones that are made here, whole and damaged."""

import io
import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from docx import Document
from openpyxl import Workbook
from pypdf import PdfReader, PdfWriter
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tasks.produce.readers import READERS, read
from tasks.produce.readers.found import Found
from tasks.produce.readers.pdf import body, flowed

SAMPLES = Path(__file__).parents[3] / "data" / "documents"
SAID = {"en": "The pool opens at half past six. Bring a towel.", "zh": "游泳馆六点半开门。请自带毛巾。"}
BOTH = pytest.mark.parametrize("said", SAID.values(), ids=SAID)


def found(file: Path, column: str = "text") -> list[Found]:
    return list(read(file, column))


def texts(file: Path, column: str = "text") -> list[str]:
    there = found(file, column)
    assert not any(one.reason for one in there), there
    return [one.text for one in there]


def reasons(file: Path, column: str = "text") -> list[tuple[str, str]]:
    return [(one.place, one.reason) for one in found(file, column) if one.reason]


@pytest.mark.parametrize("file", sorted(p for p in SAMPLES.rglob("*.*") if p.is_file()), ids=lambda p: p.name)
def test_every_sample_document_can_be_read(file: Path) -> None:
    assert sum(map(len, texts(file))) > 300


@BOTH
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_the_encodings_that_are_about(said: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(f"# {said}\r\n{said}".encode(encoding))
    assert texts(tmp_path / "a.txt") == [f"# {said}\n{said}"]


@BOTH
def test_of_a_web_page_the_article_stays_and_menus_and_footers_go(said: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(page(said))
    (text,) = texts(tmp_path / "a.html")
    assert text.startswith("# ")
    assert said in text
    assert "cookie" not in text.lower()
    assert "<" not in text


def page(said: str) -> bytes:
    more = "".join(f"<p>{said} {said} ({i})</p>" for i in range(6))
    nav = "<nav><a href='/'>Home</a><a href='/x'>News</a></nav>"
    return (
        f"<html><head><meta charset='utf-8'><title>{said}</title></head><body>{nav}<article><h1>{said}</h1>{more}"
        f"</article><footer>This site uses cookies</footer><script>alert(1)</script></body></html>"
    ).encode()


def test_a_chinese_pdf_flows_as_its_author_wrote_it() -> None:
    (text,) = texts(SAMPLES / "zh" / "library_annual_brief.pdf")
    assert "外借图书51,307册次" in text  # broken by the edge of the page
    assert "\n二、延时开放\n" in text
    assert "第1页" not in text
    assert "第2页" not in text


def test_lines_that_the_page_broke_are_joined_and_others_are_not() -> None:
    lines = [
        "A heading",
        "This sentence goes on and on to the very edge of the",
        "page and is hyphen-",
        "ated. It ends.",
    ]
    assert flowed([*lines, "- item one", "- item two"]).split("\n") == [
        "A heading",
        "",
        "This sentence goes on and on to the very edge of the page and is hyphen-",
        "ated. It ends.",
        "- item one",
        "- item two",
    ]
    assert body(["Brief, page 1\nOne.", "Brief, page 2\nTwo.", "Brief, page 3\nThree."]) == ["One.", "Two.", "Three."]
    assert body(["The only page\nOne."]) == ["The only page", "One."]


@BOTH
def test_a_word_document_keeps_headings_lists_and_tables(said: str, tmp_path: Path) -> None:
    document = Document()
    document.add_heading(said, 0)
    document.add_heading("A|B", 1)
    document.add_paragraph(said, style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("k", "v", "a|b", said), strict=True):
        cell.text = text
    document.save(str(tmp_path / "a.docx"))
    (text,) = texts(tmp_path / "a.docx")
    assert text == f"# {said}\n\n## A|B\n\n- {said}\n\n| k | v |\n|---|---|\n| a\\|b | {said} |"


@BOTH
def test_a_workbook_is_a_table_for_each_sheet_and_one_column_is_lines(said: str, tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first
    first.title = "prices"
    for row in ([None, None, None], ["what", None, "since"], [said, None, date(2025, 5, 1)], [1.10, None, None]):
        first.append(row)
    second = book.create_sheet("notes")
    second.append([said])
    book.create_sheet("empty")
    book.save(tmp_path / "a.xlsx")
    assert [(f.place, f.text) for f in found(tmp_path / "a.xlsx")] == [
        ("prices", f"## prices\n\n| what | since |\n|---|---|\n| {said} | 2025-05-01 |\n| 1.1 |  |"),
        ("notes", f"## notes\n\n{said}"),
    ]


@BOTH
def test_rows_with_a_text_column_are_a_text_each(said: str, tmp_path: Path) -> None:
    rows = [{"text": said, "n": 1}, {"text": said + said, "n": 2}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.csv").write_text("text,n\n" + "".join(f'"{r["text"]}",{r["n"]}\n' for r in rows), "gb18030")
    for name in ("a.parquet", "a.jsonl", "a.json", "a.csv"):
        assert texts(tmp_path / name) == [said, said + said], name


@BOTH
def test_a_csv_without_a_text_column_is_one_table(said: str, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(f'item;note\ntowel;"{said}"\n')
    assert texts(tmp_path / "prices.csv") == [f"## prices\n\n| item | note |\n|---|---|\n| towel | {said} |"]


@pytest.mark.parametrize(
    ("header", "colon"),
    [("subject,predicate,object", ": "), ("头实体,关系,尾实体", "："), ("Head,Relation,Tail", ": ")],
)
def test_triples_are_a_text_for_each_subject(header: str, colon: str, tmp_path: Path) -> None:
    says = ("depth", "crane") if colon == ": " else ("水深", "吊机")
    (tmp_path / "a.csv").write_text(f"{header}\nA,{says[0]},9\nB,{says[0]},3\nA,{says[1]},2\nA,{says[1]},2\n,x,y\n")
    assert [(f.place, f.text) for f in found(tmp_path / "a.csv")] == [
        ("A", f"## A\n\n- {says[0]}{colon}9\n- {says[1]}{colon}2"),
        ("B", f"## B\n\n- {says[0]}{colon}3"),
    ]


@BOTH
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_of_a_crawl_the_pages_that_were_fetched_are_read(said: str, name: str, tmp_path: Path) -> None:
    html = "text/html; charset=utf-8"
    fetched = [("200 OK", html, page(said)), ("404 Not Found", html, page("gone")), ("200 OK", "image/png", b"PNG")]
    with (tmp_path / name).open("wb") as out:
        writer = WARCWriter(out, gzip=name.endswith(".gz"))
        for number, (status, kind, payload) in enumerate(fetched):
            headers = StatusAndHeaders(status, [("Content-Type", kind)], protocol="HTTP/1.1")
            at = f"https://example.org/{number}"
            writer.write_record(writer.create_warc_record(at, "response", io.BytesIO(payload), http_headers=headers))
    (one,) = found(tmp_path / name)
    assert one.place == "https://example.org/0"
    assert said in one.text


@pytest.mark.parametrize("ending", sorted(READERS))
def test_a_damaged_file_is_a_reason_and_never_a_fault(ending: str, tmp_path: Path) -> None:
    for junk in (
        b"\x00\xff\xfe\x81 junk \x9d\x00",
        b"PK\x03\x04 not a zip",
        b"%PDF-1.7\nnothing",
        b"PAR1....PAR1",
        b"",
    ):
        (tmp_path / f"bad{ending}").write_bytes(junk)
        there = found(tmp_path / f"bad{ending}")
        assert all(one.reason or one.text.strip() for one in there)
        if ending not in (".html", ".htm", ".txt", ".md", ".markdown", ".csv", ".tsv"):
            assert [one.text for one in there if one.text] == [], (junk, there)
            assert there


@pytest.mark.parametrize("name", ["equipment_lease.docx", "bakery_prices.xlsx", "library_annual_brief.pdf"])
def test_a_file_that_was_cut_off_is_a_reason_or_the_text_that_is_left(name: str, tmp_path: Path) -> None:
    whole = (SAMPLES / "zh" / name).read_bytes()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
        assert found(tmp_path / name)


def test_a_pdf_with_a_password_and_one_without_text_say_so(tmp_path: Path) -> None:
    locked, blank = PdfWriter(), PdfWriter()
    locked.append(PdfReader(SAMPLES / "zh" / "library_annual_brief.pdf"))
    locked.encrypt("secret", algorithm="RC4-128")
    locked.write(tmp_path / "locked.pdf")
    blank.add_blank_page(100, 100)
    blank.write(tmp_path / "blank.pdf")
    assert reasons(tmp_path / "locked.pdf") == [("", "encrypted")]
    assert reasons(tmp_path / "blank.pdf") == [("", "no_text")]


def test_a_row_that_cannot_be_read_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\nno json\n[1]\n{"other": 2}\n{"text": "two"}\n')
    assert reasons(tmp_path / "a.jsonl") == [("row 2", "not_json"), ("row 3", "not_an_object"), ("row 4", "no_text")]
    assert [f.text for f in found(tmp_path / "a.jsonl") if f.text] == ["one", "two"]
    (tmp_path / "a.csv").write_text("text,n\none,1\ntwo\nthree,3,4\n")
    assert reasons(tmp_path / "a.csv") == [("row 3", "columns_differ"), ("row 4", "columns_differ")]


def test_rows_without_a_text_column_say_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "one"}\n')
    (one,) = found(tmp_path / "a.jsonl")
    assert one.reason == "no_text_column"
    assert one.detail.startswith("no column text; there are body: name the one that holds the text")
    assert texts(tmp_path / "a.jsonl", "body") == ["one"]


def test_an_unknown_format_says_which_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.pages").write_text("x")
    (one,) = found(tmp_path / "a.pages")
    assert one.reason == "unknown_format"
    assert ".docx" in one.detail
