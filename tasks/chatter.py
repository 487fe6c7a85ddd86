"""A text alone, where a model was to write nothing else: without what announces it, and without what it adds.

Models like to begin with "Sure, here is the request:" and to end with "Shall I go on?". A prompt that begins so is one
that no user writes, and in the midst of a long text such lines are nobody's. A line goes only where it can be nothing
else: one that names the thing itself before a colon, or a last one that offers more.
"""

from __future__ import annotations

import re

from tasks.hanzi import simplified

ANNOUNCED = {
    "en": re.compile(
        r"[\s*_#>]*(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[\s,.!]*)?"
        r"(?:(?:based|judging|going)\s+(?:on|from|by)\s+(?:the|this)\s+(?:reply|response|answer|text),?\s+)?"
        r"(?:here(?:['’]s|\s+is)\s+)?"
        r"(?:(?:the|a|an)\s+)?(?:(?:user|original|most|likely|possible|probable|reconstructed)(?:['’]s)?\s+)*"
        r"(?:request|prompt|question|instruction|query)"
        r"(?:\s+(?:that|the|they|user|person|most|likely|probably|possibly|presumably|probable|to|this|reply|response"
        r"|answer|led|made|sent|wrote|typed|is|was|may|might|must|could|would|have|has|been|be|asked))*[\s*_]*:[\s*_]*",
        re.I,
    ),
    "zh": re.compile(
        r"[\s*_#>]*(?:(?:好的?|当然|没问题|可以)[，,。！!\s]*)?(?:(?:根据|从)[^\n，,：:。]{0,12}(?:回复|文字|内容|回答)[^\n，,：:。]{0,6}[，,]\s*)?(?:以下|下面)?(?:就?是|为)?(?:这位|该|那位)?"
        r"(?:用户|提问者|提问的人|对方|他)?(?:当时|可能|原本|最初|原来)*(?:提出的?|提的|的)*"
        r"(?:要求|请求|提问|问题|指令|原话)(?:可能|应该|大概)?(?:是|为|如下)?[\s*_]*[：:][\s*_]*"
    ),
}
QUOTED = ('"', '"'), ("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("'", "'")
OPENS = {
    "en": re.compile(
        r"\A(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[,!.]?\s*)?"
        r"(?:here(?:['’]s|\s+is)\s+(?:the|a|an|your|my|part|chapter|lesson|section)\b[^\n]{0,80}:"
        r"|[*#_ ]*(?:improved|better|rewritten|revised|trimmed|expanded)\s+(?:answer|version|reply)[*_ ]*:[*_ ]*)?"
        r"[ \t]*\n",
        re.I,
    ),
    "zh": re.compile(
        r"\A(?:(?:好的|当然可以|当然|没问题|可以)[，,。！!]?\s*)?"
        r"(?:(?:以下|下面|这)就?是[^\n]{0,40}[：:]"
        r"|[*#_ ]*(?:改进|改写|修改|优化|精简|扩写)(?:之?后|过)?的(?:回答|版本|答案)[*_ ]*[：:][*_ ]*)?"
        r"[ \t]*\n"
    ),
}
OFFERS = {
    "en": re.compile(
        r"\n\s*(?:would you like|do you want|shall i|should i|let me know (?:if|when|whether)"
        r"|if you(?:['’]d)? (?:like|want))[^\n]{0,160}\s*\Z",
        re.I,
    ),
    "zh": re.compile(
        r"\n\s*(?:(?:需要|要不要|是否需要|是否要|还需要)我|如果(?:您|你)?(?:需要|愿意|想要?|还有|满意)"
        r"|(?:请|您|你)告诉我是否)[^\n]{0,60}\s*\Z"
    ),
}


def unwrapped(said: str, language: str) -> str:
    """The request that was said; empty where nothing but the announcement was."""
    found = ANNOUNCED["zh" if language == "zh" else "en"].match(plain(said, language))
    text = (said[found.end() :] if found else said).strip()
    for opens, closes in QUOTED:
        inner = text[1:-1]
        if len(text) > 1 and text[0] == opens and text[-1] == closes and opens not in inner and closes not in inner:
            return inner.strip()
    return text


def without_chatter(said: str, language: str) -> str:
    """A text without a first line that announces it and a last one that offers to go on."""
    which, text = "zh" if language == "zh" else "en", said.strip()
    folded = plain(text, language)
    opens, offers = OPENS[which].match(folded), OFFERS[which].search(folded)
    return text[opens.end() if opens else 0 : offers.start() if offers else None].strip()


def plain(text: str, language: str) -> str:
    """The text as it is looked at: in simplified characters, each in its place."""
    folded = simplified(text) if language == "zh" else text
    return folded if len(folded) == len(text) else text
