"""Does an answer keep to its source: do its names and its numbers stand there.

A check of the surface, which needs no model: it finds what was added, not what was twisted. Numbers are compared by
value. English names are capitalised words inside a sentence, and words with digits in them. Chinese ones are
《titles》, Latin words, people with a title (王经理) and organisations (two characters before 公司, 大学 and the like);
other Chinese names need a tagger, and pass.
"""

from __future__ import annotations

import re
import unicodedata

from tasks.produce.numbers import numbers

MARKER = re.compile(  # of a list: the numbers of its items are nobody's fact
    r"(?:^[ \t]*(?:[-*•#>]+[ \t]*)?|(?<=[；;。：:]))"
    r"(?:[（(]?\d{1,2}[)、．）]|\d{1,2}\.(?!\d)|(?:Step|步骤)\s?\d{1,2}\b)"
    r"|第\s?\d{1,2}\s?[步点]",
    re.M | re.I,
)
INSIDE = re.compile(r"(?<=[a-z,;)’'] )([A-Z][A-Za-z’'-]+(?: [A-Z][A-Za-z’'-]+)*)")
HEADED = re.compile(r"^\s*#.*$|\*\*[^*\n]+\*\*", re.M)
CODED = re.compile(r"\b(?=[A-Za-z-]*\d)(?=[\d-]*[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*\b")
LATIN = re.compile(r"[A-Za-z][A-Za-z-]+")
TITLE = re.compile(r"《([^《》]+)》")
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田"
    "董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白"
    "邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
PERSON = re.compile(rf"[{SURNAMES}](?:先生|女士|教授|博士|经理|主任|老师|医生|部长|市长|院长|校长|律师)")
BODY = "公司|大学|学院|医院|银行|集团|研究所|研究院|协会|委员会|法院|出版社|图书馆|博物馆"
ORGANISATION = re.compile(
    rf"([^\W\d_A-Za-z这该此那某一家个所座的在是和与本各同等到从向为由])([^\W\d_A-Za-z的])({BODY})"
)
NOT_NAMES = {"I", "I'm", "I’m", "I've", "I’ve", "I'd", "I’d", "I'll", "I’ll", "OK"}


def ungrounded(answer: str, source: str, language: str) -> str:
    """The first number or name of the answer that stands nowhere in the source; empty where all do."""
    said, known = MARKER.sub(" ", answer), numbers(source)
    for value, written in numbers(said).items():
        if value not in known:
            return written
    there = folded(source)
    return next((name for name in names(said, language) if folded(name) not in there), "")


def names(text: str, language: str) -> list[str]:
    """What looks like a name, each as it can be looked up."""
    if language == "zh":
        found = [*TITLE.findall(text), *PERSON.findall(text), *("".join(m) for m in ORGANISATION.findall(text))]
        return [*found, *CODED.findall(text), *LATIN.findall(text)]
    inside = [word for run in INSIDE.findall(HEADED.sub(" ", text)) for word in run.split()]
    bare = [re.sub(r"['’]s$|['’]$", "", word) for word in inside if word not in NOT_NAMES]
    return [*bare, *CODED.findall(text)]


def folded(text: str) -> str:
    """For looking up: no case, no white space, no marks of Markdown."""
    return re.sub(r"[\s*_`]", "", unicodedata.normalize("NFKC", text)).casefold()
