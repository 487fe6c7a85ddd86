"""Does a text stand alone, or does it speak of a passage that its reader will not see?"""

from __future__ import annotations

import re
from functools import cache

from tasks.hanzi import simplified

WORDS = {
    "en": r"(?:the|this|that) (?:passage|article|excerpt|document"
    r"|(?:text|table|list|section|paragraph)(?: above| below)?)"
    r"(?! (?:messages?|editors?|files?|box|boxes|fields?|of contents)\b)"
    r"|(?:in|according to|based on) the (?:given |provided )?(?:text|material|information|context|source)"
    r"|the (?:given|provided|above) (?:text|passage|information|material|context)"
    r"|(?:in|according to|based on|from) (?:the|this) (?:brief|briefing|report|notice|newsletter)"
    r"(?! (?:of|by|on|from|to)\b)"
    r"|the author(?! of)|(?:as )?(?:mentioned|described|stated|listed) (?:above|below)",
    "zh": r"文中|本文|上文|下文|原文|全文|该文|此文|这篇|该篇|这段(?:话|文|材料|内容|描述)|该段"
    r"|上述|上表|下表|表中|该表|本表|材料(?:中|里|提到|提及|所)"
    r"|(?:根据|依据|按照|结合)(?:所给|给定|以上|上面|这份|该)?(?:材料|资料|内容|段落|信息)"
    r"|(?:根据|依据|按照|据)(?:该|这份|此)?(?:简报|报告|公告|通报)(?=[，,、：:？?。]|中|里|内|所)"
    r"|(?:简报|公告|通报)(?:中|里|提到|提及|指出)"
    r"|作者(?:认为|指出|提到|写道)|(?:文章|资料|段落|文档|片段)(?:中|里|提到|提及|指出|所)",
}


LEADS = {
    "en": re.compile(
        r"\A\s*(?:according to|based on|from|in) (?:the|these|those) (?:given |provided |available )?"
        r"(?:texts?|passages?|findings|materials?|information|context|sources?|documents?)"
        r"(?: (?:above|below|given|provided|found))?,\s*",
        re.I,
    ),
    "zh": re.compile(
        r"\A\s*(?:根据|依据|按照|据)(?:所给|给定|以上|上面|上述|现有|已有|这些|这份|该)?的?"
        r"(?:材料|资料|资讯|内容|段落|信息|文献|线索|记载)(?:显示|可知|所述|记载|中|来看)?[，,：:]\s*"
    ),
}


def unled(text: str, language: str) -> str:
    """The text without a first clause that says from what it was taken (根据资料，…; based on the passages, …)."""
    which = "zh" if language == "zh" else "en"
    found = LEADS[which].match(simplified(text) if which == "zh" else text)
    rest = text[found.end() :] if found else text
    return rest[:1].upper() + rest[1:] if found else text


def refers(text: str, language: str) -> str:
    """The words, in simplified characters, by which a text refers to a passage; empty where it does not."""
    found = pattern("zh" if language == "zh" else "en").search(simplified(text) if language == "zh" else text)
    return found[0] if found else ""


@cache
def pattern(language: str) -> re.Pattern[str]:
    """Whole words in English; Chinese has no spaces to go by."""
    return re.compile(WORDS[language] if language == "zh" else rf"\b(?:{WORDS[language]})\b", re.I)
