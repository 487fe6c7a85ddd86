import pytest

from tasks.chatter import unwrapped, without_chatter


@pytest.mark.parametrize(
    ("said", "language", "request_alone"),
    [
        ('Sure, here\'s the request:\n\n"Explain tides in a paragraph."', "en", "Explain tides in a paragraph."),
        ("**Request:** Explain tides.", "en", "Explain tides."),
        ("The request that the user made was: Explain tides.", "en", "Explain tides."),
        ("Here is a possible user prompt:\nExplain tides.", "en", "Explain tides."),
        ("Sure! Here is the request the user most likely made:\n\nExplain tides.", "en", "Explain tides."),
        ("Based on the reply, the user's original request was probably:\n“Explain tides.”", "en", "Explain tides."),
        ("The prompt that led to this response:\nExplain tides.", "en", "Explain tides."),
        ("根据这段回复，用户的要求应该是：\n给孩子讲讲潮汐。", "zh", "给孩子讲讲潮汐。"),
        ("用户的要求是：给孩子讲讲潮汐。", "zh", "给孩子讲讲潮汐。"),
        ("好的，以下是用戶的問題：\n潮汐是怎麼來的？", "zh", "潮汐是怎麼來的？"),
        ("好的，以下是用户提出的要求：\n“给孩子讲讲潮汐。”", "zh", "给孩子讲讲潮汐。"),
        ("**请求：** 给孩子讲讲潮汐。", "zh", "给孩子讲讲潮汐。"),
        ("“潮汐是怎么来的？”", "zh", "潮汐是怎么来的？"),
        ("Sure, here's the request:", "en", ""),
    ],
)
def test_what_a_model_says_around_the_request_is_left_out(said: str, language: str, request_alone: str) -> None:
    assert unwrapped(said, language) == request_alone


@pytest.mark.parametrize(
    ("request_itself", "language"),
    [
        ("Here is my code:\n\nprint(1)\n\nWhy does it fail?", "en"),
        ("Question about taxes: may I deduct a desk?", "en"),
        ("Answer this question: why is the sky blue?", "en"),
        ('"Tide" and "current": what is the difference between "tide" and "current"', "en"),
        ("Based on this text, answer the question: who owns the boat?", "en"),
        ("请按下面的要求写一封信：不超过100字。", "zh"),
        ("根据下面这段文字，回答问题：船是谁的？", "zh"),
        ("“潮”和“汐”有什么区别？请分别解释“潮”和“汐”", "zh"),
        ("我的问题是：为什么月亮跟着我们走？", "zh"),
    ],
)
def test_a_request_that_a_user_may_have_written_stays_as_it_is(request_itself: str, language: str) -> None:
    assert unwrapped(request_itself, language) == request_itself


@pytest.mark.parametrize(
    ("said", "language", "text"),
    [
        ("Sure! Here is lesson 2:\n\n# Lesson 2\n\nYou need a hive.", "en", "# Lesson 2\n\nYou need a hive."),
        ("Two.\n\nThree.\n\nWould you like me to add an answer key?", "en", "Two.\n\nThree."),
        ("好的，下面是第二章：\n\n这天夜里没有月亮。", "zh", "这天夜里没有月亮。"),
        ("一条小小的路。\n\n需要我继续写第三章吗？", "zh", "一条小小的路。"),
        ("以下是第二章：\n夜深了。\n如果您满意，我就接着写第三章。", "zh", "夜深了。"),
        (
            'Sure enough, the lamp was out.\n\n"Shall I go?" asked Ann.',
            "en",
            'Sure enough, the lamp was out.\n\n"Shall I go?" asked Ann.',
        ),
        (
            "好的开始是成功的一半。\n\n“需要我帮忙吗？”小亮问。",
            "zh",
            "好的开始是成功的一半。\n\n“需要我帮忙吗？”小亮问。",
        ),
        ("Here is a better version:\n\nNight bus, empty seats;", "en", "Night bus, empty seats;"),
        ("**Improved answer:**\n\nMix one part vinegar.", "en", "Mix one part vinegar."),
        ("好的，以下是改進後的回答：\n\n夜闌車影孤。", "zh", "夜闌車影孤。"),
        ("改写后的回答：\n先看说明书。", "zh", "先看说明书。"),
        ("Better version control:\nUse branches.", "en", "Better version control:\nUse branches."),
        ("Here is where the road ends.\n\nNobody came.", "en", "Here is where the road ends.\n\nNobody came."),
    ],
)
def test_a_long_text_loses_what_announces_it_and_what_offers_more(said: str, language: str, text: str) -> None:
    assert without_chatter(said, language) == text
