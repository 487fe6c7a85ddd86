"""Tool use: conversations in which a model calls declared tools, reads what comes back, and answers.

Document 002, section 4: beside system, user and assistant there are a turn that calls and a turn that returns, and the
system turn may say which tools there are. A teacher plays all parts: the user, who wants something for which drawn
tools are made; the assistant, who is given the tools; and the tools themselves, to the schema of what they give back.
Calls are checked against the parameters' schema as the row gate does. The cases: a call is needed, several at once are,
none is, a call fails, or the request leaves out what a call needs.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.produce.rounds import dealt, rounds, shares_of
from tasks.produce.seeds import named
from tasks.produce.toolbox import Tool, listed, read_tools
from tasks.prompt import Filled, load
from tasks.record import Kind, Message, Record, Stamp, ToolCall, begun
from tasks.setting import AtOnce, Languages, MaxTokens, Patience, Reasks, Share, Target
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, parse, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed, value
from tasks.teacher.outcomes import Reply
from tasks.teacher.taught import taught
from tasks.text import key
from tasks.tool_calls import fault_of
from tasks.transcript import transcript

QUESTION = ("?", "？")
CASES = ("needed", "parallel", "not_needed", "failing", "missing")
WANTED = {"needed": 1, "failing": 1, "parallel": 2}  # calls in the first turn; none in the other cases


class Request(BaseModel):
    """What a user says to an assistant."""

    request: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What a conversation is to be about: the tools that are offered, those of them that are meant, and the case."""

    number: int
    language: str
    case: str
    offered: tuple[Tool, ...]
    meant: tuple[Tool, ...]
    as_text: bool
    error: int

    @property
    def tools(self) -> str:
        return json.dumps([tool.declared for tool in self.offered], ensure_ascii=False)

    def tool(self, name: str) -> Tool:
        return next(tool for tool in self.offered if tool.name == name)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Conversations in which tools of a file are offered and, where the case wants it, called.

    `target`: conversations to make; null: until nothing new comes.
    `tools`: a file of tools, JSON Lines ({language} stands for en or zh).
    `offered`: tools of it that are offered in a conversation.
    `needed`: share of conversations that need a call; the five shares are weighed against each other.
    `parallel`: share that needs several calls at once.
    `not_needed`: share that needs none.
    `failing`: share in which a call fails.
    `missing`: share in which the request leaves out what a call needs, and is asked back.
    `as_text`: share of conversations whose system turn says as text, too, which tools there are.
    `steps`: turns of calls, after which a conversation without an answer is given up.
    `at_once`: conversations that are played together.
    """

    target: Target | None = 100
    languages: Languages = ("en", "zh")
    tools: str = "data/tools/{language}.jsonl"
    offered: Annotated[int, Field(ge=2)] = 4
    needed: Share = 0.4
    parallel: Share = 0.15
    not_needed: Share = 0.15
    failing: Share = 0.15
    missing: Share = 0.15
    as_text: Annotated[float, Field(ge=0, le=1)] = 0.0
    steps: Annotated[int, Field(ge=1)] = 3
    at_once: AtOnce = 32
    patience: Patience = 3
    max_tokens: MaxTokens = 2048
    reasks: Reasks = 1
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "2 to 2 + 2 x steps a conversation"
    prompts: ClassVar[tuple[str, ...]] = (
        "tool_use/request",
        "tool_use/system",
        "tool_use/assistant",
        "tool_use/result",
        "reask",
    )
    shape: ClassVar[Literal["grow"]] = "grow"

    def __post_init__(self) -> None:
        """Raises ValueError where no share is left."""
        shares_of(self, CASES)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(named(self.tools, language) for language in self.languages)

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        scenes, limits = self.scenes(dice), (self.at_once, self.patience, self.target)
        async for _, made in rounds(scenes, lambda one: self.played(one, teacher), *limits):
            yield Outcome().noting(made.reason) if isinstance(made, NoAnswer) else made

    def scenes(self, dice: Random) -> Iterator[Scene]:
        shares = shares_of(self, CASES)
        dealt_cases = {language: dealt(shares, dice) for language in self.languages}
        for number in count():
            language = self.languages[number % len(self.languages)]
            tools = read_tools(named(self.tools, language))
            case, offered = next(dealt_cases[language]), dice.sample(tools, min(self.offered, len(tools)))
            meant = offered[: dice.choice((1, 2)) if case == "parallel" else 1]
            dice.shuffle(offered)
            as_text = dice.random() < self.as_text
            yield Scene(number, language, case, tuple(offered), tuple(meant), as_text, dice.randrange(2**16))

    async def played(self, scene: Scene, teacher: Teacher) -> Outcome:
        """One conversation, from the user's request to the last answer."""
        record = await self.requested(scene, teacher)
        if record is None:
            return Outcome().noting("unreadable_reply")
        for step in range(self.steps + 1):
            sent = self.sent(record)
            reply = await teacher.ask(sent, 0.7, self.max_tokens, tools=[tool.declared for tool in scene.offered])
            said = answered(record, reply, sent, teacher)
            if fault := misfit(scene, said, step):
                return Outcome().eliminating(said, *fault)
            calls = said.messages[-1].tool_calls
            if not calls:
                return Outcome().making(subtyped(said))
            results = await self.results(scene, said, calls, step, teacher)
            if isinstance(results, str):
                return Outcome().eliminating(said, "invalid_result", results)
            record = replace(said, messages=(*said.messages, *results))
        return Outcome().eliminating(record, "unfinished", f"{self.steps} turns of calls and no answer")

    async def requested(self, scene: Scene, teacher: Teacher) -> Record | None:
        """What the user says, with the tools that are declared; None where the reply cannot be read."""
        prompt = load("tool_use/request", scene.language)
        sent = prompt.fill(tools=listed(scene.offered), meant=listed(scene.meant), situation=prompt.words[scene.case])
        read, _ = await teacher.ask_json(sent, Request, scene.language, 1.0, self.max_tokens, self.reasks, scene.number)
        if read is None or not read.request.strip():
            return None
        system = load("tool_use/system", scene.language).fill(tools=listed(scene.offered)).messages
        turns = (*(system if scene.as_text else ()), Message("user", read.request.strip()))
        made_by = Stamp("tool_use/request", sent.sha256, teacher.model)
        known = {"task_type": "tool_use", "subtype": "function_call", "domain": "general", "tools": scene.tools}
        tags = ("tools", f"tools:{scene.case}")
        return begun(
            "tool_use/request", turns, scene.language, str(scene.number), tags=tags, lineage=(made_by,), **known
        )

    def sent(self, record: Record) -> Filled:
        system = tuple(m for m in record.messages if m.role == "system")
        rest = tuple(m for m in record.messages if m.role != "system")
        return load("tool_use/assistant", record.language).fill({"system": system, "conversation": rest})

    async def results(
        self, scene: Scene, record: Record, calls: tuple[ToolCall, ...], step: int, teacher: Teacher
    ) -> list[Message] | str:
        """What the tools give back for one turn of calls, or what is wrong with it."""
        fails = scene.case == "failing" and step == 0  # and then the first call of the turn
        texts = await together(self.result(scene, record, call, teacher) for call in calls[fails:])
        if none := next((text for text in texts if isinstance(text, NoAnswer)), None):
            raise none
        told = list(map(str, texts))
        for call, text in zip(calls[fails:], told, strict=True):
            if fault := scene.tool(call.name).misfit(text):
                return fault
        told = [failure(scene)] * fails + told
        return [Message("tool", t, tool_call_id=c.id, name=c.name) for c, t in zip(calls, told, strict=True)]

    async def result(self, scene: Scene, record: Record, call: ToolCall, teacher: Teacher) -> str:
        """What a tool might give back for this call, as JSON text."""
        tool = scene.tool(call.name)
        sent = load("tool_use/result", scene.language).fill(
            tool=listed([tool]),
            returns=json.dumps(tool.returns, ensure_ascii=False),
            arguments=call.arguments,
            conversation=transcript(m for m in record.messages if m.role != "system"),
        )
        reply = await teacher.ask(sent, 0.7, self.max_tokens)
        return unfenced(reply.text)

    def example(self, asked: Asked) -> Supposed:
        """For a plan: the user names the case, and the assistant and the tools do what it wants."""
        if asked.shape == "request":
            cases = load("tool_use/request", asked.language).words
            case = next(case for case in CASES if cases[case].strip() in asked.texts[-1])
            return {"request": f"{asked.words(asked.length)} [{case}]"}
        if not asked.tools:
            return fitting(returned(asked.texts[-1]), asked)
        case = asked.texts[-1].rpartition("[")[2].rstrip("]")
        calls = [calling(tool["function"], asked) for tool in asked.tools[: WANTED.get(case, 0)]]
        said = "" if calls else asked.words(asked.length) + "?" * (case == "missing")
        return Reply(said, finish="tool_calls" if calls else "stop", tool_calls=tuple(calls))


def calling(function: dict[str, Any], asked: Asked) -> dict[str, str]:
    """A call of a declared tool, as an endpoint gives it."""
    arguments = json.dumps(fitting(function["parameters"], asked), ensure_ascii=False)
    return {"id": "", "name": function["name"], "arguments": arguments}


def fitting(schema: dict[str, Any], asked: Asked) -> Any:
    """A value of a few words that fits a schema."""
    return value(schema, {}, replace(asked, length=4), listed=2)


def returned(text: str) -> dict[str, Any]:
    """The schema of what a tool gives back, as the request for its result has it."""
    return json.loads(next(line for line in text.splitlines() if line.startswith("{")))


class AnyJson(BaseModel, extra="allow"):
    """An object with whatever in it."""


def unfenced(text: str) -> str:
    """The JSON object of a reply on one line, or the reply itself where it holds none."""
    read, _ = parse(text, AnyJson)
    return json.dumps(read.model_dump(), ensure_ascii=False) if read else text.strip()


def failure(scene: Scene) -> str:
    errors = load("tool_use/result", scene.language).words["errors"].strip().splitlines()
    return json.dumps({"error": errors[scene.error % len(errors)].strip()}, ensure_ascii=False)


def answered(record: Record, reply: Reply, sent: Filled, teacher: Teacher) -> Record:
    """The record with the assistant's turn; calls are numbered through, as endpoints do not all give them names."""
    before = sum(len(m.tool_calls) for m in record.messages)
    calls = [ToolCall(f"call_{before + n}", c["name"], c["arguments"] or "{}") for n, c in enumerate(reply.tool_calls)]
    said = record.answering(reply.text.strip(), calls=calls)
    return taught(said, teacher, sent, (reply.prompt_tokens, reply.response_tokens))


def misfit(scene: Scene, said: Record, step: int) -> tuple[str, str] | None:
    """Why the assistant's turn is not what this case wants, and how; None where it is."""
    turn = said.messages[-1]
    for call in turn.tool_calls:
        if fault := fault_of(call, scene.tools):
            return "invalid_arguments", fault
    if len({(c.name, key(c.arguments)) for c in turn.tool_calls}) < len(turn.tool_calls):
        return "repeated_call", turn.tool_calls[0].name
    if step:
        return None
    calls, wanted, said_at_the_end = len(turn.tool_calls), WANTED.get(scene.case, 0), turn.content[-200:]
    if calls < wanted:
        return ("not_parallel", f"{turn.tool_calls[0].name} alone") if calls else ("no_call", said_at_the_end)
    if calls and not wanted:
        return "needless_call", turn.tool_calls[0].name
    if scene.case == "missing" and not any(mark in turn.content for mark in QUESTION):
        return "nothing_asked_back", said_at_the_end
    return None


def subtyped(record: Record) -> Record:
    """An agent's task where calls follow on the results of others."""
    turns = sum(bool(m.tool_calls) for m in record.messages)
    return replace(record, subtype="agent" if turns > 1 else "function_call")
