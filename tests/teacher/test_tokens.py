import pytest

from tasks.teacher.tokens import prompt_tokens, tokens

ENGLISH = "Ice floats because water takes up more room when it freezes, so it weighs less for its size."
CHINESE = "冰能浮在水上，是因为水结冰时体积变大，同样大小的冰比水轻。"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        (ENGLISH, 19, 26),  # what current tokenizers make of it, and a little room
        (CHINESE, 17, 25),
        (ENGLISH + CHINESE, 36, 51),
        ("лёд легче воды, потому что вода при замерзании расширяется", 12, 34),
        ("これは日本語です", 5, 8),
        ("\ud800", 1, 1),
    ],
)
def test_a_text_is_about_as_many_tokens_as_its_script_needs(text: str, least: int, most: int) -> None:
    assert least <= tokens(text) <= most


def test_texts_add_up_whatever_they_are_cut_into() -> None:
    whole = ENGLISH * 20 + CHINESE * 20
    assert tokens(whole) == pytest.approx(20 * (tokens(ENGLISH) + tokens(CHINESE)), rel=0.03)


def test_a_request_counts_its_turns_the_tools_it_declares_and_the_calls_made_so_far() -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city": "北京"}'}}
    plain = {"messages": [{"role": "user", "content": CHINESE}]}
    called = {"messages": [*plain["messages"], {"role": "assistant", "content": None, "tool_calls": [call]}]}
    assert tokens(CHINESE) < prompt_tokens(plain) < tokens(CHINESE) + 10
    assert prompt_tokens(plain) + 15 < prompt_tokens(called)
    assert prompt_tokens(plain) + 15 < prompt_tokens(plain | {"tools": [tool]})
