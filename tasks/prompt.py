"""Prompt files: find one, fill it, fingerprint it.

A prompt is a TOML file that holds exactly the messages that are sent, beside its twin in the other
language: `prompts/judge/verdict.en.toml`, `prompts/judge/verdict.zh.toml`.

    version = 1
    [[message]]
    role = "system"
    content = '''Judge the answer. ...'''
    [[message]]
    role = "user"
    content = '''{{prompt}} ...'''

`{{slot}}` is replaced once, by a value that is never parsed again; `{{fenced:slot}}` puts the value
between two marks that do not occur in it, so that a log text can neither open another slot nor close
its own. `[[message]] turns = "conversation"` stands for a list of messages given under that name.

The identity of a prompt is the sha256 of its file. `prompts/prompts.lock` lists version and sha256 of
all of them, so that an edit without a new version fails `make check`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from tasks.hashing import sha256
from tasks.record import Message, message_of

ROOT = Path(__file__).resolve().parent.parent / "prompts"
LOCK = "prompts.lock"
SLOT = re.compile(r"\{\{(fenced:)?([a-z_]+)\}\}")
OPENING = re.compile(r"<(\w+) ([0-9a-f]{8})>\n")  # as `slot` puts a value
LANGUAGES = ("en", "zh")
VARIANT: ContextVar[Path | None] = ContextVar("variant", default=None)
Part = str | tuple[str, bool]


class PromptError(ValueError):
    """A prompt file is missing or malformed, or a slot was left open."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the file: a role and a template, or the name of a list of messages.

    `parts` is the template taken apart, once for all records: its texts, and between them its slots as (name, whether
    fenced). `settled` are the slots of a system turn that fences none: for most records it says the same.
    """

    role: str
    content: str
    turns: str = ""
    parts: tuple[Part, ...] = field(init=False, repr=False, compare=False)
    settled: tuple[str, ...] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", parts(self.content))
        open_ = [part for part in self.parts if not isinstance(part, str)]
        fixed = self.role == "system" and not any(fenced for _, fenced in open_)
        object.__setattr__(self, "settled", tuple(dict.fromkeys(name for name, _ in open_)) if fixed else None)

    def said(self, values: dict[str, str], mark: str) -> Message:
        """The message with its slots filled."""
        if self.settled is not None:
            return instruction(self, tuple([values[name] for name in self.settled]))
        return message_of(self.role, "".join([p if isinstance(p, str) else slot(*p, values, mark) for p in self.parts]))


@lru_cache(maxsize=64)
def instruction(turn: Turn, values: tuple[str, ...]) -> Message:
    """A settled turn, one object for all records that it is said to: so it is also spelt once (`teacher.ask.wire`)."""
    known = dict(zip(turn.settled or (), values, strict=True))
    return Message(turn.role, "".join([p if isinstance(p, str) else known[p[0]] for p in turn.parts]))


@dataclass(frozen=True, slots=True)
class Filled:
    """Messages ready to be sent, and which prompt they came from."""

    messages: tuple[Message, ...]
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file as read; `words` are the texts outside the messages, such as reply markers."""

    name: str
    version: int
    sha256: str
    turns: tuple[Turn, ...]
    words: dict[str, str]
    slots: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        named = {p[0] for t in self.turns for p in t.parts if not isinstance(p, str)}
        object.__setattr__(self, "slots", frozenset(named | {t.turns for t in self.turns if t.turns}))

    def fill(self, turns: dict[str, tuple[Message, ...]] | None = None, **values: str) -> Filled:
        """The messages with every slot filled. Raises PromptError where slots and values do not match."""
        given = values.keys() | (turns or {}).keys()
        if given != self.slots:
            wrong = ", ".join(sorted(given ^ self.slots))
            raise PromptError(f"prompt {self.name}: slots and values differ in: {wrong}")
        mark = fence_mark(values.values()) if values else ""
        sent: list[Message] = []
        for t in self.turns:
            if t.turns:
                sent.extend((turns or {})[t.turns])
            else:
                sent.append(t.said(values, mark))
        return Filled(one_system(sent), self.name, self.sha256)


def parts(template: str) -> tuple[Part, ...]:
    first, *rest = SLOT.split(template)
    slots = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    return (first, *(part for fenced, name, text in slots for part in ((name, bool(fenced)), text)))


def slot(name: str, fenced: bool, values: dict[str, str], mark: str) -> str:
    return f"<{name} {mark}>\n{values[name]}\n</{name} {mark}>" if fenced else values[name]


def fenced(text: str) -> dict[str, str]:
    """What stands between marks in a text that was filled, by the names of the slots, the last one of a name; and in
    these in turn, as far as no slot around them has that name."""
    found, at = dict[str, str](), 0
    while opening := OPENING.search(text, at):
        name, mark = opening.groups()
        end = text.find(f"\n</{name} {mark}>", opening.end())
        at = max(end, opening.end())
        found |= {name: text[opening.end() : end]} if end >= 0 else {}
    return {name: one for inside in found.values() for name, one in fenced(inside).items()} | found


def fence_mark(values: Iterable[str]) -> str:
    """A short mark that occurs in none of the values, and is the same for the same values."""
    hashed = texts = "\0".join(values).encode("utf-8", "replace")
    while True:
        mark = sha256(hashed)[:8]
        hashed = mark.encode()
        if hashed not in texts:
            return mark


def one_system(sent: list[Message]) -> tuple[Message, ...]:
    """Neighbouring system messages as one: several chat templates refuse a second."""
    joined: list[Message] = []
    for said in sent:
        if joined and said.role == joined[-1].role == "system":
            joined[-1] = Message("system", joined[-1].content + "\n\n" + said.content)
        else:
            joined.append(said)
    return tuple(joined)


def load(name: str, language: str, root: Path = ROOT) -> Prompt:
    """The prompt `name` (`judge/verdict`) in a language; anything but `zh` is asked in English."""
    language = language if language in LANGUAGES else "en"
    return loaded(name, language, root, VARIANT.get(), "" if ours(name, language, root) else os.getcwd())


@cache
def ours(name: str, language: str, root: Path) -> bool:
    """Whether a prompt is one of ours, wherever a command runs: the system takes longer to say where that is than a
    record's look-up does."""
    return (root / f"{name}.{language}.toml").is_file()


@cache
def loaded(name: str, language: str, root: Path, tried: Path | None, here: str) -> Prompt:
    """Once for each place that it may come from: a step loads its prompt for every record."""
    return read(name, found(f"{name}.{language}.toml", root, tried, here))


def file_of(name: str, language: str, root: Path = ROOT) -> Path:
    """Where a prompt stands: with the variant that is tried, among ours, or, for a team's own technique, in a folder
    `prompts` where the command runs."""
    return found(f"{name}.{language}.toml", root, VARIANT.get(), os.getcwd())


def found(file: str, root: Path, tried: Path | None, here: str) -> Path:
    if tried and (tried / file).is_file():
        return tried / file
    ours, own = root / file, Path(here) / "prompts" / file
    return own if not ours.is_file() and own.is_file() else ours


@contextmanager
def variant(folder: Path | None) -> Iterator[None]:
    """While it lasts, prompts that stand in this folder too are taken from there."""
    token = VARIANT.set(folder)
    try:
        yield
    finally:
        VARIANT.reset(token)


def read(name: str, path: Path) -> Prompt:
    """A prompt file. Raises PromptError where it is missing or malformed."""
    if not path.is_file():
        there = sorted(p.name for p in path.parent.glob("*.toml"))
        near = difflib.get_close_matches(path.name, there, 1)
        hint = f"; did you mean {near[0]}" if near else ""
        raise PromptError(f"no prompt at {path}; that folder has {', '.join(there) or 'none'}{hint}")
    raw = path.read_bytes()
    try:
        data = tomllib.loads(raw.decode())
        turns = tuple(Turn(m.get("role", ""), m.get("content", ""), m.get("turns", "")) for m in data["message"])
        words = {k: v for k, v in data.items() if isinstance(v, str)}
        return Prompt(name, data["version"], hashlib.sha256(raw).hexdigest(), turns, words)
    except KeyError as missing:
        raise PromptError(f"{path} has no {missing.args[0]}; expected version and [[message]]") from None
    except ValueError as fault:
        raise PromptError(f"{path} is not TOML: {fault}") from None


def fingerprint(names: tuple[str, ...], root: Path = ROOT) -> dict[str, str]:
    """File name -> sha256 for each language of the prompts that a step uses."""
    return {f"{n}.{lang}.toml": load(n, lang, root).sha256 for n in names for lang in LANGUAGES}


def names(root: Path = ROOT) -> list[str]:
    return sorted({str(p.relative_to(root)).rsplit(".", 2)[0] for p in root.rglob("*.toml")})


def lock_lines(root: Path = ROOT) -> list[str]:
    found = [(n, lang, load(n, lang, root)) for n in names(root) for lang in LANGUAGES]
    return [f"{n}.{lang}.toml {p.version} {p.sha256}" for n, lang, p in found]


def lock_faults(root: Path = ROOT) -> list[str]:
    """What is wrong between the prompt files and the lock, a sentence each; empty when all is well."""
    path = root / LOCK
    locked = {line.split()[0]: line.split()[1:] for line in path.read_text().splitlines()} if path.exists() else {}
    lines = lock_lines(root)
    gone = sorted(locked.keys() - {line.split()[0] for line in lines})
    faults = [f"{file} is in {LOCK} but not in the folder" for file in gone]
    for line in lines:
        file, version, sha = line.split()
        if file not in locked:
            faults.append(f"{file} is not in {LOCK}")
        elif locked[file][1] != sha and locked[file][0] == version:
            faults.append(f"{file} was edited but still says version {version}: raise it in both languages")
        elif locked[file] != [version, sha]:
            faults.append(f"{file} is version {version} and {LOCK} has version {locked[file][0]}")
    for n in names(root):
        en, zh = load(n, "en", root), load(n, "zh", root)
        if en.slots != zh.slots or en.version != zh.version or en.words.keys() != zh.words.keys():
            faults.append(f"{n}: the English and the Chinese file differ in slots, words or version")
    return faults


def main(arguments: list[str]) -> int:
    """`python -m tasks.prompt` checks the lock; with `--write` it writes it, unless a version must be raised."""
    faults = lock_faults()
    if "--write" in arguments and not any("was edited" in f or "differ" in f for f in faults):
        (ROOT / LOCK).write_text("\n".join(lock_lines()) + "\n")
        return 0
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
