"""A tiny language model that reads and writes characters: a transformer of two layers, from scratch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

PAD, BEGIN, ANSWER, END, UNKNOWN = range(5)
SPECIAL = 5
WIDTH, HEADS, LAYERS, CONTEXT = 128, 4, 2, 384
LONGEST = 64  # characters of an answer


class Tiny(nn.Module):
    """`letters` are the characters that it knows; all others are one unknown letter to it."""

    def __init__(self, letters: str) -> None:
        super().__init__()
        self.letters = letters
        self.number = {letter: i + SPECIAL for i, letter in enumerate(letters)}
        self.letter = nn.Embedding(SPECIAL + len(letters), WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout=0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, SPECIAL + len(letters))

    def forward(self, tokens: Tensor) -> Tensor:
        seen = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        found = self.letter(tokens) + self.place(torch.arange(tokens.shape[1]))
        return self.head(self.layers(found, mask=seen, is_causal=True))

    def asked(self, messages: list[dict[str, Any]]) -> list[int]:
        """What is asked as numbers: the end of it, where it is long, as most that is asked for stands there."""
        text = "\n".join(m["content"] for m in messages)[-(CONTEXT - LONGEST - 3) :]
        return [BEGIN, *self.numbers(text), ANSWER]

    def numbers(self, text: str) -> list[int]:
        return [self.number.get(letter, UNKNOWN) for letter in text]

    @torch.no_grad()
    def answer(self, messages: list[dict[str, Any]]) -> str:
        """The likeliest answer, letter by letter."""
        tokens, said = self.asked(messages), ""
        while len(said) < LONGEST:
            likely = int(self(torch.tensor([tokens]))[0, -1].argmax())
            if likely < SPECIAL:
                break
            tokens, said = [*tokens, likely], said + self.letters[likely - SPECIAL]
        return said

    def save(self, folder: Path) -> None:
        (folder / "letters.json").write_text(json.dumps(self.letters), "utf-8")
        torch.save(self.state_dict(), folder / "weights.pt")


def load(folder: Path) -> Tiny:
    model = Tiny(json.loads((folder / "letters.json").read_text("utf-8")))
    model.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    return model.eval()


def loss(model: Tiny, tokens: Tensor, trained: Tensor) -> Tensor:
    """Of the letters of the answer, and of its end, alone."""
    said = model(tokens[:, :-1])
    each = functional.cross_entropy(said.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    weights = trained[:, 1:].flatten().float()
    return (each * weights).sum() / weights.sum()
