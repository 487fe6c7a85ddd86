"""Knowledge triples as texts: all that is said of one subject, a line for each fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tasks.produce.readers.found import Found

Triple = tuple[str, str, str]  # the names of its columns
SUBJECT = ("subject", "head", "entity", "主语", "主体", "头实体", "实体")
PREDICATE = ("predicate", "relation", "property", "attribute", "谓语", "谓词", "关系", "属性")
OBJECT = ("object", "tail", "value", "宾语", "客体", "尾实体", "值", "属性值")


def columns(names: Sequence[str]) -> Triple | None:
    """Which columns hold subject, predicate and object; None where there are no such."""
    lower = {name.strip().lower(): name for name in names}
    found = [next((lower[n] for n in known if n in lower), "") for known in (SUBJECT, PREDICATE, OBJECT)]
    return (found[0], found[1], found[2]) if all(found) else None


def facts(rows: Iterable[dict[str, Any]], triple: Triple) -> Iterator[Found]:
    """A text for each subject, in the order of the file."""
    said: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        subject, predicate, thing = (str(row.get(name) or "").strip() for name in triple)
        if subject and predicate and thing:
            said[subject].append(f"- {predicate}: {thing}" if predicate.isascii() else f"- {predicate}：{thing}")
    for subject, known in said.items():
        yield Found(subject, "\n".join([f"## {subject}", "", *dict.fromkeys(known)]))
