"""Train the tiny model on chat messages: `python train.py TRAIN.jsonl MODEL [--seconds N]`.

Some minutes on one core for a thousand rows. Stands for your own training command: SFT of a small open model, say.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from random import Random

import torch
from model import ANSWER, BEGINS, CONTEXT, END, LONGEST, PAD, Tiny, loss

BATCH, RATE = 32, 1e-3
ENOUGH = 0.002  # the mean loss of an epoch from which on there is nothing more to learn


def examples(model: Tiny, file: Path) -> list[list[int]]:
    rows = [json.loads(line)["messages"] for line in file.read_text("utf-8").splitlines()]
    made = [[*model.asked(said[:-1]), *model.numbers(said[-1]["content"]), END] for said in rows]
    return [tokens for tokens in made if len(tokens) - tokens.index(ANSWER) <= LONGEST]


def epoch(model: Tiny, rows: list[list[int]], optimiser: torch.optim.Optimizer, dice: Random, until: float) -> float:
    """Every row once, those of like length together; gives the mean loss."""
    order = sorted(rows, key=lambda tokens: (len(tokens) // 16, dice.random()))
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    dice.shuffle(batches)
    losses = []
    for batch in batches:
        longest = max(map(len, batch))
        tokens = torch.tensor([one + [PAD] * (longest - len(one)) for one in batch])
        first = torch.tensor([[BEGINS - one.index(ANSWER) - 1] for one in batch])
        places = (first + torch.arange(longest)).clamp(max=CONTEXT - 1)
        optimiser.zero_grad()
        found = loss(model, tokens, places)
        found.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(found.item())
        if time.monotonic() > until:
            break
    return sum(losses) / len(losses)


def main() -> None:
    told = argparse.ArgumentParser()
    told.add_argument("train", type=Path)
    told.add_argument("model", type=Path)
    told.add_argument("--seconds", type=float, default=600)
    arguments = told.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    until = time.monotonic() + arguments.seconds
    texts = arguments.train.read_text("utf-8")
    letters = "".join(
        sorted({c for line in texts.splitlines() for m in json.loads(line)["messages"] for c in m["content"]})
    )
    model = Tiny(letters)
    rows = examples(model, arguments.train)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    found, number, dice = 1.0, 0, Random(0)
    while found > ENOUGH and time.monotonic() < until:
        number += 1
        found = epoch(model.train(), rows, optimiser, dice, until)
        print(f"epoch {number}: loss {found:.4f} on {len(rows)} rows", flush=True)
    model.save(arguments.model)


if __name__ == "__main__":
    main()
