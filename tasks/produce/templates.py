"""NLP datasets as prompts: the columns of a labelled row put into one of several phrasings, in the row's language.

The phrasings stand in a YAML file (data/templates/nlp.yaml), so that a team adds its own task without code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from random import Random
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.language import detect
from tasks.produce.shapes import Asked
from tasks.produce.tagged import kinds, tagged, told
from tasks.recipe import RecipeError, located
from tasks.record import Message

SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
LANGUAGES = ("en", "zh")


class Template(BaseModel):
    """A task: the columns that it needs and what these are called elsewhere, which of them holds the gold answer, names
    for gold values by language, and its phrasings. `tokens` is a column that may hold a text's tokens, and the gold
    column then their tags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, list[str]]
    gold: str
    closed: bool = True  # the gold value is one of the labels
    tokens: str = ""
    names: dict[str, dict[str, str]] = {}
    en: list[str]
    zh: list[str]

    def found(self, cells: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
        """The values of its columns in a row; `called` says what a dataset calls them."""
        lower = {name.strip().lower(): value for name, value in cells.items()}
        names = {slot: [called[slot]] if slot in called else [slot, *others] for slot, others in self.columns.items()}
        return {s: next((lower[n.lower()] for n in of if n.lower() in lower), None) for s, of in names.items()}

    def asked(
        self, row: Mapping[str, Any], called: Mapping[str, str], labels: Mapping[str, str], dice: Random
    ) -> Asked | None:
        """The row as a prompt, with the gold answer where it has one; None where a column has nothing to say."""
        values, named = self.untagged(self.found(row, called), dict(labels))
        texts = {slot: text for slot, value in values.items() if slot != self.gold and (text := plain(value))}
        if texts.keys() != self.columns.keys() - {self.gold}:
            return None
        language = "zh" if detect("\n".join(texts.values())) == "zh" else "en"
        known = named or self.names.get(language, {})
        gold = plain(values[self.gold])
        filled = texts | {"labels": ("、" if language == "zh" else ", ").join(dict.fromkeys(known.values()))}
        phrasing = dice.choice([one for one in getattr(self, language) if filled["labels"] or "{{labels}}" not in one])
        text = SLOT.sub(lambda m: filled[m[1]], phrasing)
        reference = known.get(gold, "") if known and self.closed else gold
        return Asked((Message("user", text),), reference=reference)

    def untagged(self, values: dict[str, Any], labels: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Tokens as the text that they are, their tags as entities, and the labels as the kinds of these; other rows as
        they are."""
        if not self.tokens or not tagged(values[self.tokens], values[self.gold]):
            return values, labels
        text, entities = told(values[self.tokens], values[self.gold], labels)
        return values | {self.tokens: text, self.gold: entities}, {kind: kind for kind in kinds(labels)}


def plain(value: Any) -> str:
    """A cell as text: of several right answers the first, other structures as JSON."""
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        value = value["text"]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = value[0] if value else ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value).strip()


def labels_of(template: Template, rows: Iterable[Mapping[str, Any]], called: Mapping[str, str]) -> dict[str, str]:
    """The gold values of a dataset as its labels, in order; none where they are no closed set."""
    if template.names or not template.closed or not any("{{labels}}" in one for one in (*template.en, *template.zh)):
        return {}
    gold = sorted({plain(template.found(row, called)[template.gold]) for row in rows} - {""})
    return {one: one for one in gold}


@cache
def templates(path: str) -> dict[str, Template]:
    """The tasks of a file, by name. Raises RecipeError for whatever is wrong with it."""
    try:
        plain = yaml.safe_load(located(path).read_text("utf-8"))
        found = {name: Template.model_validate(one) for name, one in plain.items()}
        for name, one in found.items():
            if strange := {m for p in (*one.en, *one.zh) for m in SLOT.findall(p)} - one.columns.keys() - {"labels"}:
                raise ValueError(f"{name} has no column {sorted(strange)[0]}")
    except (OSError, ValueError, AttributeError, yaml.YAMLError, ValidationError) as fault:
        first = " ".join(str(fault).split())[:300]
        raise RecipeError(f"{path} is not a file of templates: {first}", "produce.datasets.templates") from None
    return found
