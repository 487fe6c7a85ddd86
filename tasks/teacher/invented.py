"""Replies that nobody gave: of the shape that was asked for, in the language of the request, as long as such replies
are.

A plan needs them to reach the calls that follow on a reply, so they pass what a good reply passes: no number or name
that the request does not have, no two texts alike, booleans that say yes, the highest score. Where that is not enough a
step says in a method `example` what a reply to one of its own questions looks like, from the question as `Asked`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tasks.language import detect
from tasks.prompt import fenced
from tasks.teacher.outcomes import Reply
from tasks.teacher.tokens import CJK_TOKENS, TOKEN_BYTES

LISTED = 8  # in a list whose length the schema leaves open
ENGLISH = (
    "about again along answer apple around autumn balance basket before begin behind bread bridge bright bring "
    "calm candle careful change choose city clean clear coffee colour compare corner country daily dinner early "
    "evening every explain family farmer field finish follow forest friend garden gather gentle green happen "
    "harbour helpful history honest house invite island journey kitchen ladder later laugh learn letter listen "
    "little market meadow measure memory middle morning mountain music neighbour night notice ocean often orange "
    "paint paper patient people piano picture plan plenty pocket prepare quiet rather reason recipe remember "
    "repair return river school season second shadow share shelter silver simple sister slowly small soft spring "
    "station story strong summer table teach thank together tomorrow travel under usual village visit walk warm "
    "water weather while window winter wonder work write yellow yesterday young with from into over they would "
    "could should have been this that"
)
CHINESE = (
    "安静 傍晚 宝贵 比较 便利 常常 长期 晨光 成长 窗边 春天 打开 大家 大海 带来 等待 地方 点心 "
    "冬季 读者 方便 风景 丰富 感受 刚好 高兴 告诉 共同 关心 果园 河边 合适 后院 花园 回家 火车 "
    "季节 记得 简单 渐渐 交流 接着 今天 经常 开始 靠近 快乐 来信 老师 里面 理解 练习 邻居 旅行 "
    "慢慢 美好 门口 明亮 木头 难得 朋友 平常 普通 起来 亲手 清楚 轻松 秋天 认真 日常 山坡 伸手 "
    "生活 时候 收拾 树林 说明 随后 太阳 天气 听见 图画 晚饭 往往 温暖 习惯 喜欢 细心 下雨 夏日 "
    "想起 小心 新鲜 兴趣 学习 颜色 夜里 音乐 邮差 愿意 月亮 云朵 早晨 怎样 整理 植物 重新 周围 "
    "准备 仔细 走路"
)
WORDS = {"en": ENGLISH.split(), "zh": CHINESE.split()}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a plan.

    `shape` is the name of the shape that is asked for and `schema` its schema (none for a text), `texts` what stands in
    each message, `tools` the tools that are declared, and `length` the tokens of a free text. `awaited` are task types
    that a later step takes alone, `reference` is the right answer of the record that the question is about, where it is
    known. Dice are drawn from the question, so that the same one has the same reply.
    """

    texts: tuple[str, ...]
    length: int
    chance: Random
    shape: str = ""
    schema: dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] = ()
    awaited: frozenset[str] = frozenset()
    reference: str = ""

    @property
    def language(self) -> str:
        """Of the guidance, which is that of the record."""
        return "zh" if detect(self.texts[0]) == "zh" else "en"

    @property
    def given(self) -> dict[str, str]:
        """What stands between marks, by the name of its slot or turn; the last one of a name."""
        return fenced("\n".join(self.texts))

    def up_to(self, most: int) -> int:
        """How many things a teacher finds that was asked for at most so many: half of them, or all, or between."""
        return self.chance.randint((most + 1) // 2, most)

    def words(self, length: int, language: str = "") -> str:
        """A text of about so many tokens, in the language of the question where none is named."""
        return words(length, self.chance, language or self.language)

    def reply(self, listed: int = LISTED) -> str:
        """A text, or JSON that fits the schema, with so many entries in its lists."""
        if self.schema is None:
            return self.words(self.length)
        said = value(self.schema, self.schema.get("$defs", {}), self, listed)
        return json.dumps(said, ensure_ascii=False)


Supposed = Reply | dict[str, Any] | str | None  # what `example` gives: None where any reply of the shape will do


def value(schema: dict[str, Any], defs: dict[str, Any], asked: Asked, listed: int = LISTED) -> Any:
    """Something that fits: one of the values allowed, what passes for yes, and the highest score."""
    if named := schema.get("$ref"):
        return value(defs[named.rpartition("/")[2]], defs, asked, listed)
    if "const" in schema:
        return schema["const"]
    if allowed := schema.get("enum"):
        return asked.chance.choice(allowed)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return value(choices[0], defs, asked, listed)
    match schema.get("type"):
        case "object":
            return {k: value(s, defs, asked, listed) for k, s in schema.get("properties", {}).items()}
        case "array":
            count = schema.get("minItems", listed)
            return [value(schema.get("items", {}), defs, asked, listed) for _ in range(count)]
        case "integer" | "number":
            return schema.get("maximum", schema.get("minimum", 1))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return asked.words(asked.length)


def words(length: int, chance: Random, language: str) -> str:
    """Words in an order of chance, about `length` tokens of them by the estimate of `tokens`; the last may be cut."""
    if language == "zh":
        letters = max(1, round(length / CJK_TOKENS))
        return "".join(chance.choice(WORDS["zh"]) for _ in range(letters // 2 + 1))[:letters]
    letters = max(1, length) * TOKEN_BYTES
    return " ".join(chance.choice(WORDS["en"]) for _ in range(letters // TOKEN_BYTES + 1))[:letters].strip()
