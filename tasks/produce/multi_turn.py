"""Multi-turn: conversations that switch the topic, ask on, or stand under a system turn that matters or does not.

Document 002, section 1.4: the student has to find out by itself whether what is asked has to do with the session, and
whether the system turn does. Each conversation begins with a prompt: of those that are given, else of the seeds. A
teacher answers it and writes what the user says next (for an unrelated switch that is another prompt, so nobody can
have let the session shine through), and a second question, which is not told what was meant, says whether the last turn
leans on the session. An effective system turn holds a rule that code checks of every answer. Under an idle one the
answers are written by a teacher who never sees it, so it cannot have mattered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import ClassVar, Literal

from pydantic import BaseModel

from tasks.hanzi import traditional
from tasks.produce.house_rules import Rule, read_system_turns
from tasks.produce.rounds import dealt, in_turn, rounds, shares_of
from tasks.produce.seeds import named, read_seeds
from tasks.prompt import load
from tasks.record import Kind, Message, Record, begun
from tasks.setting import AtOnce, Languages, MaxTokens, Patience, Reasks, Share, Target
from tasks.step import Outcome
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.taught import taught
from tasks.text import key
from tasks.transcript import transcript

TALK = ("related", "unrelated", "detail")
KINDS = (*TALK, "system_effective", "system_idle")
QUOTED = 12  # characters of an answer, where a plan quotes it
QUOTES = "\"'“”‘’「」『』`"  # that a teacher puts round the words


class FollowUp(BaseModel):
    """What a user says next; `words` are those of the earlier answer that it is about."""

    turn: str
    words: str


class Leaning(BaseModel):
    """Whether the last turn can only be understood with the turns before it."""

    reason: str
    leans: bool


class Bearing(BaseModel):
    """Whether a system turn bears on a conversation."""

    reason: str
    bears: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a conversation is to be: its opening, its kind, the system turn, and another prompt for a switch."""

    number: int
    kind: str
    opening: Record
    other: Record
    system: str = ""
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class MultiTurn:
    """Conversations of two questions and two answers; the prompts that are given go on as they are.

    The last answer carries loss.

    `target`: conversations to make; null: until nothing new comes.
    `related`: share whose second question stays with the topic; the five shares are weighed against each other.
    `unrelated`: share whose second question is about something else.
    `detail`: share whose second question asks about words of the first answer.
    `system_effective`: share under a system turn whose rule each answer keeps.
    `system_idle`: share under a system turn that does not bear on the conversation.
    `train_earlier`: whether the first answer carries loss, too.
    `seeds`: a file of prompts to begin with where none is given ({language} stands for en or zh).
    `systems`: a file of system turns, with the rules of those that have one.
    `at_once`: conversations that are held together.
    """

    target: Target | None = 100
    languages: Languages = ("en", "zh")
    related: Share = 0.2
    unrelated: Share = 0.2
    detail: Share = 0.2
    system_effective: Share = 0.2
    system_idle: Share = 0.2
    train_earlier: bool = True
    seeds: str = "data/seeds/{language}.jsonl"
    systems: str = "data/system_prompts.yaml"
    at_once: AtOnce = 32
    patience: Patience = 3
    max_tokens: MaxTokens = 2048
    reasks: Reasks = 1
    starts: ClassVar[bool] = True
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "3 or 4 a conversation"
    prompts: ClassVar[tuple[str, ...]] = (
        "multi_turn/answer",
        "multi_turn/follow_up",
        "multi_turn/leaning",
        "multi_turn/bearing",
        "reask",
    )
    shape: ClassVar[Literal["grow"]] = "grow"

    def __post_init__(self) -> None:
        """Raises ValueError where no share is left."""
        shares_of(self, KINDS)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.systems, *(named(self.seeds, language) for language in self.languages))

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        plans, limits = self.plans(self.openings(pool), dice), (self.at_once, self.patience, self.target)
        async for _, made in rounds(plans, lambda one: self.held(one, teacher), *limits):
            yield Outcome().noting(made.reason) if isinstance(made, NoAnswer) else made

    def openings(self, pool: Sequence[Record]) -> dict[str, list[Record]]:
        """Prompts of one turn, by language: those given, else the seeds."""
        given = [r for r in pool if len(r.messages) == 1 and not r.input and not r.tools]
        there = given or [one for lang in self.languages for one in of_seeds(named(self.seeds, lang), lang)]
        found = {lang: [r for r in there if r.language == lang] for lang in self.languages}
        return {lang: prompts for lang, prompts in found.items() if len(prompts) > 1}

    def plans(self, openings: dict[str, list[Record]], dice: Random) -> Iterator[Plan]:
        turns, languages = read_system_turns(self.systems), list(openings)
        shares = shares_of(self, KINDS)
        kinds = {language: dealt(shares, dice) for language in languages}
        begins = {language: in_turn(openings[language], dice) for language in languages}
        for number in count() if languages else ():
            language = languages[number % len(languages)]
            kind, opening = next(kinds[language]), next(begins[language])
            plan = Plan(number, kind, opening, another(opening, openings[language], dice))
            if kind == "system_effective":
                rule = dice.choice(turns.effective[language])
                plan = replace(plan, system=rule.text, rule=rule)
            elif kind == "system_idle":
                plan = replace(plan, system=dice.choice(turns.idle[language]))
            yield plan

    async def held(self, plan: Plan, teacher: Teacher) -> Outcome:
        """One conversation, from the opening to the last answer."""
        opening = (Message("user", plan.opening.instruction),)
        first = await self.answer(self.begun(plan, opening), plan, teacher)
        asked = await self.next(plan, first, teacher)
        if asked is None:
            return Outcome().noting("unreadable_reply")
        if isinstance(asked, tuple):
            return Outcome().eliminating(first, *asked)
        last = await self.answer(asked, plan, teacher)
        if plan.rule and (fault := next(filter(None, map(plan.rule.broken, answers(last))), "")):
            return Outcome().eliminating(last, "system_ignored", fault)
        if fault := await self.misjudged(plan, last, teacher):
            return Outcome().eliminating(last, *fault)
        return Outcome().making(self.finished(plan, last))

    def begun(self, plan: Plan, messages: tuple[Message, ...]) -> Record:
        system = (Message("system", plan.system),) if plan.system else ()
        tags = (*plan.opening.tags, "multi_turn", f"multi_turn:{plan.kind}")
        conversation = plan.opening.conversation or plan.opening.prompt_id
        detail = f"conversation {plan.number}"
        known = {"conversation": conversation, "constraints": plan.rule.written if plan.rule else ()}
        return plan.opening.derived("multi_turn", (*system, *messages), detail=detail, tags=tags, **known)

    async def answer(self, record: Record, plan: Plan, teacher: Teacher) -> Record:
        """The teacher's answer to the conversation so far; it does not see a system turn that is to be idle."""
        system = tuple(m for m in record.messages if m.role == "system" and plan.rule)
        rest = tuple(m for m in record.messages if m.role != "system")
        sent = load("multi_turn/answer", record.language).fill({"system": system, "conversation": rest})
        reply = await teacher.ask(sent, 0.7, self.max_tokens)
        spent = (reply.prompt_tokens, reply.response_tokens)
        return taught(record.answering(reply.text.strip()), teacher, sent, spent)

    async def next(self, plan: Plan, record: Record, teacher: Teacher) -> Record | tuple[str, str] | None:
        """The conversation with the user's next turn; why that turn will not do; None where it cannot be read."""
        if plan.kind == "unrelated":
            return replace(record, messages=(*record.messages, Message("user", plan.other.instruction)))
        prompt = load("multi_turn/follow_up", record.language)
        wish = prompt.words.get(plan.kind, prompt.words["related"]).strip()
        sent = prompt.fill(wish=wish, conversation=transcript(m for m in record.messages if m.role != "system"))
        read, _ = await teacher.ask_json(
            sent, FollowUp, record.language, 1.0, self.max_tokens, self.reasks, plan.number
        )
        if read is None or not read.turn.strip():
            return None
        quoted = key(read.words).strip(QUOTES)
        if plan.kind == "detail" and not (quoted and quoted in key(record.response) and quoted in key(read.turn)):
            return "detail_not_quoted", read.words[:200]
        asked = replace(record, messages=(*record.messages, Message("user", read.turn.strip())))
        return asked.stamped(sent.name, sent.sha256, teacher.model)

    async def misjudged(self, plan: Plan, record: Record, teacher: Teacher) -> tuple[str, str] | None:
        """Why a second look does not find what was meant; None where it does, and for what code has checked."""
        if plan.kind == "system_effective":
            return None
        talk = transcript(m for m in record.ask if m.role != "system")
        if plan.kind == "system_idle":
            sent = load("multi_turn/bearing", record.language).fill(system=plan.system, conversation=talk)
            read, reply = await teacher.ask_json(sent, Bearing, record.language, reasks=self.reasks)
            return unread(reply.text) if read is None else ("system_matters", read.reason) if read.bears else None
        sent = load("multi_turn/leaning", record.language).fill(conversation=talk)
        read, reply = await teacher.ask_json(sent, Leaning, record.language, reasks=self.reasks)
        if read is None:
            return unread(reply.text)
        wanted = plan.kind != "unrelated"
        return None if read.leans == wanted else ("not_leaning" if wanted else "leaning", read.reason)

    def finished(self, plan: Plan, record: Record) -> Record:
        """The row: which answers carry loss, and the labels of what is asked last."""
        *before, last = record.messages
        earlier = tuple(replace(m, trained=m.role == "assistant" and self.train_earlier) for m in before)
        source = plan.other if plan.kind == "unrelated" else plan.opening
        labels = {"task_type": source.task_type, "subtype": source.subtype, "domain": source.domain}
        if plan.kind == "detail" and source.task_type:
            labels |= {"task_type": "question_answering", "subtype": "explanation"}
        return replace(record, messages=(*earlier, last), **labels)

    def example(self, asked: Asked) -> Supposed:
        """For a plan: the user quotes the answer, which is how leaning on it is found; no idle system turn bears."""
        said, turn = asked.given.get("assistant", "")[:QUOTED], asked.given.get("user", "")
        match asked.shape:
            case "followup":
                return {"turn": f"{said} {asked.words(asked.length)}", "words": said}
            case "leaning":
                return {"reason": asked.words(asked.length), "leans": said in turn}
            case "bearing":
                return {"reason": asked.words(asked.length), "bears": False}
        return None


def another(opening: Record, prompts: Sequence[Record], dice: Random) -> Record:
    """A prompt to switch to; one in the same script, traditional or simplified, where there is any."""
    others = [one for one in prompts if one is not opening]
    alike = [one for one in others if traditional(one.instruction) == traditional(opening.instruction)]
    return dice.choice(alike or others)


def answers(record: Record) -> list[str]:
    return [m.content for m in record.messages if m.role == "assistant"]


def unread(text: str) -> tuple[str, str]:
    return "unparsed", text[:200]


def of_seeds(path: str, language: str) -> list[Record]:
    """The prompts of a file of seeds that need no input. Raises RecipeError where it cannot be read."""
    alone = [seed for seed in read_seeds(path) if not seed.input and not seed.classification]
    return [
        begun(
            "seeds",
            (Message("user", seed.prompt),),
            language,
            task_type=seed.task_type,
            subtype=seed.subtype,
            domain="general",
        )
        for seed in alone
    ]
