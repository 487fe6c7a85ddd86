from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tasks.produce.documents import Documents
from tasks.produce.inputs import inputs
from tasks.produce.shelf import PRODUCE
from tasks.recipe import RecipeError
from tasks.record import Record
from tasks.step import Drop
from tests.produce.made import EN, ZH, through

Files = Callable[..., Path]
FRENCH = "Ceci n'est pas un texte anglais, mais bien français. " * 5


@pytest.fixture
def files(tmp_path: Path) -> Files:
    def write(**texts: str | bytes) -> Path:
        folder = tmp_path / "docs"
        for name, text in texts.items():
            path = folder / name.replace("__", "/").replace("_", ".", 1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return write


async def of(step: Documents) -> tuple[list[Record], list[Drop]]:
    made: list[Record] = []
    gone: list[Drop] = []
    async for outcome in step([], None, Random(0)):  # pyright: ignore[reportArgumentType]
        made += outcome.out
        gone += outcome.dropped
    return made, gone


async def test_every_text_below_a_folder_becomes_passages_with_language_and_place(files: Files) -> None:
    folder = files(a_md=EN, deep__b_txt=ZH, deep__c_png="no text", **{"_hidden_md": EN})
    made, gone = await of(Documents((str(folder),), licence="cc0"))
    assert [(r.language, r.kind, r.licence, r.lineage[0].detail) for r in made] == [
        ("en", "passages", "cc0", "a.md"),
        ("zh", "passages", "cc0", "deep/b.txt"),
    ]
    assert [r.passage for r in made] == [EN, ZH]
    assert all(r.made for r in made)
    assert gone == []


async def test_the_same_files_give_the_same_ids_and_two_places_never_one(files: Files) -> None:
    folder = files(a_md=EN, deep__a_md=EN, b_md=ZH)
    first, gone = await of(Documents((str(folder),)))
    again, _ = await of(Documents((str(folder),)))
    assert [r.roots for r in first] == [r.roots for r in again]
    assert [(d.reason, d.record and d.record.lineage[0].detail) for d in gone] == [("repeated", "deep/a.md")]
    assert len({r.roots for r in [*first, *(d.record for d in gone if d.record)]}) == 3


async def test_what_cannot_be_read_is_dropped_with_file_place_and_reason(files: Files) -> None:
    rows = '{"text": "' + EN.replace("\n", " ") + '"}\nbroken\n'
    folder = files(
        a_pdf=b"%PDF-1.7 nothing",
        b_jsonl=rows,
        c_txt="Too short.",
        d_txt=FRENCH,
    )
    made, gone = await of(Documents((str(folder),), most_unreadable=1))
    assert len(made) == 1
    said = {d.reason: d.detail for d in gone if d.reason != "unreadable"}
    assert said == {"too_short": "2, expected 20", "other_language": ""}
    details = [d.detail for d in gone if d.reason == "unreadable"]
    assert details[0].startswith("a.pdf: broken")
    assert details[1] == "b.jsonl, row 2: not_json"
    tally, _, _ = await through(Documents((str(folder),), most_unreadable=1), [], None, folder.parent)
    assert (tally.made, tally.out, tally.dropped["unreadable"]) == (5, 1, 2)


async def test_too_many_files_that_cannot_be_read_end_the_run_with_a_sentence(files: Files) -> None:
    folder = files(a_md=EN, b_pdf=b"x", c_docx=b"x", d_xlsx=b"x", e_md=ZH)
    with pytest.raises(RecipeError, match=r"3 of 5 documents cannot be read in full: b\.pdf: broken; c\.docx") as fault:
        await of(Documents((str(folder),)))
    assert "most_unreadable" in fault.value.hint
    made, _ = await of(Documents((str(folder),), most_unreadable=0.6))
    assert len(made) == 2


def test_files_are_named_one_by_one_by_folder_and_by_glob_and_each_is_read_once(files: Files) -> None:
    folder = files(a_md=EN, deep__b_md=EN, deep__c_txt=EN)
    found = inputs((str(folder / "deep" / "*.txt"), str(folder), str(folder / "a.md")), (".md", ".txt"), "documents")
    assert [one.name for one in found] == ["c.txt", "a.md", "deep/b.md"]
    assert Documents((str(folder),)).reads == tuple(str(folder / n) for n in ("a.md", "deep/b.md", "deep/c.txt"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere.txt", "no files at nowhere.txt"),
        ("nowhere/*.pdf", "no files at nowhere"),
        ("s3://bucket/a.txt", "documents reads files of this machine, not s3://"),
    ],
)
def test_a_place_that_names_no_file_is_a_sentence(given: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said.replace("*", r"\*")) as fault:
        _ = Documents((given,)).reads
    assert fault.value.where == "produce.documents.files"


@pytest.mark.parametrize("settings", [{"files": ["a"], "length": 5}, {"files": ["a"], "most_unreadable": 2}, {}])
def test_settings_that_make_no_sense_are_refused(settings: dict) -> None:
    with pytest.raises(RecipeError, match="documents"):
        PRODUCE.link({"documents": settings}, 0)
