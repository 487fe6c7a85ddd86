"""Long context: tasks on one long document, whose answers code knows but for the summary.

Document 002, section 4: repeat a pass key that stands at any depth of the text, summarise one named part, list where
something occurs, count how often. The text is one real document and never short ones glued together, nor padded: one
that is shorter than allowed is used as it is, and of a longer one a single stretch. A teacher names terms worth
looking for, and writes the summary with nothing but that part before it; the pass key, the places and the counts are
found by code, and so is the answer's text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Annotated, ClassVar, Literal

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from tasks.produce.long_text import Part, inserted, length, occurrences, parts, places, window
from tasks.produce.rounds import drawn, in_turn, shares_of
from tasks.prompt import load
from tasks.recipe import RecipeError, located
from tasks.record import Kind, Record
from tasks.setting import MaxTokens, Reasks, Share
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.taught import taught
from tasks.text import key, units

LAYOUTS = ("long_context/above", "long_context/below")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
CODE = "code"  # who answered, where a template did
FILLED = re.compile(r"\[(KEY|TERM|COUNT|TITLE)\]")
TERM = re.compile(r"[a-z]{5,}|[\u4e00-\u9fff]{2}")  # what a plan takes for one
KINDS = ("passkey", "summary", "places", "count")
BOTH = ("questions", "answers")
WORDINGS = {"passkey": ("sentences", *BOTH), "places": BOTH, "count": BOTH, "summary": ("questions",)}
WANTED = "write for en and zh what data/wordings/long_context.yaml has"


class Terms(BaseModel):
    """What a reader might look for in a text."""

    terms: list[str]


class Summary(BaseModel):
    """What one part of a text says."""

    summary: str


@dataclass(frozen=True, slots=True)
class Task:
    """A question about a text, its answer (none yet, where a teacher is to write it), and the part it is about."""

    kind: str
    text: str
    question: str
    reference: str = ""
    answer: str = ""
    part: Part | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LongContext:
    """Rows of each document, their kinds drawn by the shares; the document ends as used, unless it is passed on.

    `tasks`: rows of one document.
    `longest`: the longest stretch of a document that is used, in words (characters of Chinese), or in tokens of
    `tokenizer`.
    `shortest`: length below which a document is dropped.
    `passkey`: share of tasks that repeat a pass key hidden in the text; the four shares are weighed against each
    other.
    `summary`: share of tasks that summarise one part.
    `places`: share of tasks that list in which parts a term occurs.
    `count`: share of tasks that count how often it does.
    `depths`: where a pass key may stand, 0 at the beginning, 1 at the end; empty: anywhere.
    `least_part`: words (characters of Chinese) below which a part is not summarised.
    `tokenizer`: a tokenizer.json that lengths are measured with; empty: words and characters.
    `wordings`: a file of how questions and answers are worded in both languages.
    `passes_on`: let the documents go on to the next technique.
    """

    tasks: Annotated[int, Field(ge=1)] = 8
    longest: Annotated[int, Field(ge=100)] = 100_000
    shortest: Annotated[int, Field(ge=1)] = 2000
    passkey: Share = 0.25
    summary: Share = 0.25
    places: Share = 0.25
    count: Share = 0.25
    depths: tuple[Annotated[float, Field(ge=0, le=1)], ...] = ()
    least_part: Annotated[int, Field(ge=1)] = 80
    tokenizer: str = ""
    wordings: str = "data/wordings/long_context.yaml"
    passes_on: bool = False
    max_tokens: MaxTokens = 2048
    reasks: Reasks = 1
    takes: ClassVar[Kind] = "passages"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "1 + the summaries of a document"
    prompts: ClassVar[tuple[str, ...]] = ("long_context/terms", "long_context/summary", *LAYOUTS, "reask")
    shape: ClassVar[Literal["each"]] = "each"

    def __post_init__(self) -> None:
        """Raises ValueError where no share is left."""
        shares_of(self, KINDS)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.wordings, *([self.tokenizer] if self.tokenizer else []))

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        outcome = Outcome.keeping(record) if self.passes_on else Outcome().dropping(USED)
        size = length(record.passage, self.tokenizer)
        if size < self.shortest:
            said = f"{size}, expected {self.shortest}"
            return outcome.noting("too_short") if self.passes_on else Outcome().dropping("too_short", said)
        text = window(record.passage, self.longest, dice.random(), self.tokenizer)
        words = Words(read_wordings(self.wordings, record.language), dice)
        tasks = self.drawn(text, await self.terms(text, record.language, teacher), words, dice)
        made = await together(self.row(task, record, dice.choice(LAYOUTS), teacher) for task in tasks)
        for task, row in zip(tasks, made, strict=True):
            if isinstance(row, NoAnswer):
                outcome = outcome.eliminating(asked(task, record, LAYOUTS[0]), row.reason, row.detail)
            elif isinstance(row, tuple):
                outcome = outcome.eliminating(asked(task, record, LAYOUTS[0]), *row)
            elif key(row.response) == key(task.part.text if task.part else ""):
                outcome = outcome.eliminating(row, "copied")
            else:
                outcome = outcome.making(row)
        return outcome

    async def terms(self, text: str, language: str, teacher: Teacher) -> list[str]:
        """Terms that occur more than once; none where the reply cannot be read."""
        if not self.places and not self.count:
            return []
        sent = load("long_context/terms", language).fill(text=text, count=str(2 * self.tasks))
        read, _ = await teacher.ask_json(sent, Terms, language, 0.7, self.max_tokens, self.reasks)
        said = dict.fromkeys(term.strip() for term in read.terms) if read else ()
        return [term for term in said if units(term) and occurrences(text, term) > 1]

    def drawn(self, text: str, terms: list[str], words: Words, dice: Random) -> list[Task]:
        """Tasks of the kinds that this text allows, none of them twice."""
        named = [part for part in parts(text) if units(part.text) >= self.least_part]
        heads = parts(text)
        scattered = [t for t in terms if 0 < len(places(text, heads, t)) < len(heads)]
        left = {"summary": list(named), "places": scattered, "count": list(terms), "passkey": list(range(self.tasks))}
        known, found = shares_of(self, KINDS), list[Task]()
        while len(found) < self.tasks:
            shares = {kind: known[kind] for kind, things in left.items() if things and known[kind]}
            if not shares:
                break
            kind = drawn(shares, dice)
            thing = left[kind].pop(dice.randrange(len(left[kind])))
            match kind:
                case "summary":
                    found.append(Task(kind, text, words.of(kind, "questions", TITLE=thing.title), part=thing))
                case "places":
                    found.append(listing(text, thing, places(text, heads, thing), words))
                case "count":
                    found.append(counting(text, thing, words))
                case _:
                    depth = dice.choice(self.depths) if self.depths else dice.random()
                    found.append(hidden(text, depth, words, dice))
        return found

    async def row(self, task: Task, record: Record, layout: str, teacher: Teacher) -> Record | tuple[str, str]:
        """The task with its answer, or why the teacher gave none."""
        prompt = asked(task, record, layout)
        if task.part is None:
            return replace(prompt.answering(task.answer), teacher=CODE)
        sent = load("long_context/summary", record.language).fill(title=task.part.title, part=task.part.text)
        read, reply = await teacher.ask_json(sent, Summary, record.language, 0.3, self.max_tokens, self.reasks)
        if read is None or not read.summary.strip():
            return "unparsed", reply.text[:200]
        spent = (reply.prompt_tokens, reply.response_tokens)
        return taught(prompt.answering(read.summary.strip()), teacher, sent, spent)

    def example(self, asked: Asked) -> Supposed:
        """For a plan: terms that stand in the text more than once."""
        if asked.shape != "terms":
            return None
        words = Counter(TERM.findall(asked.given["text"]))
        return {"terms": [word for word, times in words.most_common(2 * self.tasks) if times > 1]}


def asked(task: Task, record: Record, layout: str) -> Record:
    """The prompt: the document, and the question above or below it."""
    sent = load(layout, record.language).fill(text=task.text, question=task.question)
    reading = ("reading_comprehension", "closed_qa")
    task_type, subtype = ("summarization", "summary") if task.kind == "summary" else reading
    known = {"task_type": task_type, "subtype": subtype, "domain": record.domain or "general", "passage": task.text}
    tags = (*record.tags, "long", f"long:{task.kind}")
    messages, step = sent.messages, f"long_context/{layout.partition('/')[2]}"
    return record.derived(step, messages, sent.sha256, detail=task.detail, tags=tags, reference=task.reference, **known)


def hidden(text: str, depth: float, words: Words, dice: Random) -> Task:
    """A pass key at a depth of the text."""
    secret = "".join(dice.choices(LETTERS, k=dice.randint(5, 9)))
    changed = inserted(text, words.of("passkey", "sentences", KEY=secret), depth)
    question, answer = words.of("passkey", "questions"), words.of("passkey", "answers", KEY=secret)
    return Task("passkey", changed, question, secret, answer, detail=f"{changed.index(secret) / len(changed):.2f} deep")


def counting(text: str, term: str, words: Words) -> Task:
    times = str(occurrences(text, term))
    question, answer = words.of("count", "questions", TERM=term), words.of("count", "answers", TERM=term, COUNT=times)
    return Task("count", text, question, times, answer)


def listing(text: str, term: str, titles: list[str], words: Words) -> Task:
    """Where a term occurs, by the headings of the parts, in their order."""
    answer = words.of("places", "answers", TERM=term, COUNT=str(len(titles)))
    found = "\n".join(f"- {title}" for title in titles)
    return Task("places", text, words.of("places", "questions", TERM=term), "\n".join(titles), f"{answer}\n{found}")


@dataclass(frozen=True, slots=True)
class Words:
    """The wordings of one language, drawn with these dice."""

    known: dict[str, dict[str, list[str]]]
    dice: Random
    left: dict[tuple[str, str], Iterator[str]] = field(default_factory=dict)

    def of(self, kind: str, which: str, **values: str) -> str:
        """One of the wordings of a question, an answer or a sentence, filled in. All have had their turn before one
        comes again: two questions about a text that differ in a term alone are taken for one."""
        turns = self.left.setdefault((kind, which), in_turn(self.known[kind][which], self.dice))
        return FILLED.sub(lambda m: values.get(m[1], m[0]), next(turns))


@cache
def read_wordings(path: str, language: str) -> dict[str, dict[str, list[str]]]:
    """The wordings of a file for one language. Raises RecipeError where they are not whole."""
    try:
        known = TypeAdapter(dict[str, dict[str, dict[str, list[str]]]]).validate_python(
            yaml.safe_load(located(path).read_text("utf-8"))
        )[language if language == "zh" else "en"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, KeyError) as fault:
        said = " ".join(str(fault).split())[:160]
        raise RecipeError(f"{path} is not a file of wordings: {said}", "produce.long_context", WANTED) from None
    if missing := [f"{k}.{w}" for k, ws in WORDINGS.items() for w in ws if not known.get(k, {}).get(w)]:
        raise RecipeError(f"{path} has no {missing[0]} in {language}", "produce.long_context", WANTED)
    return known
