"""`flywheel doctor` on real folders, files and endpoints: each fault is found, named, and comes with what to do."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from flows.commands import flywheel
from flows.embedded import free_port
from tasks.history.dataset import Dataset, Entry
from tasks.teacher.protocol import ChatServer, completion, error
from tests import faults

SECRET = "sk-planted-0123456789abcdef"
LOG = {"id": "1", "created_at": "2026-11-01T08:00:00Z", "messages": [{"role": "user", "content": "桥有多高？"}]}


@dataclass
class Done:
    code: int
    out: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.strip().splitlines()[-1])

    def found(self, check: str) -> list[tuple[str, str]]:
        return [(c["state"], f"{c['said']} {c['do']}") for c in self.json["checks"] if c["check"] == check]


Call = Callable[..., Done]


class Embedding(ChatServer):
    """Answers, and gives vectors."""

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.post("/v1/embeddings", self.embed)]

    async def embed(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(faults.embedded(await request.json()))


@pytest.fixture
def url() -> Iterator[str]:
    """A model that answers by its name: `json` as asked, `prose`, or not at all for another."""
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    at: list[str] = []

    async def answer(body: dict[str, Any]) -> web.StreamResponse:
        if body["model"] == "object" and body.get("response_format", {}).get("type") == "json_schema":
            return error(400, "invalid_request_error", "This response_format type is unavailable now")
        said = {"json": '{"ready": true}', "object": '{"ready": true}', "prose": "Yes, I am ready."}.get(body["model"])
        return web.json_response(completion(said, "m", "hello")) if said else error(404, "model_not_found", SECRET)

    async def serve() -> None:
        async with Embedding(answer, "m") as server:
            at.append(server.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield at[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str) -> Call:
    """The doctor on logs that can be read and a model that answers, but for what `more` changes."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "logs.jsonl").write_text(json.dumps(LOG) + "\n")

    def called(*more: str) -> Done:
        told = [
            "--source",
            str(tmp_path / "logs.jsonl"),
            "--out",
            str(tmp_path / "lake"),
            "--set",
            "teacher.model=json",
        ]
        code = flywheel.main(["doctor", *told, "--set", f"teacher.base_url={url}", *more], standalone_mode=False)
        return Done(code, capsys.readouterr().out)

    return called


def test_all_is_well_and_one_call_is_counted_and_nothing_is_left_behind(call: Call, tmp_path: Path):
    before = {p for p in tmp_path.rglob("*")}
    done = call("--json")
    assert [c for c in done.json["checks"] if c["state"] != "ok"] == []
    assert (done.code, done.json["well"], done.json["teacher"]["calls"]) == (0, True, 1)
    assert done.json["teacher"]["tokens_in"] > 0
    assert {p for p in tmp_path.rglob("*")} == before
    page = call().out
    assert "all is well" in page
    assert "\x1b" not in page
    assert SECRET not in page + done.out


def test_each_endpoint_is_called_as_it_will_be_asked(call: Call, url: str):
    place = f"base_url: '{url}', api_key_env: OPENAI_API_KEY"
    told = [f"{role}={{model: {model}, {place}}}" for role, model in (("embeddings", "e-1"), ("reward", "object"))]
    done = call("--json", "--set", told[0], "--set", told[1])
    assert ("ok", "it gives vectors in 8 dimensions ") in done.found("embeddings")
    assert ("ok", "it gives JSON (json_object) ") in done.found("reward")
    assert ("ok", "it gives JSON (json_schema) ") in done.found("teacher")
    assert done.code == 0


def test_an_endpoint_without_vectors_is_a_problem(call: Call, url: str):
    done = call("--json", "--set", f"embeddings={{model: e-1, base_url: '{url}/elsewhere'}}")
    (fault,) = [said for state, said in done.found("embeddings") if state == "problem"]
    assert "check base_url" in fault


def test_no_call_calls_nobody(call: Call):
    assert call("--no-call", "--json").json["teacher"]["calls"] == 0


FAULTS = [
    (["--set", "teacher.model=prose"], "teacher", "problem", "set teacher.structured to json_object or text"),
    (["--set", "teacher.model=other"], "teacher", "problem", "has no model other; set teacher.model"),
    (["--set", "teacher.base_url=http://127.0.0.1:9/v1"], "teacher", "problem", "no answer"),  # nobody listens there
    (
        ["--set", "teacher.base_url=http://no-such-host.invalid/v1"],
        "teacher",
        "problem",
        "no host no-such-host.invalid",
    ),
    (["--set", "teacher.api_key_env=NOWHERE_SET"], "teacher", "problem", "export NOWHERE_SET="),
    (["--source", "nowhere.jsonl"], "sources", "problem", "no logs at nowhere.jsonl"),
    (["--set", "mine.rules=[no_wrds]"], "recipe", "problem", "there is no rule no_wrds did you mean no_words"),
    (["--set", "produce=[{robust: {only: {after: [log]}}}]"], "recipe", "problem", "did you mean logs"),
    (["--set", "mine.benchmarks=[考题.jsonl]"], "recipe", "problem", "no benchmark at"),
    (["--set", "label.taxonomy=pyproject.toml"], "taxonomy", "problem", "is not a taxonomy"),
    (["--set", "gates.suite=nowhere.yaml"], "gates", "problem", "is not a suite of gates"),
    (["--set", "answer.few_shot=1", "--set", "answer.pool=nowhere"], "examples", "problem", "is not a pool"),
    (["--set", "student.tokenizer=nowhere.json"], "student", "problem", "expected the model's own tokenizer.json"),
    (["--set", "notify.command=[no-such-program]"], "notify", "problem", "no program no-such-program"),
    (["--set", "notify.webhook_env=NOWHERE_SET"], "notify", "problem", "export NOWHERE_SET="),
]


@pytest.mark.parametrize(("more", "check", "state", "said"), FAULTS, ids=[f[0][-1] for f in FAULTS])
def test_a_fault_is_found_named_and_comes_with_what_to_do(
    call: Call, more: list[str], check: str, state: str, said: str
):
    done = call(*more, "--json")
    assert done.code == 1
    assert [s for found, s in done.found(check) if found == state and said in s]
    assert SECRET not in done.out


def test_a_source_whose_rows_cannot_be_read_names_the_first(call: Call, tmp_path: Path):
    (tmp_path / "logs.jsonl").write_text('{"prompt": "x"}\nno JSON\n')
    ((state, said),) = call("--json").found("sources")
    assert state == "problem"
    assert "2 of the first 2 rows cannot be read" in said
    (tmp_path / "logs.jsonl").write_text(json.dumps(LOG) + "\nno JSON\n")
    assert call("--json").found("sources")[0][0] == "warning"
    (tmp_path / "logs.jsonl").write_text("")
    assert call("--json").found("sources")[0][0] == "warning"


def test_a_mapping_is_named_as_in_refresh(call: Call, tmp_path: Path):
    (tmp_path / "logs.jsonl").write_text(json.dumps({"instruction": "Name a knot.", "output": "The bowline."}) + "\n")
    assert call("--json").found("sources")[0][0] == "problem"
    assert call("--mapping", "alpaca", "--json").found("sources")[0][0] == "ok"


def test_a_dataset_that_is_held_and_logs_from_the_future_are_warnings(call: Call, tmp_path: Path):
    ahead = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    with (made := Dataset(tmp_path / "lake" / "weekly")).held():
        made.commit(Entry(1, "nothing_new", sources=[{"watermark": ahead}]), {})
        done = call("--json")
    assert [done.found(c)[0][0] for c in ("lock", "clock")] == ["warning", "warning"]
    assert call("--json").found("lock")[0][0] == "ok"


def test_a_prefect_server_that_is_not_there_is_a_problem(call: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", f"http://user:{SECRET}@127.0.0.1:{free_port()}/api")
    done = call("--json")
    assert done.found("server")[0][0] == "problem"
    assert SECRET not in done.out


def test_a_recipe_that_is_none_is_exit_2(call: Call):
    assert call("--set", "notify.webhook=ftp://x").code == 2
    assert call("--recipe", "nowhere.yaml").code == 2
