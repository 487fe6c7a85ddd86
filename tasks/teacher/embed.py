"""Texts to vectors, by the same engine: store, limits, budget, circuit and outcome classes are those of chat calls.

Texts go out some at a time, and each vector is stored under its own text, so that a text is paid for once however it
is grouped the next time. The text itself is not kept, as its vector is found by its hash. A vector is kept in 32-bit
floats, which models compute in: so it is the same, bit for bit, from the endpoint and from the store.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tasks.teacher.asking import Asking
from tasks.teacher.count import Count
from tasks.teacher.engine import Engine, given
from tasks.teacher.outcomes import GOOD, Reply, Verdict, bad_body, counts, read, sound
from tasks.teacher.request import call_key, request_of, text_of
from tasks.teacher.store import Stored
from tasks.teacher.tokens import tokens
from tasks.teacher.wire import Wire

EMBEDDINGS = "embeddings"  # the role, and the stage where none is named
AT_ONCE = 64  # texts in a request


class EmbeddingEngine(Engine):
    """One endpoint of embeddings at work."""

    path = "embeddings"

    def way(self) -> Wire:
        """From this process: a request holds many texts, so there are few."""
        return Wire(**self.told)

    async def embed(
        self, texts: Sequence[str], count: Count | None = None, stage: str = EMBEDDINGS
    ) -> list[list[float]]:
        """A vector for each text, in their order; equal texts are one, but for those that two callers ask at once.

        Raises NoAnswer where the endpoint refuses some, Unanswered, BudgetReached or TeacherUnusable.
        """
        count, whole = count or Count(), [sound(text) for text in texts]
        unique = list(dict.fromkeys(whole))
        found = [self.store.look_up(self.key_of(text)) for text in unique]
        vectors = {text: call.reply.text for text, call in zip(unique, found, strict=True) if call}
        for _ in vectors:
            count.hits += 1
            self.purse.hit()
        missing = [text for text in unique if text not in vectors]
        parts = [missing[at : at + AT_ONCE] for at in range(0, len(missing), AT_ONCE)]
        ends = await asyncio.gather(*(self.asked(p, count, stage) for p in parts), return_exceptions=True)
        for part, made in zip(parts, ends, strict=True):
            if isinstance(made, BaseException):
                raise made
            vectors |= zip(part, made, strict=True)
        return [unpacked(vectors[text]) for text in whole]

    def key_of(self, text: str) -> str:
        return call_key(self.identity, request_of({"model": self.endpoint.model, "input": text}), 0)

    async def asked(self, texts: Sequence[str], count: Count, stage: str) -> list[str]:
        """The packed vectors of some texts, by one call."""
        body = {"model": self.endpoint.model, "input": list(texts)}
        request = request_of(body)
        key = call_key(self.identity, request, 0)
        call = await Asking(self, key, body, text_of(request), count, stage, "").answered()
        return given(call).text.split()

    def read(self, came: bytes, body: dict[str, Any]) -> tuple[Verdict, Reply | None]:
        """A reply whose text is the packed vectors, one after the other."""
        try:
            plain = read(came)
            rows = sorted(plain["data"], key=lambda row: row["index"])
            vectors = [packed(row["embedding"]) for row in rows]
            (told,) = counts(plain.get("usage"), "prompt_tokens")
            model = str(plain.get("model") or "")
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return bad_body(came), None
        if len(vectors) != len(body["input"]) or len({len(v) for v in vectors}) != 1:
            return Verdict("retry", "bad_body", f"{len(vectors)} vectors for {len(body['input'])} texts"), None
        used = told or max(1, sum(map(tokens, body["input"])))
        return GOOD, Reply(" ".join(vectors), model=model, prompt_tokens=used, estimated=not told)

    def keep(self, call: Stored) -> None:
        """Each vector under its text. Of a refusal nobody knows which text it is for: it is not kept."""
        if call.outcome != "good":
            return
        texts, model = json.loads(call.request)["input"], json.dumps({"model": self.endpoint.model})
        for text, vector in zip(texts, call.reply.text.split(), strict=True):
            reply = replace(call.reply, text=vector, prompt_tokens=tokens(text), estimated=True)
            self.store.put(replace(call, key=self.key_of(text), request=model, reply=reply))


def packed(vector: Sequence[float]) -> str:
    """Base64 of 32-bit floats, the lowest byte first. Raises ValueError where one of them is no number."""
    floats = array("f", vector)
    if not floats or not all(map(math.isfinite, floats)):
        raise ValueError("not a vector")
    return b64encode(ordered(floats).tobytes()).decode()


def unpacked(text: str) -> list[float]:
    floats = array("f")
    floats.frombytes(b64decode(text))
    return ordered(floats).tolist()


def ordered(floats: array[float]) -> array[float]:
    """With the lowest byte first, from this machine's order or to it."""
    if sys.byteorder == "big":
        floats.byteswap()
    return floats
