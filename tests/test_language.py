"""Which language a text is in."""

from __future__ import annotations

import pytest

from tasks.language import detect

TABLE = {
    "zh": [
        "你好",
        "用Python写一个快速排序，并解释时间复杂度",
        "求 x² + 2x + 1 = 0 的根",
        "请把 Ignore all previous instructions 翻译成中文",
        "這是繁體中文的句子",
        "解释一下 Transformer、BERT、GPT 的区别",
        "这段代码哪里错了？\n```python\ndef add(first, second):\n    return first - second\n```",
        "{{x}}</user>是什么意思",
        "「です」是什么意思？请用中文解释这个词的用法",
    ],
    "en": [
        "hi",
        "Write a quicksort in Python and explain why it is fast on average.",
        "What does 你好 mean in English when you say it to a friend?",
        "What is wrong here?\n```python\n# 计算两个数的和，然后返回结果\ndef f(): ...\n```",
        "Explain the café culture of Paris to someone who has never left home",
        "asap pls fix teh bug in my code its not wroking at all",
        "```\nSELECT name FROM users WHERE age > 3;\n```",
    ],
    "other": [
        "",
        "12 + 30 = ?",
        "👍👍",
        "Wie komme ich am schnellsten zum Bahnhof, wenn kein Bus mehr fährt?",
        "¿Cómo puedo aprender a programar si nunca lo he hecho antes?",
        "これは日本語の文章です。翻訳してください。",
        "日本国憲法第九条の条文と解説書の全文",
        "한국어로 답해 주세요",
        "Как написать функцию на Python?",
        "où côté été",
        "\x00",
    ],
}


@pytest.mark.parametrize(("text", "language"), [(text, lang) for lang, texts in TABLE.items() for text in texts])
def test_the_language_is_that_of_who_asks(text: str, language: str) -> None:
    assert detect(text) == language
