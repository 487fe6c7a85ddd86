"""The taxonomy: two levels of task types and the domains, in both languages, from a data file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from tasks.recipe import RecipeError, located


@dataclass(frozen=True, slots=True)
class Kind:
    """One name with what it means to a reader of either language."""

    name: str
    en: str
    zh: str

    def line(self, language: str) -> str:
        return f"- {self.name}: {self.zh if language == 'zh' else self.en}"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """`types` are named `type/subtype`."""

    types: tuple[Kind, ...]
    domains: tuple[Kind, ...]

    @classmethod
    def read(cls, path: str) -> Taxonomy:
        """Raises RecipeError where the file is not a taxonomy."""
        try:
            plain: dict[str, Any] = yaml.safe_load(located(path).read_text())
            types = tuple(
                Kind(f"{one}/{two}", f"{first['en']}: {second['en']}", f"{first['zh']}：{second['zh']}")
                for one, first in plain["task_types"].items()
                for two, second in first["subtypes"].items()
            )
            return cls(types, tuple(Kind(n, d["en"], d["zh"]) for n, d in plain["domains"].items()))
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as fault:
            hint = "expected task_types with subtypes, and domains, each with en and zh, as in data/taxonomy.yaml"
            raise RecipeError(f"{path} is not a taxonomy: {fault!r}", "label.taxonomy", hint) from None

    def listed(self, kinds: tuple[Kind, ...], language: str) -> str:
        return "\n".join(k.line(language) for k in kinds)

    @property
    def first_level(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(k.name.partition("/")[0] for k in self.types))
