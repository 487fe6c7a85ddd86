"""Chatter: a first line or a last sentence that speaks to the user and says nothing of what was asked.

"Sure! Here is the poem:", "I hope this helps!", 好的，以下是正文：, 希望对你有帮助！ Such phrases stand in the same
place of many answers, and so a student learns them first (document 002: no answer is to repeat over the set). The
text of an answer is never altered: its row is tagged or dropped. Found are only phrases that no answer needs, around
one that has something to say: an announcement without such an opening ("Here are five ways:") is a sentence of the
answer, and where a letter, a dialogue or the like was asked for, the last sentence may be somebody's in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from tasks.chatter import plain
from tasks.gate.rows.refused import WANTS_A_TEXT
from tasks.gate.rows.row import Row
from tasks.text import units

TAG = "chatter"
SAYS = 30  # words or Chinese characters that an answer has besides: a shorter one is small talk
END = 240  # characters from the end on, where a last sentence begins
BEFORE = {
    "en": re.compile(
        r"(?:sure(?: thing)?|certainly|of course|absolutely|definitely|no problem|okay|ok)\b[ ]*[!,.:—–-]*[ ]*"
        r"(?:(?:i['’]d be|i would be|i['’]m|i am) (?:happy|glad|delighted)[^.!:\n]{0,80}[.!:]\s*?)?"
        r"(?:(?:here['’]?s|here (?:is|are|you go)|below (?:is|are)|the following (?:is|are))\b[^\n]{0,160}[:.!])?[ ]*\n"
        r"|(?:i['’]d|i would) be (?:happy|glad|delighted) to[^.!:\n]{0,80}[.!:][ ]*\n",
        re.I,
    ),
    "zh": re.compile(
        r"(?:好的呀?|好嘞|当然可以|当然|没问题|可以的)[，,。！!：:～~ ]*"
        r"(?:我很?(?:乐意|高兴|愿意)[^。！：:\n]{0,30}[。！：:]?[ ]*)?"
        r"(?:(?:以下|下面|这里|这)(?:就?是|为|有|给|提供)[^\n]{0,60}[：:。！])?[ ]*\n"
        r"|我?很?(?:乐意|高兴)(?:为|帮)[您你][^。！：:\n]{0,20}[。！：:][ ]*\n"
    ),
}
AFTER = {
    "en": re.compile(
        r"(?<=[.!?\n`*])\s*(?:i hope (?:this|that|it|these|the above)\b[^.!?\n]{0,40}\b(?:help|useful|clarif|answer)"
        r"|hope (?:this|that|it|these) helps|(?:please )?let me know (?:if (?!you can\b|you could\b)|how else\b)"
        r"|(?:please )?feel free to (?:ask|let me know|reach out)\b"
        r"|if you (?:have|need|want|['’]d like|would like)\b[^.!?\n]{0,60}"
        r"\b(?:let me know|feel free|just ask|please ask))"
        r"[^.!?\n]{0,120}[.!?:)😊🙂 ]*\Z",
        re.I,
    ),
    "zh": re.compile(
        r"(?<=[。！？!?\n`*])\s*(?:我?希望(?:这|以上|上述|上面|我的|能|可以|对)[^。！？\n]{0,24}(?:帮助|帮到|有用)"
        r"|(?:如果|如)?(?:您|你)?(?:如果)?(?:还?有|需要)(?:任何)?(?:其他|其它|别的|更多|进一步)?[^。！？\n]{0,16}"
        r"(?:随时|尽管|欢迎|告诉我|可以继续))[^。！？\n]{0,24}[。！!～~ ]*\Z"
    ),
}


def chatter(row: Row) -> str:
    """The phrase before or after what the answer says; empty where there is none."""
    which, said = "zh" if row.language == "zh" else "en", row.response.strip()
    folded, last = plain(said, row.language), max(0, len(said) - END)
    before = BEFORE[which].match(folded)
    after = None if WANTS_A_TEXT.search(row.last) else AFTER[which].search(folded[last:])
    parts = [said[: before.end()] if before else "", said[last + after.start() : last + after.end()] if after else ""]
    found = " … ".join(" ".join(part.split()) for part in parts if part)
    return found if found and units(said) - units(found) >= SAYS else ""


def tagged(table: pa.Table, chatting: Sequence[bool]) -> pa.Table:
    """The table with the tag on some of its rows."""
    tags = table.column("tags").to_pylist()
    new = [[*t, TAG] if here and TAG not in t else t for t, here in zip(tags, chatting, strict=True)]
    place = table.schema.get_field_index("tags")
    return table.set_column(place, table.schema.field(place), pa.array(new, table.schema.field(place).type))
