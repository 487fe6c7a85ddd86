"""RAG: questions with retrieved texts before them, in all the ways in which retrieval goes well and wrong.

Document 002, section 4. What is retrieved holds the answer, is empty, contradicts itself, is about something else, or
is wrong; the model follows the text that it is given and never weighs it against what it knows itself. A teacher finds
a question in a passage, the words that answer it, and other words that could stand there. Code makes the case: it draws
the other texts from the passages of this run (the likeliest by BM25, as a retriever would give them) and puts the other
words into the passage where it is to be wrong. The teacher then answers from the texts alone, and code checks whether
the answer holds the fact that these texts give.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.produce.retrieval import Retrieval
from tasks.produce.rounds import drawn, rounds, shares_of
from tasks.prompt import load
from tasks.record import Kind, Message, Record, licences
from tasks.setting import AtOnce, MaxTokens, Reasks, Share
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.taught import taught
from tasks.text import key

LAYOUTS = ("rag/above", "rag/below", "rag/system")
TERM = r"[A-Za-z]{4,}|[\u4e00-\u9fff]{2}"  # what a plan takes for an answer, and what stands before it for a question
SPOT = re.compile(rf"([^\n]{{12,24}}?[ \u4e00-\u9fff])({TERM})(?![A-Za-z])")
TOLD = ("supported", "contradictory", "wrong")
CASES = (*TOLD, "empty", "irrelevant")


class Fact(BaseModel):
    """A question that a passage answers, the words that answer it, and others that could stand there."""

    question: str
    answer: str
    other: str


class Facts(BaseModel):
    """What a passage can be asked."""

    facts: list[Fact]


class Told(BaseModel):
    """Whether the texts tell what was asked, and the answer."""

    told: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the texts that are retrieved for it, and the words that its answer has to hold, and must not."""

    kind: str
    fact: Fact
    texts: tuple[str, ...]
    layout: str
    licence: str = ""

    @property
    def expected(self) -> tuple[str, ...]:
        said = {"supported": (self.fact.answer,), "wrong": (self.fact.other,)}
        return said.get(self.kind, (self.fact.answer, self.fact.other) if self.kind == "contradictory" else ())

    @property
    def forbidden(self) -> tuple[str, ...]:
        return (self.fact.answer,) if self.kind not in ("supported", "contradictory") else ()


@dataclass(frozen=True, slots=True)
class Rag:
    """Rows from each passage; the passage ends as used, unless it is passed on.

    `questions`: the most questions of a passage.
    `texts`: texts retrieved for a question, where the run has so many.
    `supported`: share of questions whose own passage is among the texts; the five shares are weighed against each
    other.
    `empty`: share of questions for which nothing was found.
    `contradictory`: share where the passage and an altered copy of it contradict each other.
    `irrelevant`: share where all texts are about something else.
    `wrong`: share where the passage is altered and says something wrong.
    `passes_on`: let the passages go on to the next technique.
    `at_once`: passages that are worked on together.
    """

    questions: Annotated[int, Field(ge=1)] = 3
    texts: Annotated[int, Field(ge=1)] = 4
    supported: Share = 0.4
    empty: Share = 0.15
    contradictory: Share = 0.15
    irrelevant: Share = 0.15
    wrong: Share = 0.15
    passes_on: bool = False
    at_once: AtOnce = 16
    max_tokens: MaxTokens = 2048
    reasks: Reasks = 1
    target: ClassVar[None] = None
    takes: ClassVar[Kind] = "passages"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "1 + questions a passage"
    prompts: ClassVar[tuple[str, ...]] = ("rag/facts", "rag/answer", *LAYOUTS, "reask")
    shape: ClassVar[Literal["grow"]] = "grow"

    def __post_init__(self) -> None:
        """Raises ValueError where no share is left."""
        shares_of(self, CASES)

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        given = list(pool)
        by_language = {r.language: [p for p in given if p.language == r.language] for r in given}
        corpora = {language: Corpus(those) for language, those in by_language.items()}
        chances = {record.roots[0]: Random(dice.random()) for record in given}

        async def make(record: Record) -> Outcome:
            return await self.rows(record, corpora[record.language], teacher, chances[record.roots[0]])

        async for record, made in rounds(given, make, self.at_once):
            if isinstance(made, NoAnswer):
                yield Outcome().ending(record, made.reason, made.detail)
            else:
                yield made if self.passes_on else made.ending(record)

    async def rows(self, record: Record, corpus: Corpus, teacher: Teacher, chance: Random) -> Outcome:
        """The rows of one passage."""
        sent = load("rag/facts", record.language).fill(passage=record.passage, count=str(self.questions))
        read, _ = await teacher.ask_json(sent, Facts, record.language, 0.7, self.max_tokens, self.reasks)
        if read is None:
            return Outcome().noting("unreadable_reply")
        outcome, asked = Outcome(), list[tuple[Case, Record]]()
        for fact in read.facts[: self.questions]:
            if unfit(fact, record.passage):
                outcome = outcome.noting("unusable_fact")
                continue
            case = self.case(fact, record, corpus, chance)
            asked.append((case, laid_out(case, record, sent.sha256, teacher.model)))
        said = await together(self.answered(case, one, teacher) for case, one in asked)
        for (_, one), made in zip(asked, said, strict=True):
            if isinstance(made, NoAnswer):
                outcome = outcome.eliminating(one, made.reason, made.detail)
            elif isinstance(made, Record):
                outcome = outcome.making(made)
            else:
                outcome = outcome.eliminating(one, *made)
        return outcome

    def case(self, fact: Fact, record: Record, corpus: Corpus, chance: Random) -> Case:
        """The case that the dice give, and its texts in an order of chance."""
        shares = shares_of(self, CASES)
        kind, layout = drawn(shares, chance), chance.choice(LAYOUTS)
        true, false = record.passage, altered(record.passage, fact)
        own = {"supported": [true], "wrong": [false], "contradictory": [true, false]}.get(kind, [])
        around = [] if kind == "empty" else corpus.others(record, fact, self.texts - len(own), kind, chance)
        texts = [*own, *around]
        chance.shuffle(texts)
        licence = licences(record.licence, *map(corpus.licence_of, around))
        return Case(kind if texts else "empty", fact, tuple(texts), layout, licence)

    async def answered(self, case: Case, asked: Record, teacher: Teacher) -> Record | tuple[str, str]:
        """The row, or why its answer does not follow the texts."""
        prompt = load("rag/answer", asked.language)
        sent = prompt.fill(texts=shown(case, asked.language), question=case.fact.question)
        read, reply = await teacher.ask_json(sent, Told, asked.language, 0.3, self.max_tokens, self.reasks)
        if read is None:
            return "unparsed", reply.text[:200]
        row = taught(asked.answering(read.answer.strip()), teacher, sent, (reply.prompt_tokens, reply.response_tokens))
        return unfaithful(case, read) or row

    def example(self, asked: Asked) -> Supposed:
        """For a plan: asks what follows some words of a passage, and answers with what follows them in the texts."""
        if asked.shape == "facts":
            spots = list(SPOT.finditer(asked.given["passage"]))
            drawn = asked.chance.sample(spots, min(len(spots), 2 * self.questions))
            others = ["".join(asked.words(8).split())[: len(m[2])] for m in drawn]
            made = [Fact(question=m[1], answer=m[2], other=o) for m, o in zip(drawn, others, strict=True)]
            fit = [fact.model_dump() for fact in made if not unfit(fact, asked.given["passage"])]
            return {"facts": fit[: self.questions]}
        if asked.shape == "told":
            following = re.escape(asked.given["question"].strip()) + rf"\s*({TERM})"
            there = re.findall(following, asked.given["texts"])
            return {"told": bool(there), "answer": " / ".join([asked.words(asked.length), *there])}
        return None


class Corpus:
    """The passages of this run in one language."""

    def __init__(self, given: Sequence[Record]) -> None:
        self.given = given
        self.index = Retrieval([record.passage for record in given])
        self.licences = {record.passage: record.licence for record in given}

    def licence_of(self, text: str) -> str:
        return self.licences[text]

    def others(self, record: Record, fact: Fact, count: int, kind: str, chance: Random) -> list[str]:
        """Other passages that do not hold the answer: the likeliest for the question and then any, or for the case
        `irrelevant` any that are not likely."""
        ranked = self.index.ranked(fact.question)
        likely = set(ranked[: len(self.given) // 4] if kind == "irrelevant" else ranked)
        rest = [n for n in range(len(self.given)) if n not in likely]
        chance.shuffle(rest)
        order = rest if kind == "irrelevant" else [*ranked, *rest]
        texts = (self.given[n].passage for n in order if self.given[n].roots != record.roots)
        apart = [text for text in dict.fromkeys(texts) if not holds(text, fact.answer) and not holds(text, fact.other)]
        return apart[: max(0, count)]


def unfit(fact: Fact, passage: str) -> bool:
    """Whether nothing can be made of it: code has to find the answer's words in the passage, and put others there."""
    words = (fact.question.strip(), fact.answer.strip(), fact.other.strip())
    if not all(words) or altered(passage, fact) == passage or holds(fact.question, fact.answer):
        return True
    return holds(passage, fact.other) or holds(fact.other, fact.answer) or holds(fact.question, fact.other)


def altered(passage: str, fact: Fact) -> str:
    """The passage with other words wherever those of the answer stand."""
    return re.sub(whole(fact.answer), lambda _: fact.other, passage)


def holds(text: str, words: str) -> bool:
    return bool(re.search(whole(key(words)), key(text)))


def whole(words: str) -> str:
    """A pattern for these words, and not as a part of another word or number: 18 stands neither in 2018 nor in 18.5."""
    before = r"(?<![A-Za-z0-9])(?<!\d[.,:])" if re.match(r"[A-Za-z0-9]", words) else ""
    after = r"(?![A-Za-z0-9])(?![.,:]\d)" if re.search(r"[A-Za-z0-9]\Z", words) else ""
    return before + re.escape(words) + after


def shown(case: Case, language: str) -> str:
    """The texts as a reader is given them, each under its number."""
    words = load(case.layout, language).words
    heads = [words["head"].replace("#", str(number)) for number in range(1, len(case.texts) + 1)]
    return "\n\n".join(f"{head}\n{text.strip()}" for head, text in zip(heads, case.texts, strict=True)) or words["none"]


def laid_out(case: Case, record: Record, prompt: str, model: str) -> Record:
    """The prompt as it is published. Its passage is what it is asked about, so that the text is not taken for the
    question."""
    texts = shown(case, record.language)
    messages: tuple[Message, ...] = (
        load(case.layout, record.language).fill(texts=texts, question=case.fact.question.strip()).messages
    )
    labels = {"task_type": "reading_comprehension", "subtype": "closed_qa", "domain": record.domain or "general"}
    known = {
        "passage": texts if case.texts else "",
        "licence": case.licence,
        "tags": (*record.tags, "rag", f"rag:{case.kind}"),
        **labels,
    }
    reference = " / ".join(case.expected)
    return record.derived("rag/facts", messages, prompt, model, reference=reference, **known)


def unfaithful(case: Case, said: Told) -> tuple[str, str] | None:
    """Why an answer does not follow the texts; None where it does."""
    if not said.answer.strip():
        return "empty_answer", ""
    if case.kind not in TOLD:
        return ("made_up", said.answer[:200]) if said.told else None
    if not said.told:
        return "not_found", said.answer[:200]
    if missing := [words for words in case.expected if not holds(said.answer, words)]:
        return ("one_sided" if case.kind == "contradictory" else "fact_missing"), missing[0]
    if own := [words for words in case.forbidden if holds(said.answer, words)]:
        return "own_knowledge", own[0]
    return None
