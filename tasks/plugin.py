"""A team's own code in a recipe: `rules/our_rule.py:TooBoring`, or `package.module:TooBoring`.

Whoever writes the recipe may run code here, as with any plug-in; nothing of a log ever names one. The module's source
is part of the cache key of the step that it is or works in.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from tasks.recipe import RecipeError, located
from tasks.recipe.fault import placed

FAULTS = (ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, SyntaxError)


@dataclass(frozen=True, slots=True)
class Door:
    """Where in a recipe a plug-in is named, and its settings; what it is (`rule`), what to write, what it is called
    with."""

    field: str
    settings: str
    noun: str
    write: str
    with_: str
    called_with: int


def load(named: str, settings: dict[str, Any], door: Door) -> Any:
    """The plug-in with its settings. Raises RecipeError, one sentence for whatever is wrong with it."""
    return checked(named, found(named, door), settings, door)


def found(named: str, door: Door) -> type[Any]:
    """The class of a plug-in. Raises RecipeError where there is none, or it is of another shape."""
    where, _, wanted = named.rpartition(":")
    module = from_file(located(where), door) if where.endswith(".py") else from_name(where, door)
    made_of = getattr(module, wanted, None) if wanted else None
    if made_of is None:
        classes = sorted(n for n, v in vars(module).items() if isinstance(v, type) and v.__module__ == module.__name__)
        has, hint = ", ".join(classes) or "no class", f"write {door.write}"
        raise RecipeError(f"{where} has no {wanted or 'class without a name'}; it has {has}", door.field, hint)
    if not (isinstance(made_of, type) and is_dataclass(made_of) and made_of.__dataclass_params__.frozen):  # pyright: ignore[reportAttributeAccessIssue]
        raise RecipeError(
            f"{named} is no frozen dataclass, so its settings cannot be part of a key", door.field, door.write
        )
    fits(named, made_of, door)
    return made_of


def fits(named: str, made_of: type[Any], door: Door) -> None:
    """Raises RecipeError where it cannot be called as it will be, or has settings that nobody can check."""
    call = next((vars(c)["__call__"] for c in made_of.__mro__ if "__call__" in vars(c)), None)
    try:
        inspect.signature(call).bind(*[None] * (1 + door.called_with))  # pyright: ignore[reportArgumentType]
    except TypeError:
        what = f"{named} cannot be called with {door.with_}"
        raise RecipeError(what, door.field, f"write {door.write}") from None
    try:
        TypeAdapter(made_of).rebuild()
    except (PydanticUserError, NameError) as fault:
        hint = "give each of its fields a plain type, such as int, str or tuple[str, ...]"
        raise RecipeError(f"the settings of {named} cannot be checked: {said(fault)}", door.field, hint) from None


def from_file(file: Path, door: Door) -> ModuleType:
    """The module under a name of its own, which changes as its text does."""
    try:
        name = f"{file.stem}_{hashlib.sha256(str(file).encode() + file.read_bytes()).hexdigest()[:12]}"
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec
        assert spec.loader
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
    except OSError as fault:
        raise RecipeError(
            f"no {door.noun} at {file}: {fault.strerror}", door.field, "name a file from where the command runs"
        ) from None
    try:
        spec.loader.exec_module(module)
    except (*FAULTS, TypeError, ValueError) as fault:
        del sys.modules[name]
        raise RecipeError(f"{file} cannot be loaded: {said(fault)}", door.field, "mend the file") from None
    return module


def from_name(name: str, door: Door) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (*FAULTS, TypeError, ValueError) as fault:
        what = f"the module {name} cannot be imported: {said(fault)}"
        raise RecipeError(what, door.field, "or name a .py file") from None


def checked(named: str, made_of: type[Any], settings: dict[str, Any], door: Door) -> Any:
    """An instance with these settings."""
    known = [f.name for f in fields(made_of) if f.init]
    if strange := sorted(settings.keys() - set(known)):
        near = difflib.get_close_matches(strange[0], known, 1) or known
        hint = f"did you mean {near[0]}" if near else "it has no settings"
        raise RecipeError(f"{named} has no setting {strange[0]}", f"{door.settings}.{named}", hint)
    try:
        made = TypeAdapter(made_of).validate_python(settings)
    except ValidationError as faults:
        first = faults.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, RecipeError):  # it says itself what is wrong, such as a file that cannot be read
            raise RecipeError(f"{named}: {cause.what}", f"{door.settings}.{named}", cause.hint) from None
        raise RecipeError(": ".join(filter(None, [named, *placed(first)])), f"{door.settings}.{named}") from None
    return made


def said(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
