"""Turns that ask for nothing, and those that only look so."""

from __future__ import annotations

import pytest

from tasks.mine.chat import Greeting, SmallTalk
from tests.mine.asks import seen

ANYTHING_ELSE = ("Book the table, please", "Done. Is there anything else I can help you with?")
SHALL_I = ("Tell me about London", "Shall I book the table?")
STATED = ("What is the address?", "It is 12 Mill Road.")
还有吗 = ("帮我订一张桌子", "订好了。还有其他需要吗？")
要不要 = ("给我讲讲北京", "要不要我帮你订一张门票？")
说完了 = ("地址是什么", "地址在鼓楼东大街。")


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("heyyyyy??", ()),
        ("hehehe", ()),
        ("Nothing at the moment. Thank you for your assistance.", ANYTHING_ELSE),
        ("Thanks, that would be all.", STATED),
        ("No, that is all I need. Thank you so much for your help!", SHALL_I),
        ("No thank you, that'll be all for now", ANYTHING_ELSE),
        ("No, thanks.", ANYTHING_ELSE),
        ("Great, thanks a lot.", STATED),
        ("Okay. Thanks. Bye!", STATED),
        ("Thank you very much. Have a great day!", STATED),
        ("I don't need anything else, thanks", SHALL_I),
        ("好的，没有其他问题了，谢谢你", 说完了),
        ("好的，没有其他问题了，谢谢你！", 要不要),
        ("没有了，谢谢您的帮助。", 还有吗),
        ("好的，謝謝你！", 说完了),
        ("知道了，真的太感谢你了啊", 说完了),
        ("暂时没有问题了，再见！", 要不要),
    ],
)
def test_closing_a_conversation_asks_for_nothing(text: str, before: tuple[str, ...]) -> None:
    assert Greeting()(seen(text, before)) == "greeting"


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("Yes, thanks.", SHALL_I),
        ("No thanks.", SHALL_I),
        ("Yes", ANYTHING_ELSE),
        ("Sounds good to me.", STATED),
        ("Thanks, what about the 10th?", STATED),
        ("Thank you. Can you find me a cab now?", STATED),
        ("Hi 1+1=?", ()),
        ("and", STATED),
        ("for your help", STATED),
        ("Write a thank you note", ()),
        ("好的，谢谢", 要不要),
        ("可以", 说完了),
        ("谢谢你，再推荐一家评分高的", 说完了),
        ("没有其他问题了是什么意思", ()),
        ("你好，帮我找一家酒店，谢谢", ()),
    ],
)
def test_an_answer_or_an_ask_beside_thanks_is_kept(text: str, before: tuple[str, ...]) -> None:
    assert Greeting()(seen(text, before)) is None
    assert SmallTalk()(seen(text, before)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("haha that's funny", "lol, you're so smart", "I'm so tired today", "wow, that is amazing!", "Good job!"),
        *("我今天好累", "我今天好累啊", "哈哈，太有趣了", "好无聊啊", "笑死我了哈哈哈", "你真厉害！", "我好開心"),
    ],
)
def test_a_reaction_or_a_mood_is_small_talk_unless_it_answers(text: str) -> None:
    assert SmallTalk()(seen(text)) == "small_talk"
    assert SmallTalk()(seen(text, STATED)) == "small_talk"
    assert SmallTalk()(seen(text, ("Cheer me up", "How do you feel today?"))) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "that's funny, why is it called a joke?",
            "I'm tired of Java, which language next?",
            "funny story about a cat",
        ),
        *(
            "I am so tired today that I cannot read my notes",
            "我今天好累，怎么放松一下",
            "我好累，给我讲个笑话",
            "写一句我今天好累",
        ),
    ],
)
def test_what_a_list_cannot_tell_is_kept(text: str) -> None:
    assert SmallTalk()(seen(text)) is None
