"""Refusals: an answer that opens with one, also behind a friendly sentence.

A letter, a dialogue or an example that somebody asked for may open with "I'm sorry, but I can't come", and
that is no refusal: there, only words count by which a model speaks of itself or of the request. Nor is one
that is quoted.
"""

from __future__ import annotations

import re

from tasks.gate.rows.row import Row

REFUSALS = {
    "en": re.compile(
        r"(?:i['’]?m (?:really |very |truly |so )?sorry,?|i apologi[sz]e,?|sorry,?|unfortunately,?|i(?:'m| am) afraid)"
        r"[^.!?\n]{0,30}\b(?:can['’]?t|cannot|can not|unable|won['’]?t|not able)\b"
        r"|i (?:can['’]?t|cannot|won['’]?t) (?:help(?! but)|assist|comply|do that|provide|support)"
        r"|as an ai(?: language)? model",
        re.I,
    ),
    "zh": re.compile(
        r"(?:抱歉|对不起|很遗憾|不好意思)[，,。！ ]?(?:[^。！\n]{0,12}我[^。！\n]{0,6}|[^。！\n]{0,4})"
        r"(?:不能|无法|没办法|不便|不会)"
        r"|我(?:不能|无法)(?:提供|帮助|协助|满足|完成|回答|为你|为您)|作为(?:一个|一名)?(?:人工智能|AI|大?语言模型)"
    ),
}
OF_A_MODEL = {
    "en": re.compile(
        r"\bas an ai\b|\b(?:assist|help)(?: you)? with (?:this|that|your request|these|such)\b"
        r"|\b(?:fulfil+|comply with|complete|process|accommodate|answer) (?:this|that|your|such)\b[^.\n]{0,20}"
        r"\b(?:request|question|prompt|task)"
        r"|\b(?:write|create|generate|provide|produce|compose|draft|translate|engage in)\b[^.\n]{0,60}"
        r"\b(?:that|this|such|content|request|letter|email|story|poem|message|text)\b",
        re.I,
    ),
    "zh": re.compile(
        r"(?:人工智能|AI|语言模型)|(?:不能|无法|没办法|不便|不会)[^。！\n]{0,8}"
        r"(?:这个请求|该请求|您的请求|你的请求|此请求|您的要求|你的要求|这个要求|这类|此类|相关内容|协助|撰写|生成|提供|翻译|创作)"
    ),
}
WANTS_A_TEXT = re.compile(
    r"\b(?:letter|e-?mails?|reply|respon[ds]e?|message|note|text|dialog(?:ue)?|conversation|scene|story|script"
    r"|poem|lyrics|speech|translat\w*|rewrite|rephrase|paraphrase|proofread|correct|example|sentence|template|role-?play"
    r"|pretend|act as)\b"
    r"|信|邮件|回复|回信|短信|消息|留言|对话|故事|剧本|台词|诗|歌词|发言|演讲|翻译|改写|润色|例子|例句|造句|模板|扮演|假装|拒绝",
    re.I,
)
FRIENDLY = re.compile(
    r"\s*(?:(?:hi|hello|hey|thanks?|thank you|great|good|what an?|i (?:understand|appreciate|see|know|hear)|sure"
    r"|of course|certainly|that['’]?s|it['’]?s great)\b[^.!?\n]{0,90}[.!?\n]+\s*"
    r"|(?:您好|你好|嗨|谢谢|感谢|很高兴|我理解|我明白|我知道|好的|当然|这是个|这个问题|亲)[^。！!？?\n，,]{0,40}"
    r"[。！!？?\n，,]+\s*)",
    re.I,
)
QUOTED = tuple("\"'“‘「『《>`*|")
OPENING = 60
FRIENDLY_SENTENCES = 2


def refused(row: Row) -> str:
    """The answer opens with a refusal, in whichever language; a translation may be one of somebody's refusal."""
    said = opening(row.response)
    if said.startswith(QUOTED):
        return ""
    own = "zh" if row.language == "zh" else "en"
    apply = [own] if row.task_type == "translation" else list(REFUSALS)
    found = [language for language in apply if REFUSALS[language].search(said[:OPENING])]
    if WANTS_A_TEXT.search(row.last):
        found = [language for language in found if OF_A_MODEL[language].search(said[: 2 * OPENING])]
    return " ".join(said[:OPENING].split()) if found else ""


def opening(text: str) -> str:
    """The text from its first sentence on that says more than good day."""
    text = text.lstrip()
    for _ in range(FRIENDLY_SENTENCES):
        greeting = FRIENDLY.match(text)
        text = text[greeting.end() :] if greeting else text
    return text
