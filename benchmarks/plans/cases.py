"""The recipes with the scripted teachers of tests/flows, and what their logs ask.

Importing it imports Prefect: a server must be up by then, or it would start another.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp.web import StreamResponse, json_response

from tasks.language import detect
from tasks.prompt import fenced
from tasks.recipe import PROJECT, read
from tasks.teacher.invented import WORDS
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows import (
    test_chain,
    test_checked_answers,
    test_complex,
    test_evolving,
    test_forms,
    test_growing,
    test_papers,
    test_reasoning,
    test_specialist,
)
from tests.flows.teachers import Reply, good

RECIPES = PROJECT / "deployments" / "recipes"


@dataclass(frozen=True, slots=True)
class Case:
    """A recipe with its scripted teacher, what the log asks (or a file of it), and settings that make it small."""

    recipe: str
    reply: Reply
    asked: tuple[str, ...] | Path = ()
    changes: tuple[str, ...] = ()


KINDS = tuple(question for kind in test_evolving.ASKED.values() for question in kind)
TWO = tuple(test_forms.ASKED.values())
LINES = tuple(f"Please write me a few lines about {s} for the village paper." for s in test_complex.SUBJECTS["en"])
LINES += tuple(f"请以“{s}”为题，替村里的小报写一段短文。" for s in test_complex.SUBJECTS["zh"])
RECORDED = [json.loads(line) for line in (PROJECT / "data/samples/recorded.jsonl").read_text("utf-8").splitlines()]
LABELS = {row["turns"][0]: row["label"] for row in RECORDED[::4] if len(row["turns"]) == 1 and row["label"]}
MATHS = {"task_type": "mathematics/word_problem", "domain": "education"}
OTHER = {"task_type": "other/other", "domain": "general"}
SAMPLES = PROJECT / "data" / "samples" / "logs.jsonl"
SPECIAL = ("produce.4.rag_router.target=20", "produce.5.tool_use.target=20", "produce.6.multi_turn.target=20")


def targets(technique: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"produce.{n}.{technique}.target=16" for n in numbers)


def cases() -> list[Case]:
    """All recipes whose teacher is not the recorded one and that train no model."""
    grown, papers, special = test_growing.grows, test_papers.reader, test_specialist.Specialist
    evolving, forms, reasoning = test_evolving.evolving, test_forms.reply, test_reasoning.teaching

    def two(body: dict[str, Any]) -> StreamResponse:
        return evolving({**body, "seed": body["model"]})

    maths = [q["question"] for q in test_checked_answers.QUESTIONS[:12]]
    solved = typed(test_checked_answers.school(Counter()), dict.fromkeys(maths, MATHS))
    chained = (*targets("self_instruct", 1, 2), "produce.3.evol_instruct.only.share=1")
    return [
        *(Case(r, good, SAMPLES) for r in ("samples", "minimal", "weekly", "small_model")),
        *(Case(r, typed(evolving, LABELS), tuple(LABELS)) for r in ("wizard_coder", "wizard_math")),
        Case("evol_instruct", evolving, KINDS, ("produce.0.evol_instruct.only.share=1",)),
        Case("multi_model_evol", two, KINDS, ("produce.0.evol_instruct.only.share=1", "judge.model=canned-2")),
        *(Case(r, forms, TWO) for r in ("rewrite_forms", "round_trip", "translated", "decompose", "robust")),
        Case("self_qa", papers, (), ("produce.1.self_qa.questions=3",)),
        *(Case(r, papers) for r in ("dialogue", "backtranslation", "datasets", "reversed_pairs")),
        *(Case(r, grown, (), targets(r, 0, 1)) for r in ("self_instruct", "alpaca", "chinese_llama_alpaca")),
        Case("belle", grown, (), targets("self_instruct", 0)),
        Case("rag", Finder()),
        Case("rag_router", special(), (), targets("rag_router", 0)),
        Case("tool_use", special(), (), targets("tool_use", 0)),
        Case("long_context", special()),
        Case("multi_turn", special(), (), targets("multi_turn", 0)),
        Case("specialist", Finder(), (), SPECIAL),
        *(Case(r, test_complex.writer, LINES) for r in ("complex_instruct", "draw_target")),
        *(Case(r, reasoning, SAMPLES) for r in ("chain_of_thought", "rewrite_answer")),
        Case("multi_teacher", drawing(reasoning), SAMPLES),
        *(Case(r, reasoning, source_of(r)) for r in ("meta_reasoning", "tree_of_thoughts")),
        Case("rejection_sampling", solved, tuple(maths)),
        Case("run_code", test_checked_answers.programmer, tuple(asked for _, asked, _ in test_checked_answers.CODE)),
        Case("chain", test_chain.everything, test_chain.ASKED, chained),
    ]


def drawing(reply: Reply) -> Reply:
    """The teacher, but that it answers in other words each time, as one does that is asked at a temperature."""
    often = Counter[str]()

    def drawn(body: dict[str, Any]) -> StreamResponse:
        last = texts(body)[-1]
        if asked_schema(body):
            return reply(body)
        often[last] += 1
        words = WORDS["zh" if detect(last) == "zh" else "en"]
        return json_response(completion(" ".join(words[often[last] :: 9]), "canned", last))

    return drawn


class Finder(test_specialist.Specialist):
    """Finds words to ask for in every passage, where its parent finds numbers alone."""

    def found(self, last: str, name: str, zh: bool) -> list[dict[str, str]]:
        passage, made = fenced(last)["passage"], list[dict[str, str]]()
        words = dict.fromkeys(re.findall(r"[\u4e00-\u9fff]{2}" if zh else r"\b[a-z]{5,}\b", passage))
        for n, word in enumerate([w for w in words if passage.count(w) == 1][:3]):
            question, other = f"{name} {n}?", f"{name[:3]}{n}"
            self.facts[question] = (word, other)
            made.append({"question": question, "answer": word, "other": other})
        return made


def typed(reply: Reply, labels: dict[str, dict[str, str]]) -> Reply:
    """The teacher, but that it knows the task types of these questions."""

    def typing(body: dict[str, Any]) -> StreamResponse:
        last = texts(body)[-1]
        if asked_schema(body) != "labelled":
            return reply(body)
        label = next((label for question, label in labels.items() if question in last), OTHER)
        return json_response(completion(json.dumps(label), "canned", last))

    return typing


def source_of(recipe: str) -> Path:
    return PROJECT / read(RECIPES / f"{recipe}.yaml").sources[0].uri
