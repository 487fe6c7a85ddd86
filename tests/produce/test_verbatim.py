import pytest

from tasks.produce.verbatim import code_lost, free, quote_lost

KEPT = [
    ("run `git stash pop` again", "git stash pop"),
    ("看看 `git stash pop` 怎么用", "git stash pop"),
    ("what is this\n```python\nprint(x)\n```\nfor", "```python\nprint(x)\n```"),
    ("这是什么\n~~~\nif a:\n    b()\n~~~", "~~~\nif a:\n    b()\n~~~"),
    ("see https://example.org/a?b=1, please", "https://example.org/a?b=1"),
    ("打开https://example.org/路径看看", "https://example.org/"),
    ("mail jane@example.com now", "jane@example.com"),
    ("write to [EMAIL_1] for me", "[EMAIL_1]"),
    ("给[PHONE_2]打电话", "[PHONE_2]"),
    ("about 3,500 euros", "3,500"),
    ("大约3500元", "3500"),
    ("大约三千五百元", "三千五百"),
    ("what does “old hat” mean", "old hat"),
    ("“一言难尽”是什么意思", "一言难尽"),
    ("《红楼梦》谁写的", "红楼梦"),
    ('translate "good grief" please', "good grief"),
    ("why is a = b + c wrong", "a = b + c"),
    ("    return orders\nwhy", "    return orders"),
    ("fill in {{name}} and <b>bold</b>", "{{name}}"),
    ("does my friend Lin know", "Lin"),
]


@pytest.mark.parametrize(("text", "part"), KEPT)
def test_code_addresses_numbers_names_and_quotes_are_not_free_to_be_misspelled(text: str, part: str) -> None:
    start, allowed = text.index(part), free(text)
    assert not any(allowed[start : start + len(part)])
    assert any(allowed)


@pytest.mark.parametrize("text", ["why does bread go stale", "为什么面包放冰箱会变硬呢", "don't know it's fine"])
def test_plain_words_are_free(text: str) -> None:
    assert all(free(text))


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("fix `a+b`", "please mend `a+b`", ""),
        ("fix `a+b`", "please mend a + b", "`a+b`"),
        ("修一下\n```\nx = 1\n```", "这段怎么改\n```\nx = 1\n```", ""),
        ("修一下\n```\nx = 1\n```", "这段怎么改\n```\nx = 2\n```", "```\nx = 1\n```"),
        ("see https://e.org/a.", "look at https://e.org/a", ""),
        ("see https://e.org/a.", "look at e.org", "https://e.org/a"),
        ("告诉[EMAIL_1]", "给[EMAIL_1]说", ""),
        ("告诉[EMAIL_1]", "给 EMAIL 说", "[EMAIL_1]"),
    ],
)
def test_a_rewording_has_all_code_addresses_and_placeholders(before: str, after: str, lost: str) -> None:
    assert code_lost(before, after) == lost


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("what does “old hat” mean?", 'and "Old hat", what is that?', ""),
        ("what does “old hat” mean?", "and that saying with the hat?", "old hat"),
        ("《边城》写的是哪里？", "想知道「边城」写的是哪儿", ""),
        ("《边城》写的是哪里？", "沈从文那本小说写的是哪儿", "边城"),
        ("it's Anna's and Bob's", "Anna and Bob own it", ""),
        ("```\n'x'\n``` why", "why is it", ""),
    ],
)
def test_a_rewording_has_all_quoted_text_in_whatever_marks(before: str, after: str, lost: str) -> None:
    assert quote_lost(before, after) == lost
