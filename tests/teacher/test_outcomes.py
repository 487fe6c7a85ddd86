import json
from collections.abc import Callable
from typing import Any

import pytest

from tasks.teacher.outcomes import Reply, apart, of_body, of_break, of_status, read, retry_after


def fault(code: str, message: str = "said") -> str:
    return json.dumps({"error": {"message": message, "type": "some_type", "code": code}})


def completion(content: Any = "an answer", finish: Any = "stop", usage: Any = None, **message: Any) -> str:
    said = {"role": "assistant", "content": content, **message}
    return json.dumps({"choices": [{"message": said, "finish_reason": finish}], "model": "m", "usage": usage})


@pytest.mark.parametrize(
    ("status", "body", "kind", "name"),
    [
        (408, "", "retry", "http_408"),
        (409, "", "retry", "http_409"),
        (425, "", "retry", "http_425"),
        (500, fault(""), "retry", "http_500"),
        (502, "<html>Bad Gateway</html>", "retry", "http_502"),
        (429, fault("rate_limit_exceeded"), "throttled", "rate_limited"),
        (429, fault("insufficient_quota"), "stop", "insufficient_quota"),
        (429, fault("billing_not_active"), "stop", "billing_not_active"),
        (400, fault("invalid_request_error"), "final", "refused_by_endpoint"),
        (400, fault("invalid_api_key"), "stop", "invalid_api_key"),
        (422, '{"detail": [{"msg": "field required"}]}', "final", "refused_by_endpoint"),
        (401, "", "stop", "http_401"),
        (402, fault("invalid_request_error", "Insufficient Balance"), "stop", "http_402"),
        (403, fault(""), "stop", "http_403"),
        (404, "404 page not found", "stop", "http_404"),
        (404, fault("model_not_found"), "stop", "model_not_found"),
        (404, fault("not_recorded"), "final", "not_recorded"),
        (307, "", "stop", "redirected"),
    ],
)
def test_a_status_has_one_class(status: int, body: str, kind: str, name: str) -> None:
    verdict = of_status(status, body.encode(), {})
    assert (verdict.kind, verdict.name) == (kind, name)


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", "null", '"text"', '[{"error": 1}]', '{"error": "slow"}', '{"error": null}', "[" * 50_000],
)
def test_an_error_body_of_any_shape_is_classified_by_its_status(body: str) -> None:
    assert of_status(503, body.encode(), {}).kind == "retry"


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [
        (completion(), "good", "good"),
        (completion("思考之后的回答"), "good", "good"),
        (completion(finish=None), "good", "good"),
        (completion(finish="length"), "final", "truncated"),
        (completion(finish="content_filter"), "final", "filtered"),
        (completion(None, refusal="I cannot."), "final", "filtered"),
        (completion(""), "retry", "empty_answer"),
        (completion(" \n\t"), "retry", "empty_answer"),
        (completion(None), "retry", "empty_answer"),
        (completion("<think>it never ends"), "retry", "empty_answer"),
        (completion("<think>all of it</think>\n"), "retry", "empty_answer"),
        ('{"choices": []}', "retry", "bad_body"),
        ('{"choices": null}', "retry", "bad_body"),
        ('{"choices": [{"message": null}]}', "retry", "bad_body"),
        ('{"choices": [{"message": "text"}]}', "retry", "bad_body"),
        (completion([{"type": "text", "text": "parts"}]), "good", "good"),
        (completion([{"type": "image"}]), "retry", "empty_answer"),
        (completion([{"type": "text"}]), "retry", "bad_body"),
        (completion(["text"]), "retry", "bad_body"),
        (completion({"text": "an object"}), "retry", "bad_body"),
        (completion(7), "retry", "bad_body"),
        ("[]", "retry", "bad_body"),
        ("null", "retry", "bad_body"),
        ('{"choices": [{"mess', "retry", "bad_body"),
        ("", "retry", "bad_body"),
        ("[" * 50_000, "retry", "bad_body"),
        (completion(usage={"prompt_tokens": 7, "seconds": float("nan")}), "good", "good"),
        (completion(usage={"prompt_tokens": 7, "bill": 10**30}), "good", "good"),
        (completion("\ud800 alone"), "good", "good"),
        ("\ufeff" + completion(), "retry", "bad_body"),
    ],
)
def test_the_body_of_a_200_has_one_class(body: str, kind: str, name: str) -> None:
    verdict, reply = of_body(body.encode())
    assert (verdict.kind, verdict.name) == (kind, name)
    assert kind != "good" or (reply and reply.text.strip())


def test_a_reply_holds_text_reasoning_and_usage() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 5}
    body = completion("四", usage=usage, reasoning_content="二加二")
    assert of_body(body.encode())[1] == Reply("四", "二加二", "stop", "m", 7, 5)


@pytest.mark.parametrize(
    "usage", ["none", [1], "many", 10**30, -1000, float("inf"), float("nan"), True, {"nested": 1}], ids=repr
)
def test_a_usage_that_cannot_be_is_no_usage_and_costs_no_answer(usage: Any) -> None:
    for told in (
        usage,
        {"prompt_tokens": usage, "completion_tokens": 5},
        {"prompt_tokens": 7, "completion_tokens": usage},
    ):
        verdict, reply = of_body(completion(usage=told).encode())
        assert (verdict.kind, reply) == ("good", Reply("an answer", model="m"))


def test_a_text_in_parts_is_one_text() -> None:
    parts = [{"type": "thinking", "thinking": "二加二"}, {"type": "text", "text": "四"}, {"type": "text", "text": "。"}]
    _, reply = of_body(completion(parts).encode())
    assert reply
    assert reply.text == "四。"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": {"message": "too long"}}', "too long"),
        ('{"error": "model is loading"}', "model is loading"),
        ('{"message": "no such model", "object": "error"}', "no such model"),
        ('{"detail": "Not authenticated"}', "Not authenticated"),
        ('{"fault": {"faultstring": "quota"}}', '{"fault": {"faultstring": "quota"}}'),
        ('{"error": null}', '{"error": null}'),
        ("<html>\n <b>no</b></html>", "<html> <b>no</b></html>"),
    ],
)
def test_what_an_endpoint_said_is_told_in_whatever_shape_it_was(body: str, said: str) -> None:
    assert of_status(400, body.encode(), {}).said == f"400 {said}"


@pytest.mark.parametrize(
    ("text", "answer", "thought"),
    [
        ("plain", "plain", ""),
        ("<think>\n想一想\n</think>\n\n回答", "回答", "想一想"),
        (" <think></think>answer", "answer", ""),
        ("about </think> and <think>", "about </think> and <think>", ""),
        ("<think>no end", "", "no end"),
        ("<thinking>想</thinking>\n答", "答", "想"),
        ("the template opened it\n</think>\n\nanswer", "answer", "the template opened it"),
        ("模板已经开了头。\n</think>\n回答", "回答", "模板已经开了头。"),
        ("The mark `</think>` ends it.\nSo it is.", "The mark `</think>` ends it.\nSo it is.", ""),
    ],
)
def test_a_thought_before_the_answer_is_set_apart(text: str, answer: str, thought: str) -> None:
    assert apart(text, "") == (answer, thought)


ODD = [
    '{"a": NaN, "b": [Infinity, -Infinity]}',
    '{"a": "\\ud800", "b": "\\ud83d\\ude00", "\\udc00": 1}',
    '{"a": 1, "a": 2, "b": -0.0, "c": 1E400, "d": 0.1e-7, "e": 18446744073709551615, "f": -9223372036854775808}',
    '{"a": "a\tb"}',
    '{"a": 01}',
    "[1,]",
    "\ufeff{}",
    " \n\t\r{} ",
    "\x0b{}",
    '"\x7f\u2028 面包 \U0001f600"',
    "'single'",
    "9" * 5000,
    "[" * 50_000,
    "",
]


@pytest.mark.parametrize("body", ODD)
def test_odd_bodies_are_read_as_the_standard_library_reads_them(body: str) -> None:
    assert tried(read, body.encode()) == tried(json.loads, body)


def tried(reader: Callable[[Any], Any], body: str | bytes) -> str:
    """What a reader makes of it, or what it raises."""
    try:
        return repr(reader(body))
    except (ValueError, RecursionError) as fault:
        return "ValueError" if isinstance(fault, ValueError) else "RecursionError"


def test_a_lone_surrogate_does_not_get_past_the_door() -> None:
    _, reply = of_body(rb'{"choices": [{"message": {"content": "broken \ud83d, whole \ud83d\ude00"}}]}')
    assert reply
    assert reply.text == "broken ?, whole 😀"


def test_bytes_that_are_no_utf_8_cost_their_place_and_not_the_answer() -> None:
    _, reply = of_body(completion("面包").encode().replace(b"\\u5305", b"\xff"))
    assert reply
    assert reply.text == "面\ufffd"


DATE = "Mon, 05 Jan 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Mon, 05 Jan 2026 10:00:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Mon, 05 Jan 2026 09:59:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Mon, 05 Jan 2026 10:00:30 GMT"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.2.3"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_break_is_named_by_its_first_cause_and_not_by_what_the_transport_calls_it() -> None:
    outer = RuntimeError("Request timed out.")
    outer.__cause__ = ConnectionRefusedError("connection refused")
    assert of_break(outer, 5).name == "disconnected"
    outer.__cause__ = TimeoutError()
    assert of_break(outer, 5).name == "timed_out"
