"""RAG router: messages that need a look into the knowledge base, and messages that do not, as classification rows.

Document 002, section 4: before retrieval stands a classifier of knowledge against chat, and whatever asks for knowledge
is looked up, however well known it is, since nobody can tell what a model knows for sure. A teacher writes messages of
a drawn kind about a drawn topic; a second question, which does not know the kind, sorts them; where the two do not
agree the message is dropped. The wording of the task and the names of the two classes vary, so that no answer text
repeats over the whole set.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.produce.rounds import dealt, rounds
from tasks.produce.seeds import named, read_lines
from tasks.prompt import load
from tasks.record import Kind, Message, Record, Stamp, begun
from tasks.setting import AtOnce, Languages, MaxTokens, Patience, Reasks, Target
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.taught import taught

KINDS = ("knowledge", "chat")


class Messages(BaseModel):
    """What users write."""

    messages: list[str]


class Sorted(BaseModel):
    """For each message, in order, whether it asks for knowledge."""

    knowledge: list[bool]


@dataclass(frozen=True, slots=True)
class Round:
    """One call: messages of a kind about a topic. `form` is which wording of the task each row gets."""

    number: int
    language: str
    kind: str
    topic: str
    forms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RagRouter:
    """Rows with a message each, and whether it needs a look into the knowledge base.

    `target`: rows to make; null: until nothing new comes.
    `knowledge`: share of the rows that ask for knowledge; the others chat.
    `messages`: messages that one call writes.
    `topics`: a file with a topic on each line ({language} stands for en or zh).
    `at_once`: calls that go out together, in one round.
    """

    target: Target | None = 200
    languages: Languages = ("en", "zh")
    knowledge: Annotated[float, Field(ge=0, le=1)] = 0.5
    messages: Annotated[int, Field(ge=1, le=20)] = 5
    topics: str = "data/seeds/topics.{language}.txt"
    at_once: AtOnce = 8
    patience: Patience = 5
    max_tokens: MaxTokens = 2048
    reasks: Reasks = 1
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "2 for `messages` rows"
    prompts: ClassVar[tuple[str, ...]] = ("rag_router/messages", "rag_router/sorted", "rag_router/task", "reask")
    shape: ClassVar[Literal["grow"]] = "grow"

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(named(self.topics, language) for language in self.languages)

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        calls, limits = self.calls_of(dice), (self.at_once, self.patience, self.target, self.messages)
        async for _, made in rounds(calls, lambda one: self.rows(one, teacher), *limits):
            if isinstance(made, NoAnswer):
                yield Outcome().noting(made.reason)
                continue
            for what in made.noted:
                yield Outcome().noting(what)
            for row in made.out:
                yield Outcome().making(row)
            if made.dropped:
                yield Outcome(dropped=made.dropped, made=len(made.dropped))

    def calls_of(self, dice: Random) -> Iterator[Round]:
        shares = {"knowledge": self.knowledge, "chat": 1 - self.knowledge}
        kinds = {language: dealt(shares, dice) for language in self.languages}
        for number in count():
            language = self.languages[number % len(self.languages)]
            topic = dice.choice(read_lines(named(self.topics, language)))
            forms = tuple(dice.randrange(2**16) for _ in range(self.messages))
            yield Round(number, language, next(kinds[language]), topic, forms)

    async def rows(self, one: Round, teacher: Teacher) -> Outcome:
        prompt = load("rag_router/messages", one.language)
        wanted = prompt.words[one.kind].strip()
        sent = prompt.fill(topic=one.topic, count=str(self.messages), kind=wanted)
        read, _ = await teacher.ask_json(sent, Messages, one.language, 1.0, self.max_tokens, self.reasks, one.number)
        texts = [text.strip() for text in dict.fromkeys(read.messages) if text.strip()][: self.messages] if read else []
        if not texts:
            return Outcome().noting("unreadable_reply")
        listed = "\n".join(f"{n}. {' '.join(text.split())}" for n, text in enumerate(texts, 1))
        check = load("rag_router/sorted", one.language).fill(messages=listed)
        verdict, reply = await teacher.ask_json(check, Sorted, one.language, 0.0, self.max_tokens, self.reasks)
        if verdict is None or len(verdict.knowledge) != len(texts):
            return Outcome().noting("unreadable_reply")
        outcome, spent = Outcome(), (reply.prompt_tokens // len(texts), reply.response_tokens // len(texts))
        for text, form, knowledge in zip(texts, one.forms, verdict.knowledge, strict=False):
            begins = Stamp("rag_router/messages", sent.sha256, teacher.model)
            row = taught(classified(text, one, form, begins), teacher, check, spent)
            fits = knowledge == (one.kind == "knowledge")
            outcome = outcome.making(row) if fits else outcome.eliminating(row, "contested", f"meant as {one.kind}")
        return outcome

    def example(self, asked: Asked) -> Supposed:
        """For a plan: messages that ask for knowledge end in a question mark, and by that they are sorted."""
        if asked.shape == "messages":
            known = load("rag_router/messages", asked.language).words["knowledge"].strip() in asked.texts[-1]
            return {"messages": [asked.words(asked.length) + "?" * known for _ in range(self.messages)]}
        return {"knowledge": [line.endswith("?") for line in asked.given["messages"].splitlines()]}


def classified(text: str, one: Round, form: int, begins: Stamp) -> Record:
    """The row: the task in one of its wordings, and the name that the class bears there."""
    prompt = load("rag_router/task", one.language)
    wordings = [line.split("|") for line in prompt.words["wordings"].strip().splitlines()]
    task, *names = (part.strip() for part in wordings[form % len(wordings)])
    messages: tuple[Message, ...] = prompt.fill(task=task, message=text).messages
    known = {"task_type": "classification", "subtype": "intent", "domain": "general"}
    tags = ("rag", f"router:{one.kind}")
    record = begun(
        "rag_router/messages", messages, one.language, str(one.number), tags=tags, lineage=(begins,), **known
    )
    return record.answering(names[KINDS.index(one.kind)])
