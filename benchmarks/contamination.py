"""How fast prompts are checked against benchmark files, beside windows as strings in a set; `make bench`.

100,000 made-up questions, a third Chinese, and 20,000 prompts, of which every hundredth holds one of them. Rates are
rows for each second of CPU time, so that a shared machine does not matter much.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.hanzi import simplified
from tasks.mine.decontaminate import Decontaminate
from tasks.mine.windows import CHARACTERS, LEAST_CHINESE, WORDS
from tasks.schema import SCHEMA
from tasks.text import CJK, key

QUESTIONS, PROMPTS, EVERY = 100_000, 20_000, 100
HAN = "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学"
LETTERS = "etaoinshrdlu"


def said(dice: Random) -> str:
    """About 60 words, or 100 characters of Chinese."""
    if dice.random() < 1 / 3:
        return "".join(dice.choices(HAN, k=100))
    return " ".join("".join(dice.choices(LETTERS, k=dice.randint(2, 9))) for _ in range(60))


def grams(text: str) -> set[str]:
    """The same windows, each as a string."""
    folded = simplified(key(text))
    words = re.findall(r"\w+", CJK.sub(" ", folded))
    letters = re.sub(r"\W+", "", folded)
    every = (letters[i : i + CHARACTERS] for i in range(len(letters) - CHARACTERS + 1))
    chinese = {w for w in every if len(CJK.findall(w)) >= LEAST_CHINESE} if CJK.search(folded) else set[str]()
    return chinese | {" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}


def rows(prompts: list[str]) -> pa.Table:
    turn = {"role": "user", "content": "", "reasoning_content": "", "tool_calls": [], "tool_call_id": "", "name": ""}
    messages = [[turn | {"content": text, "trained": False}] for text in prompts]
    plain = {"messages": messages, "input": [""] * len(prompts)}
    return pa.table({n: pa.array(v, SCHEMA.field(n).type) for n, v in plain.items()})


def main() -> None:
    dice = Random(0)
    questions = [said(dice) for _ in range(QUESTIONS)]
    prompts = [f"{said(dice)} {questions[i] if i % EVERY == 0 else ''}" for i in range(PROMPTS)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "questions.parquet"
        pq.write_table(pa.table({"question": questions}), file)
        step = Decontaminate((str(file),))
        began = time.process_time()
        step(rows(prompts[:1]))
        built = time.process_time()
        found = step(rows(prompts)).reason
        done = time.process_time()
    print(f"index of {QUESTIONS:,} questions  {built - began:6.1f} s, {QUESTIONS / (built - began):,.0f} questions/s")
    print(f"prompts against it          {PROMPTS / (done - built):9,.0f} rows/s")
    print(f"found {PROMPTS - found.null_count} of {PROMPTS // EVERY}")
    began = time.process_time()
    known = set[str]().union(*map(grams, questions))
    built = time.process_time()
    hits = sum(not known.isdisjoint(grams(p)) for p in prompts)
    print(f"a set of strings: index     {built - began:6.1f} s, {QUESTIONS / (built - began):,.0f} questions/s")
    print(f"                  prompts   {PROMPTS / (time.process_time() - built):9,.0f} rows/s, found {hits}")


if __name__ == "__main__":
    main()
