"""Parsers by the language that a fence names; each gives the first fault of a text, or None.

The text is a model's, so it is hostile: its size is bounded before it gets here, the parsers build nothing and
run nothing, and where one gives up for depth the text counts as parsed. HTML is left out on purpose, since every
text is HTML to a browser; so are C and C++, whose macros make text that is neither until they are replaced.
Python, JSON, YAML, TOML and XML by the standard library and PyYAML, SQL by sqlglot in the dialects that people
write, the others by their tree-sitter grammars.
"""

from __future__ import annotations

import ast
import json
import logging
import re
import textwrap
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any
from xml.parsers import expat

import yaml

MOST_CHARACTERS = 20_000
DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """What a parser found first, and in which line of the block."""

    line: int
    said: str


Parser = Callable[[str], Fault | None]
GIVES_UP = (RecursionError, MemoryError)
PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.)(?: |$)")
MAGIC = re.compile(r"^\s*[%!].*$", re.M)
STUMBLES = (AttributeError, IndexError, KeyError, TypeError, ValueError)  # sqlglot, over some broken statements
PRINTS = re.compile(r"^\s*print\s+[^\s(=]|^\s*except\s+\w+\s*,\s*\w+\s*:", re.M)  # Python 2
PROCEDURE = re.compile(r"\b(?:delimiter|procedure|function|trigger|declare|begin|cursor|exec)\b|^\s*[\\.]", re.I | re.M)
COMMENT = re.compile(r"(?:^|(?<=[\s,\[{]))//[^\n]*|/\*(?s:.*?)\*/", re.M)
DIALECTS = ("", "mysql", "postgres", "sqlite", "tsql", "oracle", "bigquery", "snowflake", "hive")
BRACKETS = re.compile(r"[(\[{)\]}]")
NO_BODY = re.compile(r"expected an indented block after .* on line (\d+)")


def bounded(text: str) -> bool:
    """Whether a text is of a size and depth that a person would write."""
    depth = deepest = 0
    for mark in BRACKETS.findall(text):
        depth += 1 if mark in "([{" else -1
        deepest = max(deepest, depth)
    return len(text) <= MOST_CHARACTERS and deepest <= DEEPEST and text.count("<") - text.count(">") <= 8 * DEEPEST


def python(text: str) -> Fault | None:
    """Also a session at the prompt, and without a notebook's own commands; Python 2 is not judged, and a body that
    a comment stands for is a body."""
    lines = text.splitlines()
    if any(line.lstrip().startswith(">>>") for line in lines):
        lines = [PROMPT.sub("", line) for line in lines if PROMPT.match(line)]
    lines = textwrap.dedent(MAGIC.sub("", "\n".join(lines))).splitlines()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse("\n".join(lines))
    except SyntaxError as fault:
        bodiless = NO_BODY.search(fault.msg)
        inside = next((line for line in lines[int(bodiless[1]) :] if line.strip()), "") if bodiless else ""
        excused = inside.lstrip().startswith("#") or PRINTS.search(text)
        return None if excused else Fault(fault.lineno or 1, fault.msg)
    except (*GIVES_UP, ValueError):
        return None
    return None


def as_json(text: str) -> Fault | None:
    """One value, or one on each line, or the inside of an object; comments are taken for granted."""
    bare = COMMENT.sub("", text)
    lines = [line for line in bare.splitlines() if line.strip()]
    try:
        for form in ([text], [bare], [f"{{{bare.strip().rstrip(',')}}}"], [f"[{bare.strip().rstrip(',')}]"], lines):
            if all(map(loads, form)):
                return None
        json.loads(bare)
    except json.JSONDecodeError as fault:
        return Fault(fault.lineno, fault.msg)
    except (*GIVES_UP, ValueError):
        return None
    return None


def loads(text: str) -> bool:
    """Whether a text is JSON. Raises RecursionError."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def as_yaml(text: str) -> Fault | None:
    """Events alone: no aliases are followed and no objects are made."""
    try:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.MarkedYAMLError as fault:
        return Fault(fault.problem_mark.line + 1 if fault.problem_mark else 1, fault.problem or "not YAML")
    except (*GIVES_UP, yaml.YAMLError):
        return None
    return None


def toml(text: str) -> Fault | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        return Fault(int(line[1]) if line else 1, str(fault))
    except GIVES_UP:
        return None
    return None


def xml(text: str) -> Fault | None:
    """A document or a piece of one. One that declares or uses entities of its own is not judged."""
    inside = re.sub(r"^\s*<\?xml.*?\?>", "", text, count=1, flags=re.S)
    if "<!" in inside.replace("<!--", "").replace("<![CDATA[", ""):
        return None
    parser = expat.ParserCreate()
    try:
        parser.Parse(f"<all>{inside}</all>".encode("utf-8", "replace"), True)
    except expat.ExpatError as fault:
        entity = fault.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]
        return None if entity else Fault(fault.lineno, expat.ErrorString(fault.code) or "not XML")
    return None


def sql(text: str) -> Fault | None:
    """In any of the dialects; procedures, and the commands of a shell, are not judged."""
    if PROCEDURE.search(text):
        return None
    import sqlglot
    from sqlglot.errors import ParseError, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement that it takes as it is
    first: Fault | None = None
    for dialect in DIALECTS:
        try:
            sqlglot.parse(text, dialect=dialect)
        except ParseError as fault:
            found = fault.errors[0] if fault.errors else {}
            first = first or Fault(found.get("line") or 1, str(found.get("description") or "not SQL"))
        except SqlglotError as fault:
            first = first or Fault(1, str(fault).split("\n", 1)[0])
        except STUMBLES:
            first = first or Fault(1, "not SQL")
        except GIVES_UP:
            return None
        else:
            return None
    return first


@cache
def grammar(module: str, name: str) -> Any:
    """A tree-sitter parser."""
    from tree_sitter import Language, Parser

    return Parser(Language(getattr(import_module(module), name)()))


def tree(text: str, module: str, name: str = "language") -> Fault | None:
    """By a tree-sitter grammar: the first error in the order of the text."""
    node = grammar(module, name).parse(f"{text}\n".encode("utf-8", "replace")).root_node
    if not node.has_error:
        return None
    while inner := next((c for c in node.children if c.has_error or c.is_missing), None):
        node = inner
    what = f"missing {node.type}" if node.is_missing else "syntax error"
    return Fault(min(node.start_point[0] + 1, text.count("\n") + 1), what)


def typescript(text: str) -> Fault | None:
    """With or without elements in it, whatever the fence says."""
    with_elements = tree(text, "tree_sitter_typescript", "language_tsx")
    return with_elements and tree(text, "tree_sitter_typescript", "language_typescript") and with_elements


def rust(text: str) -> Fault | None:
    """Items, or the inside of a function."""
    fault = tree(text, "tree_sitter_rust")
    return fault and tree(f"fn it() {{\n{text}\n}}", "tree_sitter_rust") and fault


GRAMMARS: dict[tuple[str, ...], Parser] = {
    ("python", "py", "python3", "pycon"): python,
    ("json",): as_json,
    ("yaml", "yml"): as_yaml,
    ("toml",): toml,
    ("xml", "svg"): xml,
    ("sql", "mysql", "postgresql", "sqlite"): sql,
    ("javascript", "js", "jsx"): partial(tree, module="tree_sitter_javascript"),
    ("typescript", "ts", "tsx"): typescript,
    ("java",): partial(tree, module="tree_sitter_java"),
    ("go", "golang"): partial(tree, module="tree_sitter_go"),
    ("rust", "rs"): rust,
    ("bash", "sh", "shell"): partial(tree, module="tree_sitter_bash"),
}
PARSERS: dict[str, Parser] = {name: parser for names, parser in GRAMMARS.items() for name in names}
