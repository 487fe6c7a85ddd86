"""A recipe's file as plain data: UTF-8, one YAML document, no key twice, and a sentence for what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tasks.recipe.part import PROJECT, RecipeError, located


class Strict(yaml.SafeLoader):
    """YAML takes the last of two equal keys, and says nothing; here the second is a fault."""


def mapping(loader: Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set[str]()
    for key, _ in node.value:
        if key.value in seen and isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands there twice", key.start_mark)
        seen |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor("tag:yaml.org,2002:map", mapping)


def plain(path: str | Path) -> dict[str, Any]:
    """What a file says; nothing for an empty one. Raises RecipeError."""
    file = located(str(path))
    found = parsed(file, text(file))
    if found is None:
        return {}
    if not isinstance(found, dict):
        kind = "a list" if isinstance(found, list) else f"one {type(found).__name__}"
        raise RecipeError(f"{file} holds {kind}; expected fields such as sources and teacher")
    return found


def text(file: Path) -> str:
    """The file's text. Raises RecipeError."""
    hint = f"try {PROJECT / 'deployments/recipes/minimal.yaml'}"
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise RecipeError(f"no recipe at {file}", hint=hint) from None
    except IsADirectoryError:
        raise RecipeError(f"{file} is a folder, and a recipe is a file", hint=hint) from None
    except UnicodeDecodeError as fault:
        what = f"{file} is not UTF-8: its byte {fault.start} is none of a text"
        raise RecipeError(what, hint="save it as UTF-8") from None
    except (OSError, ValueError) as fault:
        said = getattr(fault, "strerror", None) or str(fault)
        raise RecipeError(f"{file} cannot be read: {said}", hint=hint) from None


def parsed(file: Path, written: str) -> Any:
    """The one document of a text. Raises RecipeError with the line."""
    try:
        return yaml.load(written, Strict)  # noqa: S506  a SafeLoader that is stricter
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said, hint = " ".join(f"{fault.problem or fault}".split()), ""
        if "'\\t'" in said:
            said, hint = "a tab at the beginning of what YAML reads", "indent with spaces"
        raise RecipeError(f"{file}{where} is not YAML: {said}", hint=hint) from None
    except (yaml.YAMLError, ValueError) as fault:  # a date of the 30th of February
        raise RecipeError(f"{file} is not YAML: {' '.join(str(fault).split())}") from None
    except RecursionError:
        raise RecipeError(f"{file} is nested too deep") from None
