"""A request is spelt as JSON spells it, and its key is that of the question alone."""

from __future__ import annotations

import hashlib

from tasks.teacher.request import SPELT, Shared, call_key, request_of, text_of

HOSTILE = '中文 {{x}} </user> "}]} NUL \0 and a lone surrogate \ud800'
BODY = {"model": "m", "messages": [{"role": "user", "content": "面包"}], "temperature": 0.0, "max_tokens": 10}


def test_the_key_is_that_of_the_question_alone() -> None:
    key = call_key("https://api", request_of(BODY), 0)
    assert key == call_key("https://api", request_of(dict(reversed(BODY.items()))), 0)
    assert key == call_key("https://api", request_of(BODY | {"max_tokens": 99}), 0)
    others = [
        call_key("https://other", request_of(BODY), 0),
        call_key("https://api", request_of(BODY), 1),
        call_key("https://api", request_of(BODY | {"model": "n"}), 0),
        call_key("https://api", request_of(BODY | {"temperature": 0.7}), 0),
        call_key("https://api", request_of(BODY | {"response_format": {"type": "json_object"}}), 0),
        call_key("https://api", request_of(BODY | {"messages": [{"role": "user", "content": HOSTILE}]}), 0),
    ]
    assert len({key, *others}) == 7


def test_a_key_is_what_it_was_when_the_stores_of_today_were_written() -> None:
    spelt = '{"messages": [{"content": "面包 \ud800", "role": "user"}], "model": "m", "temperature": 0.0}'
    body = BODY | {"messages": [{"role": "user", "content": "面包 \ud800"}]}
    asked = f"2\0https://api\x003\0{spelt}".encode("utf-8", "surrogatepass")
    assert call_key("https://api", request_of(body), 3) == hashlib.sha256(asked).hexdigest()


def test_a_request_is_spelt_as_json_spells_it_whatever_is_in_it() -> None:
    shared = Shared({"type": "json_schema", "b": [1, {"z": "甲", "a": None}]})
    said = [HOSTILE, "".join(map(chr, range(0x800))), "\ud800 alone", "\u2028 and \U0001f600", ""]
    messages = [{"role": "user", "content": text, "name": "甲"} for text in said]
    calls = [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
    body = {"model": "m", "messages": [*messages, {"tool_calls": calls}], "temperature": 0.7, "n": 1, "stop": None}
    body |= {"response_format": shared, "logprobs": True, "tools": [], "input": ["a", "乙"], "none": {}}
    assert text_of(request_of(body | {"max_tokens": 1})) == SPELT.encode(body)
    assert text_of(request_of(body)) == SPELT.encode(body)
