"""A stand-in for a model that is trained: it learns rows by heart, and answers as the row that is most alike.

python memoriser.py train TRAIN.jsonl MODEL          adds a line to MODEL/../../trainings
python memoriser.py serve MODEL PORT [ANSWER]        with ANSWER it says that, whatever is asked
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def grams(text: str) -> set[str]:
    return {text[i : i + 3] for i in range(len(text))}


def train(file: str, model: str) -> None:
    rows = [json.loads(line)["messages"] for line in Path(file).read_text("utf-8").splitlines()]
    pairs = [(said[-2]["content"], said[-1]["content"]) for said in rows]
    (Path(model) / "known.json").write_text(json.dumps(pairs), "utf-8")
    with (Path(model).parent.parent / "trainings").open("a") as out:
        out.write(f"{len(pairs)}\n")


class Serving(BaseHTTPRequestHandler):
    known: list[tuple[set[str], str]]
    always = ""

    def do_GET(self) -> None:
        self.sent({"object": "list", "data": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = grams(body["messages"][-1]["content"])
        text = self.always or max(self.known, key=lambda one: len(one[0] & asked))[1]
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        self.sent({"id": "0", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage})

    def sent(self, plain: dict[str, Any]) -> None:
        said = json.dumps(plain).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *_: object) -> None:
        pass


def serve(model: str, port: str, always: str = "") -> None:
    file = Path(model) / "known.json"
    pairs = json.loads(file.read_text("utf-8")) if file.is_file() else []
    Serving.known, Serving.always = [(grams(asked), answer) for asked, answer in pairs], always
    ThreadingHTTPServer(("127.0.0.1", int(port)), Serving).serve_forever()


if __name__ == "__main__":
    {"train": train, "serve": serve}[sys.argv[1]](*sys.argv[2:])
