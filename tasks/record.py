"""The record: one conversation on its way from a log line to a training row.

A record is immutable. Stages give new ones; what a record was made by stands in its lineage. As rows of a shard
its fields are the columns of `SCHEMA` (`tasks.schema`).

Four ids name four things: `log_id` a log line (source and row), a made id a record that a technique made and
no user wrote, `prompt_id` what is asked, `row_id` what is trained on (the prompt and its response).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, Self, cast

import orjson

from tasks.hashing import sha256
from tasks.poured import poured

MADE = "m-"  # how the id of a record begins that a technique made
NO_TIME = datetime.fromtimestamp(0, UTC)  # when a record was asked that nobody asked
Kind = Literal["passages", "prompts", "rows"]
ROBUST = "robust"  # the tag of a row whose bad spelling the model is to bear: never repaired, never cleaned away


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that an assistant turn makes; `arguments` is JSON text, as on the wire."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `trained` says whether it carries loss: only turns that a teacher wrote do."""

    role: str
    content: str
    reasoning_content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    trained: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict on a record: `value` on the scale of `name`, and why."""

    name: str
    value: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One line of lineage: which step, with which prompt file (sha256) and model, from which prompts.

    `detail` is what the step itself has to say of how it came to this, as text or JSON: a search trace, say.
    """

    step: str
    prompt: str = ""
    model: str = ""
    parents: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One conversation and what is known of it.

    `roots` are the ids whose fate it decides: the log rows that ask it, or its own made id, and whatever
    merged into it. `derived_from` are the log ids that a made record stands on besides. `messages` ends
    with what is asked until a teacher answers it, and with that response, `trained`, from then on.
    `student_response` and `vote` are what the logged model said and what the user thought of it; they are
    never published as an answer.

    `licence` is that of all texts of others that it holds: a document's, a dataset's, the teacher's (`licences`).

    What techniques know: `passage` is the text that a prompt was made from, `reference` the right answer where it
    is known, `constraints` what code can check of the answer (JSON each), `rejected` answers that were worse.
    """

    roots: tuple[str, ...]
    messages: tuple[Message, ...]
    asked_at: datetime
    input: str = ""
    tools: str = ""
    language: str = ""
    task_type: str = ""
    subtype: str = ""
    domain: str = ""
    tags: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    teacher: str = ""
    licence: str = ""
    prompt_tokens: int = 0
    response_tokens: int = 0
    conversation: str = ""
    user: str = ""
    student: str = ""
    student_response: str = ""
    vote: str = ""
    split: str = ""
    lineage: tuple[Stamp, ...] = ()
    derived_from: tuple[str, ...] = ()
    passage: str = ""
    reference: str = ""
    constraints: tuple[str, ...] = ()
    rejected_answers: tuple[str, ...] = ()

    @property
    def ask(self) -> tuple[Message, ...]:
        """The turns up to and with what is asked."""
        return self.messages[:-1] if self.answered else self.messages

    @property
    def answered(self) -> bool:
        return bool(self.messages) and self.messages[-1].role == "assistant" and self.messages[-1].trained

    @property
    def kind(self) -> Kind:
        """A passage that nobody has asked about yet, a prompt, or a row with its response."""
        return "rows" if self.answered else "prompts" if self.messages else "passages"

    @property
    def made(self) -> bool:
        """Whether a technique made it, not a user."""
        return self.roots[0].startswith(MADE)

    @property
    def logs(self) -> tuple[str, ...]:
        """Every log id it stands on."""
        return tuple(dict.fromkeys(i for i in (*self.roots, *self.derived_from) if not i.startswith(MADE)))

    @property
    def response(self) -> str:
        """What the teacher answered, its tool calls included; empty before."""
        return spoken(self.messages[-1]) if self.answered else ""

    @property
    def instruction(self) -> str:
        """The last user turn."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def prompt_id(self) -> str:
        return self.identified("p", map(spelt, self.ask))

    @property
    def row_id(self) -> str:
        """The hash of all that is trained on: every turn with its reasoning and loss flag, input, tools."""
        return self.identified("r", map(spelt, self.messages))

    @property
    def ids(self) -> tuple[str, str]:
        """Its `prompt_id` and its `row_id`, each turn spelt once for both."""
        turns = list(map(spelt, self.messages))
        return self.identified("p", turns[: len(self.ask)]), self.identified("r", turns)

    def identified(self, kind: str, turns: Iterable[bytes]) -> str:
        """The name of some turns of it, each as JSON; a passage, which has none yet, is known by its text."""
        about = [self.input, self.tools] if self.messages else [self.input, self.tools, self.passage]
        return hashed(kind, b"[[%b],%b]" % (b",".join(turns), b",".join(map(quoted, about))))

    def score(self, name: str) -> float | None:
        return next((s.value for s in self.scores if s.name == name), None)

    def answering(self, text: str, reasoning: str = "", calls: Iterable[ToolCall] = ()) -> Self:
        """The record with a response that carries loss."""
        said = message_of("assistant", text, reasoning_content=reasoning, tool_calls=tuple(calls), trained=True)
        return self.knowing(messages=(*self.ask, said))

    def knowing(self, **known: Any) -> Self:
        """The record with other values in some fields: `replace`, in a quarter of the time."""
        values = list(VALUES(self))
        for name, value in known.items():
            values[PLACES[name]] = value
        return cast(Self, record_of(*values))

    def stamped(
        self,
        step: str,
        prompt: str = "",
        model: str = "",
        parents: Iterable[str] = (),
        detail: str = "",
        **known: Any,
    ) -> Self:
        """The record with one line of lineage more, and with what the step found out (`known`)."""
        return self.knowing(lineage=(*self.lineage, stamp_of(step, prompt, model, tuple(parents), detail)), **known)

    def asking(self, text: str) -> tuple[Message, ...]:
        """The turns with another text in the place of what the user asks last."""
        *before, _ = self.ask or (Message("user", ""),)
        return (*before, Message("user", text))

    def derived(
        self, step: str, messages: Sequence[Message], prompt: str = "", model: str = "", detail: str = "", **known: Any
    ) -> Self:
        """A new record that a step made of this one: it has its language, labels, tags, session and licence, and an
        id of its own.

        Answer, verdicts and votes stay behind, and so does the input, unless `known` names them.
        """
        bare = replace(
            self,
            messages=tuple(messages),
            **{
                **NOT_KNOWN,
                "user": "",
                "conversation": self.conversation or self.prompt_id,
                "derived_from": self.logs,
                **known,
            },
        ).stamped(step, prompt, model, (self.prompt_id,), detail)
        apart = (detail,) if detail else ()  # two of one record that say the same so far
        return replace(bare, roots=(identity("m", step, self.roots[0], self.prompt_id, bare.row_id, *apart),))

    def row(self) -> dict[str, Any]:
        """The record as plain data in the shape of `SCHEMA`, ids included."""
        plain = {name: getattr(self, name) for name in FIELDS}
        plain["messages"] = [turn(m) for m in self.messages]
        plain["scores"] = [{"name": s.name, "value": s.value, "reason": s.reason} for s in self.scores]
        plain["lineage"] = [
            {"step": s.step, "prompt": s.prompt, "model": s.model, "parents": list(s.parents), "detail": s.detail}
            for s in self.lineage
        ]
        plain["prompt_id"], plain["row_id"] = self.ids
        return plain

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        known = {name: row[name] for name in FIELDS}
        known |= {name: tuple(row[name]) for name in TEXTS}
        known["messages"] = tuple(message(m) for m in row["messages"])
        known["scores"] = tuple(Score(**s) for s in row["scores"])
        known["lineage"] = tuple(stamp(s) for s in row["lineage"])
        return cls(**known)


record_of, message_of, stamp_of = poured(Record), poured(Message), poured(Stamp)
AND = " AND "
FIELDS = tuple(f.name for f in fields(Record))
PLACES = {name: place for place, name in enumerate(FIELDS)}
VALUES = attrgetter(*FIELDS)
SPELT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
TURN = b'{"content":%b,"name":%b,"reasoning_content":%b,"role":%b,"tool_call_id":%b,"tool_calls":%b,"trained":%b}'
TEXTS = ("roots", "tags", "derived_from", "constraints", "rejected_answers")  # fields that are lists of texts
NOT_KNOWN: dict[str, Any] = {  # of a record that was only just made
    **dict.fromkeys(("input", "student", "student_response", "vote", "split", "teacher"), ""),
    **dict.fromkeys(("prompt_tokens", "response_tokens"), 0),
    **dict.fromkeys(("scores", "constraints", "rejected_answers"), ()),
    "reference": "",
}


def begun(step: str, messages: Sequence[Message], language: str, origin: str = "", **known: Any) -> Record:
    """A record that stands on nobody's log. `origin` tells apart what says the same: a file and a place in it."""
    bare = Record((), tuple(messages), NO_TIME, language=language, **known)
    if not bare.lineage:
        bare = bare.stamped(step)
    return replace(bare, roots=(identity("m", step, origin, bare.row_id),))


def licences(*names: str) -> str:
    """The licences under which a text falls at once, as SPDX writes it, each once: `CC-BY-SA-4.0 AND MIT`."""
    return AND.join(dict.fromkeys(one for name in names for one in name.split(AND) if one))


def spoken(said: Message) -> str:
    """A turn as one text, each tool call as `name(arguments)`."""
    if not said.tool_calls:
        return said.content
    calls = [f"{c.name}({c.arguments})" for c in said.tool_calls]
    return "\n".join([said.content, *calls] if said.content else calls)


def turn(said: Message) -> dict[str, Any]:
    """A message as plain data, tool calls in the shape that consumers load."""
    return {
        "role": said.role,
        "content": said.content,
        "reasoning_content": said.reasoning_content,
        "tool_calls": [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in said.tool_calls
        ],
        "tool_call_id": said.tool_call_id,
        "name": said.name,
        "trained": said.trained,
    }


def stamp(plain: dict[str, Any]) -> Stamp:
    """A line of lineage from plain data; one of an older version has no detail."""
    return Stamp(plain["step"], plain["prompt"], plain["model"], tuple(plain["parents"]), plain.get("detail") or "")


def message(plain: dict[str, Any]) -> Message:
    """The reverse of `turn`."""
    calls = tuple(
        ToolCall(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in plain["tool_calls"] or ()
    )
    same: dict[str, Any] = plain | {"tool_calls": calls}
    return Message(**same)


def identity(kind: str, *parts: Any) -> str:
    """A stable name of 96 bits for plain data, led by a letter that says what it names."""
    return hashed(kind, encoded(parts))


def hashed(kind: str, text: bytes) -> str:
    """The name of a text that is JSON already."""
    return f"{kind}-{sha256(text)[:24]}"


def spelt(said: Message) -> bytes:
    """A turn as JSON: what `SPELT` makes of `turn`, without a dict for it. Ids are made of it, twice for each row."""
    fields = (said.content, said.name, said.reasoning_content, said.role, said.tool_call_id)
    calls = encoded(turn(said)["tool_calls"]) if said.tool_calls else b"[]"
    return TURN % (*map(quoted, fields), calls, b"true" if said.trained else b"false")


def quoted(text: str) -> bytes:
    """A text as JSON, in UTF-8."""
    if text == "":  # as most fields of a turn are
        return b'""'
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:  # a lone surrogate, which ours lets pass
        return encoded(text)


def encoded(plain: Any) -> bytes:
    return SPELT.encode(plain).encode("utf-8", "surrogatepass")
