import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.recipe import Budget, Price
from tasks.teacher.budget import BudgetReached
from tasks.teacher.count import Count
from tasks.teacher.endings import NoAnswer, TeacherUnusable, Unanswered
from tasks.teacher.outcomes import Reply
from tasks.teacher.sight import strangers
from tasks.teacher.store import stored
from tests import faults
from tests.engines import KEY, ask, engine_at
from tests.faults import Fault, FaultsServer, always, asked, in_order, rate_limited, refused, self_signed

ECHO = f"this was wrong: Bearer {KEY}"  # some endpoints say so
PASSING = {
    "408": refused(408),
    "409": refused(409),
    "425": refused(425),
    "500": refused(500),
    "503": refused(503),
    "an HTML 502": faults.bad_gateway,
    "HTML that says it is fine": faults.html,
    "a reset": faults.reset,
    "a hang": faults.hang,
    "a trickle": faults.trickle,
    "a body that is cut": faults.cut_body,
    "broken JSON": faults.broken_json,
    "no choices": faults.no_choices,
    "null content": faults.null_content,
    "empty content": faults.empty_content,
    "content that is no text": faults.message(content={"text": "an object"}),
    "a thought without an end": faults.reworded(lambda text: f"<think>{text}"),
}
FINAL = {
    "cut": (faults.cut_at_limit, "truncated"),
    "caught by a filter": (faults.content_filter, "filtered"),
    "refused by the model": (faults.refusal, "filtered"),
    "refused by the endpoint": (refused(400, "invalid_request_error", "not to our taste"), "refused_by_endpoint"),
}
STOPPING = {
    "http_401": refused(401, "", ECHO),
    "invalid_api_key": refused(401, "invalid_api_key", ECHO),
    "http_402": refused(402, "unknown_error", ECHO),
    "http_403": refused(403, "", ECHO),
    "insufficient_quota": refused(429, "insufficient_quota", ECHO),
    "http_404": refused(404, "", ECHO),
    "model_not_found": refused(404, "model_not_found", ECHO),
    "redirected": faults.redirect,
}
MONEY_OR_KEY = list(STOPPING)[:5]
WHOEVER_SENDS = pytest.mark.parametrize("senders", [0, 1], ids=["the run sends", "a sender does"])


@WHOEVER_SENDS
async def test_a_fault_in_passing_costs_one_more_call_and_no_answer(senders: int, tmp_path: Path) -> None:
    script, count = asked({f"面包 after {name}": [fault] for name, fault in PASSING.items()}), Count()
    told = {"timeout": 0.3, "senders": senders}
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, **told) as engine:
        replies = [await ask(engine, f"面包 after {name}", count=count) for name in PASSING]
    assert [r.text for r in replies] == [f"an answer to: 面包 after {name}" for name in PASSING]
    assert server.per_prompt == {f"面包 after {name}": 2 for name in PASSING}
    assert count.calls == len(server.calls)
    assert server.paid_twice == 0


async def test_a_kept_connection_that_ends_between_two_calls_costs_no_answer(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=in_order(*[faults.reset_when_idle] * 20)) as server,
        engine_at(server, tmp_path, max_in_flight=1, attempts=2) as engine,
    ):
        for i in range(20):
            assert (await ask(engine, f"question {i}")).text
            await asyncio.sleep(0.001 * (i % 8))  # before it ends, while it does, and after
    assert set(server.per_prompt.values()) <= {1, 2}


async def test_a_call_that_fails_each_time_is_given_up_after_its_attempts_and_asked_anew_by_the_next_run(
    tmp_path: Path,
) -> None:
    async with FaultsServer(script=in_order(*[refused(500)] * 3)) as server, engine_at(server, tmp_path) as engine:
        with pytest.raises(Unanswered, match="http_500"):
            await ask(engine, "bread")
        assert len(server.calls) == 3
        assert (await ask(engine, "bread")).text


async def test_an_answer_that_stays_empty_is_no_answer(tmp_path: Path) -> None:
    async with FaultsServer(script=always(faults.empty_content)) as server, engine_at(server, tmp_path) as engine:
        with pytest.raises(NoAnswer) as none:
            await ask(engine, "bread")
    assert none.value.reason == "empty_answer"
    assert len(server.calls) == 3


@WHOEVER_SENDS
async def test_a_final_outcome_is_kept_and_never_paid_again(senders: int, tmp_path: Path) -> None:
    script = asked({name: [fault] for name, (fault, _) in FINAL.items()})
    for calls in (len(FINAL), 0):  # the second time is the next run
        async with FaultsServer(script=script) as server, engine_at(server, tmp_path, senders=senders) as engine:
            for name, (_, reason) in FINAL.items():
                with pytest.raises(NoAnswer) as none:
                    await ask(engine, name)
                assert none.value.reason == reason
        assert len(server.calls) == calls


@pytest.mark.parametrize("name", STOPPING)
async def test_an_unusable_teacher_is_found_out_once_and_not_asked_again(name: str, tmp_path: Path) -> None:
    script = always(STOPPING[name])
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, api_key_env="OUR_KEY") as engine:
        with pytest.raises(TeacherUnusable, match=name) as first:
            await ask(engine, "bread")
        for text in ("bread", "rice", "米饭"):
            with pytest.raises(TeacherUnusable) as again:
                await ask(engine, text)
            assert again.value is first.value
    (call,) = server.calls
    assert call.headers["Authorization"] == f"Bearer {KEY}"
    said = f"{first.value!r} {first.value.what} {first.value.where} {first.value.hint}"
    assert KEY not in said
    assert ("OUR_KEY" in first.value.hint) == (name in MONEY_OR_KEY)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_gets_the_key_by_redirecting_to_themselves(status: int, tmp_path: Path) -> None:
    async with FaultsServer() as thief:
        elsewhere = refused(status, headers={"Location": f"{thief.url}/chat/completions"})
        async with FaultsServer(script=always(elsewhere)) as server, engine_at(server, tmp_path) as engine:
            with pytest.raises(TeacherUnusable, match=f"redirects \\({status}\\); give its final address") as fault:
                await ask(engine, "bread")
    assert (len(server.calls), thief.calls) == (1, [])
    assert "base_url" in fault.value.hint


async def test_a_certificate_that_nobody_vouches_for_ends_it_at_once_and_names_the_address(tmp_path: Path) -> None:
    async with FaultsServer(tls=self_signed(tmp_path)) as server, engine_at(server, tmp_path / "calls") as engine:
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(9)), return_exceptions=True)
    assert {type(e) for e in ends} == {TeacherUnusable}
    assert server.calls == []
    fault = next(e for e in ends if isinstance(e, TeacherUnusable))
    assert "bad_certificate: self-signed certificate" in fault.what
    assert "base_url" in fault.hint
    assert server.url in fault.hint
    assert "SSL_CERT_FILE" in fault.hint
    assert "\n" not in str(fault)


async def test_another_model_than_was_asked_for_is_told_once_and_its_answer_kept(tmp_path: Path) -> None:
    said: list[str] = []
    async with FaultsServer(model="m-0-mini") as server, engine_at(server, tmp_path, notice=said.append) as engine:
        replies = [await ask(engine, f"问题 {i}") for i in range(3)]
    assert {r.model for r in replies} == {"m-0-mini"}
    (once,) = said
    assert "m-1" in once
    assert "answers as m-0-mini" in once
    assert strangers({"teacher": engine, "judge": engine}) == [f"m-1 at {engine.named} answered as m-0-mini"]


async def test_a_key_that_comes_back_as_a_models_name_is_told_to_nobody(tmp_path: Path) -> None:
    said: list[str] = []
    key = "sk-planted-0123456789"
    async with FaultsServer(model=f"m-{key}") as server, engine_at(server, tmp_path, notice=said.append) as engine:
        engine.key = key
        await ask(engine, "bread")
        assert strangers({"teacher": engine}) == [f"m-1 at {engine.named} answered as m-[key]"]
    assert key not in "".join(said)


async def test_a_dated_name_of_the_model_that_was_asked_for_is_that_model(tmp_path: Path) -> None:
    said: list[str] = []
    async with FaultsServer(model="org/M-1-2026-01-05") as server, engine_at(server, tmp_path, notice=said.append) as e:
        await ask(e, "bread")
    assert said == []


async def test_the_key_stands_nowhere_in_the_store_whatever_the_endpoint_says(tmp_path: Path) -> None:
    script = in_order(None, refused(400, "bad", f"{KEY} may not do this"), refused(500, "", KEY), None)
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path) as engine:
        assert (await ask(engine, "bread")).text
        with pytest.raises(NoAnswer) as refusal:
            await ask(engine, "rice")
        assert (await ask(engine, "noodles")).text
    assert KEY not in refusal.value.detail
    assert "may not do this" in refusal.value.detail
    assert len(list(tmp_path.iterdir())) >= 1
    for held in (*(f.read_bytes() for f in tmp_path.iterdir()), *blobs(tmp_path / "calls.sqlite")):
        assert KEY.encode() not in held


def blobs(path: Path) -> Iterator[bytes]:
    """What the store holds, unpacked."""
    found = list(stored(path))
    assert len(found) == 3
    for call in found:
        yield from (text.encode() for text in (call.request, call.outcome, call.reply.text))


async def test_a_word_that_serves_as_a_key_stays_in_what_the_endpoint_says(tmp_path: Path) -> None:
    script = always(refused(404, "not_recorded", "nothing is recorded"))
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, key="recorded") as engine:
        with pytest.raises(NoAnswer) as none:
            await ask(engine, "bread")
    assert none.value.reason == "not_recorded"
    assert none.value.detail == "nothing is recorded"


async def test_what_is_not_recorded_is_asked_again_once_it_may_be(tmp_path: Path) -> None:
    script = in_order(refused(404, "not_recorded"))
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path) as engine:
        with pytest.raises(NoAnswer):
            await ask(engine, "bread")
        assert (await ask(engine, "bread")).text


@pytest.mark.parametrize("fault", [faults.bad_gateway, faults.reset])
async def test_an_outage_ends_in_an_unusable_teacher_and_not_in_a_thousand_calls(fault: Fault, tmp_path: Path) -> None:
    async with FaultsServer(script=always(fault)) as server, engine_at(server, tmp_path, max_in_flight=4) as engine:
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(200)), return_exceptions=True)
    assert {type(e) for e in ends} <= {Unanswered, TeacherUnusable}
    assert "is http://127.0.0.1" in next(e for e in ends if isinstance(e, TeacherUnusable)).hint
    assert len(server.calls) <= 40  # three waves of twelve, and what was in flight


async def test_after_a_dozen_failures_in_a_row_everybody_waits_a_little(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=in_order(*[refused(503)] * 12)) as server,
        engine_at(server, tmp_path, max_in_flight=1, backoff=0.1) as engine,
    ):
        await asyncio.gather(*(ask(engine, f"question {i}") for i in range(13)))
    assert server.calls[12].nth == 0  # it has not failed itself
    assert server.calls[12].at - server.calls[11].at >= 0.06


async def test_failures_that_answers_lie_between_are_no_outage(tmp_path: Path) -> None:
    def first(call: faults.Call) -> Fault | None:
        return refused(503) if call.nth == 0 else None

    async with FaultsServer(script=first) as server, engine_at(server, tmp_path, max_in_flight=1) as engine:
        replies = [await ask(engine, f"question {i}") for i in range(40)]
    assert all(r.text for r in replies)


async def test_a_blip_that_hits_all_calls_in_flight_loses_none(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=in_order(*[refused(503)] * 100), latency=0.01) as server,
        engine_at(server, tmp_path, max_in_flight=100) as engine,
    ):
        replies = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(150)))
    assert all(r.text for r in replies)
    assert (len(server.calls), server.paid_twice) == (250, 0)


async def test_where_nobody_listens_the_fault_is_named_disconnected(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        async with engine_at(address, tmp_path, attempts=1) as engine:
            with pytest.raises(Unanswered, match="disconnected"):
                await ask(engine, "bread")


async def test_a_teacher_on_this_machine_is_not_looked_for_behind_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with FaultsServer() as server, engine_at(server, tmp_path, attempts=1) as engine:
        assert (await ask(engine, "bread")).text


@pytest.mark.parametrize(("text", "least"), [("bread " * 30, 40), ("面包" * 30, 40)])
async def test_an_answer_without_usage_is_counted_by_an_estimate_that_says_so(
    text: str, least: int, tmp_path: Path
) -> None:
    count, price = Count(), Price(input=1, output=1)
    script = always(faults.no_usage)
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, price=price) as engine:
        reply = await ask(engine, text, count=count)
        again = await ask(engine, text, count=count)
    assert reply.estimated
    assert again.estimated
    assert (count.calls, count.hits, count.estimated) == (1, 1, 1)
    assert least < count.tokens_in < 3 * least
    assert least < count.tokens_out < 3 * least
    assert count.usd > 0


async def test_tokens_that_the_endpoint_tells_are_no_estimate(tmp_path: Path) -> None:
    count = Count()
    async with FaultsServer() as server, engine_at(server, tmp_path) as engine:
        assert not (await ask(engine, "bread", count=count)).estimated
    assert count.estimated == 0


# Too many requests.


async def test_an_endpoint_that_is_down_and_says_for_how_long_is_left_alone_for_so_long(tmp_path: Path) -> None:
    down = rate_limited(seconds=0.1, status=503)
    async with FaultsServer(script=in_order(down)) as server, engine_at(server, tmp_path) as engine:
        assert (await ask(engine, "bread")).text
    assert (len(server.calls), server.early) == (2, 0)


@pytest.mark.parametrize(
    "limited", [rate_limited(seconds=0.1), rate_limited(ms=100), rate_limited(date_in=1), rate_limited()]
)
async def test_a_rate_limit_costs_patience_and_no_attempt_and_is_obeyed(limited: Fault, tmp_path: Path) -> None:
    script = in_order(limited, limited)
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, attempts=1) as engine:
        assert (await ask(engine, "bread")).text
    assert (len(server.calls), server.early) == (3, 0)


async def test_one_rate_limit_holds_everybody(tmp_path: Path) -> None:
    script = in_order(None, rate_limited(seconds=0.15))
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, max_in_flight=1) as engine:
        replies = await asyncio.gather(*(ask(engine, text) for text in ("one", "two", "three", "four")))
    assert all(r.text for r in replies)
    _, limited, *held = server.calls
    assert all(call.at - limited.at >= 0.15 for call in held)
    assert held[0].prompt != limited.prompt  # somebody else had the next turn, and waited too


async def test_who_is_turned_away_while_others_are_taken_waits_alone(tmp_path: Path) -> None:
    script = asked({"first": [rate_limited()], "second": [rate_limited()]})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, max_in_flight=4) as engine:
        assert (await ask(engine, "first")).text  # nothing was taken yet: everybody waits
        held = engine.limiter.not_before
        assert (await ask(engine, "second")).text
    assert held > 0
    assert engine.limiter.not_before == held
    assert len(server.calls) == 4


async def test_the_first_that_is_turned_away_by_an_endpoint_that_took_others_holds_nobody(tmp_path: Path) -> None:
    script = asked({"second": [rate_limited()]})
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, max_in_flight=4) as engine:
        assert (await ask(engine, "first")).text
        assert (await ask(engine, "second")).text
    assert engine.limiter.not_before == 0
    assert len(server.calls) == 3


@pytest.mark.parametrize("what", ["requests", "tokens"])
async def test_who_reads_that_nothing_remains_waits_until_there_is_some_again(what: str, tmp_path: Path) -> None:
    async with (
        FaultsServer(script=in_order(faults.used_up(what, "150ms"))) as server,
        engine_at(server, tmp_path, max_in_flight=1) as engine,
    ):
        replies = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(3)))
    assert all(r.text for r in replies)
    first, *others = server.calls
    assert all(call.at - first.at >= 0.15 for call in others)
    assert len(others) == 2  # nobody was turned away


@pytest.mark.parametrize("seconds", [0, 0.001])
async def test_a_server_that_limits_for_ever_wears_patience_out(seconds: float, tmp_path: Path) -> None:
    script = always(rate_limited(seconds=seconds))
    async with FaultsServer(script=script) as server, engine_at(server, tmp_path, patience=0.05) as engine:
        with pytest.raises(Unanswered, match="limiting the rate"):
            await ask(engine, "bread")
    assert len(server.calls) < 30


@pytest.mark.parametrize("status", [429, 503])
async def test_nobody_waits_for_longer_than_their_patience(status: int, tmp_path: Path) -> None:
    limited = rate_limited(seconds=3600, status=status)
    async with FaultsServer(script=always(limited)) as server, engine_at(server, tmp_path, max_in_flight=2) as engine:
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(9)), return_exceptions=True)
    assert {type(e) for e in ends} == {Unanswered}
    assert len(server.calls) <= (2 if status == 429 else 9)


async def test_no_more_calls_are_in_flight_than_allowed(tmp_path: Path) -> None:
    hiccup = in_order(None, refused(500), faults.reset, None, rate_limited(ms=1))
    async with (
        FaultsServer(script=hiccup, latency=0.01) as server,
        engine_at(server, tmp_path, max_in_flight=5) as engine,
    ):
        await asyncio.gather(*(ask(engine, f"question {i}") for i in range(40)))
    assert server.most_in_flight == 5


async def test_after_the_teacher_turned_out_unusable_nobody_waits_for_their_turn(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=always(refused(401))) as server,
        engine_at(server, tmp_path, rpm=1, max_in_flight=1) as engine,  # a turn a minute
    ):
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(9)), return_exceptions=True)
    assert {type(e) for e in ends} == {TeacherUnusable}


# One call for one question.


async def test_equal_questions_asked_at_once_are_one_call(tmp_path: Path) -> None:
    count = Count()
    async with FaultsServer(latency=0.02) as server, engine_at(server, tmp_path) as engine:
        replies = await asyncio.gather(*(ask(engine, "bread", count=count) for _ in range(20)))
        again = await ask(engine, "bread", count=count)
    assert len(server.calls) == 1
    assert {r.text for r in (*replies, again)} == {"an answer to: bread"}
    assert sum(r.hit for r in replies) == 19
    assert again.hit
    assert (count.calls, count.hits) == (1, 20)


async def test_another_sample_model_or_temperature_is_another_question(tmp_path: Path) -> None:
    async with FaultsServer() as server:
        async with engine_at(server, tmp_path) as engine:
            for sample in (0, 1, 0, 1):
                await ask(engine, "bread", sample=sample)
        async with engine_at(server, tmp_path, model="m-2") as engine:
            await ask(engine, "bread")
    assert [c.body["model"] for c in server.calls] == ["m-1", "m-1", "m-2"]


async def test_equal_questions_share_a_failure_too(tmp_path: Path) -> None:
    async with (
        FaultsServer(script=always(refused(500)), latency=0.01) as server,
        engine_at(server, tmp_path) as engine,
    ):
        ends = await asyncio.gather(*(ask(engine, "bread") for _ in range(5)), return_exceptions=True)
    assert {type(e) for e in ends} == {Unanswered}
    assert len(server.calls) == 3


async def test_a_twin_that_asks_for_more_does_not_get_what_was_cut_for_the_other(tmp_path: Path) -> None:
    def short(call: faults.Call) -> Fault | None:
        return faults.cut_at_limit if call.body["max_tokens"] < 100 else None

    async with FaultsServer(script=short, latency=0.02) as server, engine_at(server, tmp_path) as engine:
        small, large, larger = await asyncio.gather(
            ask(engine, "bread", 10), ask(engine, "bread", 100), ask(engine, "bread", 200), return_exceptions=True
        )
    assert isinstance(small, NoAnswer)
    assert isinstance(large, Reply)
    assert isinstance(larger, Reply)
    assert (large.text, large.hit, larger.text, larger.hit) == (larger.text, False, large.text, True)
    assert len(server.calls) == 2


async def test_who_waits_for_a_twin_that_is_interrupted_is_unanswered_and_not_stuck(tmp_path: Path) -> None:
    async with FaultsServer(latency=5) as server, engine_at(server, tmp_path) as engine:
        first = asyncio.create_task(ask(engine, "bread"))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(ask(engine, "bread"))
        await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(Unanswered, match="interrupted"):
            await second


# The store, through the engine.


async def test_a_larger_limit_reuses_an_answer_that_was_not_cut(tmp_path: Path) -> None:
    async with FaultsServer() as server, engine_at(server, tmp_path) as engine:
        for limit in (10, 1000, 5):
            await ask(engine, "bread", limit)
    assert len(server.calls) == 1


async def test_an_answer_that_was_cut_is_asked_again_with_a_larger_limit_only(tmp_path: Path) -> None:
    async with FaultsServer(script=in_order(faults.cut_at_limit)) as server, engine_at(server, tmp_path) as engine:
        for limit in (10, 10, 5):
            with pytest.raises(NoAnswer):
                await ask(engine, "bread", limit)
        assert len(server.calls) == 1
        assert (await ask(engine, "bread", 20)).text
        assert (await ask(engine, "bread", 10)).text  # from now on the whole answer is known
    assert len(server.calls) == 2


async def test_a_limit_that_an_endpoint_refused_may_be_changed(tmp_path: Path) -> None:
    too_long = in_order(refused(400, "context_length_exceeded", "max_tokens is too large"))
    async with FaultsServer(script=too_long) as server, engine_at(server, tmp_path) as engine:
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await ask(engine, "bread", 100_000)
        assert (await ask(engine, "bread", 1000)).text
    assert len(server.calls) == 2


async def test_ten_new_questions_beside_old_ones_are_ten_calls(tmp_path: Path) -> None:
    for many in (50, 60):
        async with FaultsServer() as server, engine_at(server, tmp_path) as engine:
            await asyncio.gather(*(ask(engine, f"问题 {i}") for i in range(many)))
    assert len(server.calls) == 10


# The budget.


@pytest.mark.parametrize("cap", [0, 1, 7])
async def test_a_cap_on_calls_is_exact_however_many_are_in_flight(cap: int, tmp_path: Path) -> None:
    async with (
        FaultsServer(latency=0.005, script=in_order(None, refused(500))) as server,
        engine_at(server, tmp_path, Budget(calls=cap), max_in_flight=20) as engine,
    ):
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(40)), return_exceptions=True)
    assert len(server.calls) == cap
    assert sum(isinstance(e, BudgetReached) for e in ends) == 40 - cap + (cap > 1)


async def test_a_cap_on_tokens_or_money_stops_the_next_call_and_not_what_is_known(tmp_path: Path) -> None:
    price = Price(input=0, output=1e6)  # a dollar for each token
    for budget in (Budget(tokens=190), Budget(usd=100.5)):  # room for one call that says as much as it may
        folder = tmp_path / str(budget.usd)
        async with FaultsServer() as server, engine_at(server, folder, budget, price=price) as engine:
            reply = await ask(engine, "bread")
            with pytest.raises(BudgetReached, match=r"is reached: \d+ spent, and a call may come to"):
                await ask(engine, "rice")
            assert (await ask(engine, "bread")).text == reply.text
        assert len(server.calls) == 1
        assert engine.purse.spent.usd == reply.response_tokens
        assert engine.purse.spent.hits == 1


async def test_money_is_never_overshot_with_five_hundred_in_flight(tmp_path: Path) -> None:
    budget, price = Budget(usd=2), Price(input=10, output=1000)  # a call holds 10 cents, and costs one
    async with (
        FaultsServer(latency=0.002, answer=lambda body: "ten tokens in thirty bytes is it") as server,
        engine_at(server, tmp_path, budget, price=price, max_in_flight=512) as engine,
    ):
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(600)), return_exceptions=True)
    assert {type(e) for e in ends} == {Reply, BudgetReached}
    assert 1.85 < engine.purse.spent.usd <= 2
    assert server.most_in_flight <= 20


async def test_at_the_cap_nobody_waits_for_their_turn(tmp_path: Path) -> None:
    async with (
        FaultsServer() as server,
        engine_at(server, tmp_path, Budget(calls=1), rpm=1, max_in_flight=1) as engine,
    ):
        ends = await asyncio.gather(*(ask(engine, f"question {i}") for i in range(9)), return_exceptions=True)
    assert sum(isinstance(e, BudgetReached) for e in ends) == 8


@WHOEVER_SENDS
async def test_two_hundred_calls_through_all_faults_lose_nothing_and_pay_nothing_twice(
    senders: int, tmp_path: Path
) -> None:
    some = [refused(503), faults.reset, faults.broken_json, rate_limited(ms=5), faults.null_content, faults.cut_body]
    script = asked({f"question {i:03d}": [some[i // 5 % len(some)]] for i in range(0, 200, 5)})
    async with (
        FaultsServer(script=script, latency=0.002) as server,
        engine_at(server, tmp_path, max_in_flight=32, senders=senders) as engine,
    ):
        replies = await asyncio.gather(*(ask(engine, f"question {i:03d}") for i in range(200)))
    assert [r.text for r in replies] == [f"an answer to: question {i:03d}" for i in range(200)]
    assert set(server.per_prompt.values()) == {1, 2}
    assert (len(server.calls), server.paid_twice, server.early) == (240, 0, 0)


async def test_an_endpoint_that_refuses_every_call_stops_the_run_and_no_question_is_blamed(tmp_path: Path) -> None:
    wrong = always(refused(400, "400", "Authentication Error, Invalid proxy server token passed"))
    async with FaultsServer(script=wrong) as server, engine_at(server, tmp_path, max_in_flight=4) as engine:
        found = await asyncio.gather(*(ask(engine, f"问题 {i}") for i in range(30)), return_exceptions=True)
        with pytest.raises(TeacherUnusable, match="refused the first 10 calls: 400 Authentication Error"):
            raise next(f for f in found if isinstance(f, TeacherUnusable))
        assert len(server.calls) < 16
    assert [*stored(tmp_path / "calls.sqlite")] == []
    async with FaultsServer() as server, engine_at(server, tmp_path) as engine:
        assert (await ask(engine, "问题 0")).text


async def test_where_an_endpoint_takes_calls_a_refusal_is_the_questions_own_and_kept(tmp_path: Path) -> None:
    script = asked({f"bad {i}": [refused(400)] * 3 for i in range(20)})
    async with FaultsServer(script=script) as server:
        for _ in range(2):
            async with engine_at(server, tmp_path) as engine:
                assert (await ask(engine, "good")).text
                for i in range(20):
                    with pytest.raises(NoAnswer, match="refused_by_endpoint"):
                        await ask(engine, f"bad {i}")
    assert len(server.calls) == 21
