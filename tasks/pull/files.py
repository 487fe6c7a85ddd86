"""The files of a source: one file, a folder of them, or a glob; hidden and temporary ones left out."""

from __future__ import annotations

from glob import has_magic
from pathlib import Path

from tasks.paths import finished, matching
from tasks.recipe import RecipeError, located

TEXT = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
ENDINGS = (*(text + packed for text in TEXT for packed in ("", ".gz", ".zst")), ".parquet")


def files(uri: str) -> list[Path]:
    """The files of a source, in the order of their names, each once. Raises RecipeError where there is none."""
    path = located(uri.removeprefix("file://"))
    if path.is_dir():
        found = [p for p in path.iterdir() if p.name.lower().endswith(ENDINGS) and finished(p) and p.is_file()]
    elif has_magic(str(path)) and not path.exists():
        found = [p for p in matching(str(path)) if finished(p) and p.is_file()]
    else:
        found = [path] if path.is_file() else []
    if not found:
        hint = f"expected a file, a folder with {', '.join(TEXT)} (or .gz, .zst of these) or .parquet, or a glob"
        raise RecipeError(f"no logs at {uri}", "sources", hint)
    return list({path.resolve(): path for path in sorted(found, reverse=True)}.values())[::-1]
