"""Documents: the team's own files and crawls as passages, from which other techniques make questions and answers.

Text, Markdown, HTML, PDF, Word, Excel, CSV, JSON Lines and Parquet with a text column, knowledge triples, and WARC
archives (`readers/`); a text is cut where its structure allows (`passages.py`). A file, or a part of one, that cannot
be read ends as `unreadable`, with its name and the reason; where these are too many the run stops with a sentence, as
a corpus that is half there is not the one that was meant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tasks.language import detect
from tasks.produce.inputs import Input, inputs
from tasks.produce.passages import passages
from tasks.produce.readers import READERS, read
from tasks.produce.readers.found import Found
from tasks.recipe import RecipeError
from tasks.record import Kind, Record, Stamp, begun
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.text import key, units

NAMED = 3  # files in the sentence that says what could not be read


@dataclass(frozen=True, slots=True)
class Documents:
    """The passages of the files.

    `files`: files, folders (with all that is below them) and globs.
    `column`: the column or field that holds the text where a file is a table of texts.
    `length`: the most words (characters of Chinese) of a passage, but for a block of code.
    `overlap`: words (characters of Chinese) that a passage repeats of the one before it.
    `least`: words (characters of Chinese) below which a passage is dropped.
    `languages`: passages in any other are dropped.
    `most_unreadable`: share of the files that may have a fault; more ends the run.
    `licence`: that of the texts: what is made of them carries it beside the teacher's.
    """

    files: tuple[str, ...]
    column: str = "text"
    length: Annotated[int, Field(ge=20)] = 500
    overlap: Annotated[int, Field(ge=0)] = 50
    least: Annotated[int, Field(ge=0)] = 20
    languages: tuple[Literal["en", "zh"], ...] = ("en", "zh")
    most_unreadable: Annotated[float, Field(ge=0, le=1)] = 0.2
    licence: str = ""
    gives: ClassVar[Kind] = "passages"
    brings: ClassVar[bool] = True
    calls: ClassVar[str] = "none"
    target: ClassVar[None] = None
    shape: ClassVar[Literal["grow"]] = "grow"

    def there(self) -> list[Input]:
        """The files, in the order of the recipe and of their names. Raises RecipeError where there is none."""
        return inputs(self.files, tuple(READERS), "documents")

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(str(one.path) for one in self.there())

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        files, faulty, known = self.there(), dict[str, str](), set[str]()
        for file in files:
            for found in read(file.path, self.column):
                if found.reason:
                    faulty.setdefault(file.name, found.reason)
                    yield Outcome().eliminating(self.begun(file, found.place), "unreadable", said(file, found))
                for outcome in self.cut(file, found, known):
                    yield outcome
        if len(faulty) > self.most_unreadable * len(files):
            raise too_many(faulty, len(files), self.most_unreadable)

    def cut(self, file: Input, found: Found, known: set[str]) -> Iterator[Outcome]:
        """The passages of one text; `known` are those that other texts had."""
        pieces = passages(found.text, self.length, self.overlap) or [found.text.strip()]  # or nothing but headings
        for number, text in enumerate(filter(None, pieces)):
            made = self.begun(file, f"{found.place}:{number}", text)
            if units(text) < self.least:
                yield Outcome().eliminating(made, "too_short", f"{units(text)}, expected {self.least}")
            elif made.language not in self.languages:
                yield Outcome().eliminating(made, "other_language")
            elif (folded := key(text)) in known:
                yield Outcome().eliminating(made, "repeated")
            else:
                known.add(folded)
                yield Outcome().making(made)

    def begun(self, file: Input, place: str, text: str = "") -> Record:
        at = Stamp("documents", detail=f"{file.name} {place.rpartition(':')[0] if text else place}".strip())
        origin = f"{file.origin}\0{place}\0{self.length}"  # a chain may cut one file twice, in two lengths
        language = detect(text) if text else ""
        return begun("documents", (), language, origin, passage=text, licence=self.licence, lineage=(at,))


def said(file: Input, found: Found) -> str:
    """Which file, where in it, and why, in a line."""
    return (
        ", ".join(filter(None, [file.name, found.place])) + ": " + " ".join(filter(None, [found.reason, found.detail]))
    )


def too_many(faulty: dict[str, str], files: int, most: float) -> RecipeError:
    shown = "; ".join(f"{name}: {reason}" for name, reason in [*faulty.items()][:NAMED])
    more = f"; and {len(faulty) - NAMED} more" if len(faulty) > NAMED else ""
    what = f"{len(faulty)} of {files} documents cannot be read in full: {shown}{more}"
    hint = f"mend or leave them out, or allow more than {most:.0%} with most_unreadable"
    return RecipeError(what, "produce.documents", hint)
