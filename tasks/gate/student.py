"""How long a row is to the student that will train on it: its chat template and its tokenizer, from local files.

`FitsStudent` drops the rows that do not render or do not fit; `Reader` counts, for it and for the dataset's gates.
Without a student in the recipe nothing is counted: an estimate from another tokenizer is off by a third and more,
and by far more for Chinese.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pyarrow as pa

from tasks.history.ledger import GATED
from tasks.recipe import RecipeError, Student, located
from tasks.step import Sieved

if TYPE_CHECKING:
    from jinja2 import Template
    from tokenizers import Tokenizer

CONFIG = "tokenizer_config.json"
TEMPLATE = "chat_template.jinja"
SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")
AT_ONCE = 1000
PLAIN = {"tools": "", "input": ""} | {
    "messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
}


@dataclass(frozen=True, slots=True)
class Length:
    """A row's length in the student's tokens, or why it does not render."""

    tokens: int | None
    fault: str = ""


@dataclass(frozen=True)
class Reader:
    """A student's way of reading. Its parts raise RecipeError where a file is none of the kind that it must be."""

    tokenizer_file: Path
    template_file: Path

    @classmethod
    def of(cls, student: Student) -> Reader:
        """Raises RecipeError where a file is missing."""
        tokenizer = located(student.tokenizer)
        beside = [tokenizer.with_name(n) for n in (TEMPLATE, CONFIG)]
        given = located(student.chat_template) if student.chat_template else None
        template = given or next((p for p in beside if p.is_file()), beside[0])
        for file, field in ((tokenizer, "tokenizer"), (template, "chat_template")):
            if not file.is_file():
                hint = (
                    f"expected the model's own {'tokenizer.json' if field == 'tokenizer' else f'{TEMPLATE}, {CONFIG}'}"
                )
                raise RecipeError(f"no file at {file}", f"student.{field}", hint)
        return cls(tokenizer, template)

    @property
    def files(self) -> tuple[str, ...]:
        """All that a count depends on."""
        config = self.tokenizer_file.with_name(CONFIG)
        return tuple(map(str, dict.fromkeys([self.tokenizer_file, self.template_file, *[config] * config.is_file()])))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            made = Tokenizer.from_str(self.tokenizer_file.read_text("utf-8"))
        except Exception as fault:  # noqa: BLE001  the library raises nothing narrower
            raise unfit(self.tokenizer_file, "tokenizer", fault) from None
        made.no_truncation()  # a tokenizer file may say 512, and every row would fit
        made.no_padding()
        return made

    @cached_property
    def config(self) -> dict[str, Any]:
        """What stands in tokenizer_config.json: the special tokens' texts, and mostly the template."""
        file = self.template_file if self.template_file.suffix == ".json" else self.tokenizer_file.with_name(CONFIG)
        try:
            plain = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        except (OSError, ValueError, RecursionError) as fault:
            raise unfit(file, "chat_template", fault) from None
        if not isinstance(plain, dict):
            raise unfit(file, "chat_template", TypeError(f"a {type(plain).__name__}, expected an object"))
        return plain

    @cached_property
    def names(self) -> dict[str, str]:
        """The special tokens by name; each is a text, or an object that holds it."""
        given = {n: self.config.get(n) for n in SPECIAL}
        told = {n: t.get("content", "") if isinstance(t, dict) else t for n, t in given.items()}
        return {n: str(t) for n, t in told.items() if t is not None}

    @cached_property
    def templates(self) -> dict[str, Template]:
        """`default`, and where the model has one for rows with tools, `tool_use`."""
        from tasks.gate.chat_template import BROKEN, compiled

        try:
            given = (
                self.config["chat_template"]
                if self.template_file.suffix == ".json"
                else self.template_file.read_text("utf-8")
            )
            texts = {"default": given} if isinstance(given, str) else {t["name"]: t["template"] for t in given}
            made = {name: compiled(text) for name, text in texts.items()}
            return {"tool_use": made["default"]} | made
        except (*BROKEN, OSError) as fault:
            raise unfit(self.template_file, "chat_template", fault) from None

    def load(self) -> None:
        """Raises RecipeError where a part cannot be used for plain talk: better before a run than at its end."""
        (length,) = self.lengths([PLAIN])
        if length.tokens is None:
            what = f"{self.template_file} does not render a question with its answer: {length.fault}"
            raise RecipeError(what, "student.chat_template")

    def lengths(self, rows: Sequence[dict[str, Any]]) -> list[Length]:
        """How long each row is: plain rows with `messages`, `input` and `tools`."""
        from tasks.gate.chat_template import Unrenderable, render

        texts: list[str] = []
        found: list[Length] = []
        for row in rows:
            try:
                texts.append(render(self.templates["tool_use" if row["tools"] else "default"], row, self.names))
                found.append(Length(0))
            except Unrenderable as why:
                found.append(Length(None, str(why)))
        parts = (texts[i : i + AT_ONCE] for i in range(0, len(texts), AT_ONCE))
        counted = iter(
            [len(e) for part in parts for e in self.tokenizer.encode_batch_fast(part, add_special_tokens=False)]
        )
        return [Length(next(counted)) if f.tokens is not None else f for f in found]


def unfit(file: Path, field: str, fault: Exception) -> RecipeError:
    said = " ".join(f"{type(fault).__name__}: {fault}".split())[:200]
    return RecipeError(f"{file} cannot be read: {said}", f"student.{field}")


@dataclass(frozen=True, slots=True)
class FitsStudent:
    """Drop rows that the student's chat template refuses, or that are longer than its sequence."""

    student: Student
    shape: ClassVar[Literal["table"]] = "table"

    @property
    def reads(self) -> tuple[str, ...]:
        return Reader.of(self.student).files

    def __call__(self, table: pa.Table) -> Sieved:
        lengths = Reader.of(self.student).lengths(table.to_pylist())
        most = self.student.max_sequence
        said = [
            ("unrenderable", length.fault)
            if length.tokens is None
            else ("too_long_for_student", f"{length.tokens} tokens, at most {most}")
            if length.tokens > most
            else None
            for length in lengths
        ]
        reasons = pa.array([GATED + s[0] if s else None for s in said], pa.string())
        return Sieved(table, reasons, pa.array([s[1] if s else None for s in said], pa.string()))
