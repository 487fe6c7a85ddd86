"""Serve the tiny model on loopback as OpenAI's API does: `python serve.py MODEL PORT [--untrained]`.

Answers one question after the other. Stands for vLLM, llama.cpp or what else serves your own.
"""

from __future__ import annotations

import argparse
import json
import string
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from model import Tiny, load


class Serving(BaseHTTPRequestHandler):
    model: Tiny
    turn = threading.Lock()

    def do_GET(self) -> None:
        self.sent({"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["messages"]
        with self.turn:
            said = self.model.answer(asked)
        used = {"prompt_tokens": sum(len(m["content"]) for m in asked), "completion_tokens": len(said) + 1}
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        total = {"total_tokens": sum(used.values())}
        self.sent(
            {"id": "0", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": used | total}
        )

    def sent(self, plain: dict[str, Any]) -> None:
        said = json.dumps(plain).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *_: object) -> None:
        pass


def main() -> None:
    told = argparse.ArgumentParser()
    told.add_argument("model", type=Path)
    told.add_argument("port", type=int)
    told.add_argument("--untrained", action="store_true")
    arguments = told.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    Serving.model = Tiny(string.printable).eval() if arguments.untrained else load(arguments.model)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Serving).serve_forever()


if __name__ == "__main__":
    main()
