"""The form that a prompt asks for: JSON and nothing else, and whatever constraints its record has."""

from __future__ import annotations

import json
import re

from tasks.constraint.register import NoConstraint, read
from tasks.constraint.wording import listed
from tasks.fences import blocks
from tasks.gate.rows.row import Row

ONLY_JSON = re.compile(
    r"\b(?:respond|reply|answer|return|output|print|give|provide)\b[^.\n]{0,40}"
    r"(?:\bonly\b[^.\n]{0,30}\bjson\b|\bjson\b[^.\n]{0,20}\b(?:only|and nothing else)\b)"
    r"|\bonly (?:respond|reply|answer|return|output)\b[^.\n]{0,30}\bjson\b"
    r"|(?:只|仅)(?:需|要|能|可|允许)*(?:返回|输出|回复|给出|回答)[^。\n]{0,20}json"
    r"|(?:返回|输出|回复|给出)[^。\n]{0,20}json[^。\n]{0,20}(?:不要|不得|无需|别)[^。\n]{0,12}(?:其他|其它|额外|多余|解释|别的)",
    re.I,
)
UNLESS = re.compile(
    r"\botherwise\b|\bif\b[^.\n]{0,60}\b(?:missing|unclear|incomplete|not enough|unknown|ask)\b|\bor ask\b"
    r"|否则|缺了|缺少|不够|不足|不全|问清|追问|反问|先问",
    re.I,
)
ANOTHER_PROMPT = re.compile(r"\bprompts?\b|提示词", re.I)


def not_json(row: Row) -> str:
    """JSON alone was asked for, whatever the case, and the answer is none; one fence around it is let pass."""
    asked = ONLY_JSON.search(row.last) and not UNLESS.search(row.last) and not ANOTHER_PROMPT.search(row.last)
    if row.calls or row.task_type == "code" or not asked:
        return ""
    text = row.response.strip()
    fenced = blocks(text)
    if len(fenced) == 1 and text.startswith(("```", "~~~")) and text.endswith(("```", "~~~")):
        text = fenced[0].text
    try:
        json.loads(text)
    except (ValueError, RecursionError) as fault:
        return str(fault)[:100]
    return ""


def constraints_unmet(row: Row) -> str:
    """The constraints that the answer breaks, in words; or why one cannot be read, as what cannot be checked is not
    known to hold."""
    try:
        constraints = [read(text) for text in row.constraints]
    except NoConstraint as fault:
        return str(fault)
    return listed([c for c in constraints if not c.holds(row.response)], row.language)
