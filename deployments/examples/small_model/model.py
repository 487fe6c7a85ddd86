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
BEGINS = CONTEXT - LONGEST - 1  # the place of every answer, however long what is asked before it


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

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        seen = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        found = self.letter(tokens) + self.place(places)
        return self.head(self.layers(found, mask=seen, is_causal=True))

    def asked(self, messages: list[dict[str, Any]]) -> list[int]:
        """What is asked as numbers: the end of it, where it is long, as most that is asked for stands there."""
        text = "\n".join(m["content"] for m in messages)[-(BEGINS - 2) :]
        return [BEGIN, *self.numbers(text), ANSWER]

    def numbers(self, text: str) -> list[int]:
        return [self.number.get(letter, UNKNOWN) for letter in text]

    @torch.no_grad()
    def answer(self, messages: list[dict[str, Any]]) -> str:
        """The likeliest answer, letter by letter; what was read is not read again for each of them."""
        read: list[tuple[Tensor, Tensor]] = []
        tokens, said = self.asked(messages), ""
        start = BEGINS - len(tokens)
        while len(said) < LONGEST:
            likely = int(self.next(torch.tensor(tokens), start, read).argmax())
            if likely < SPECIAL:
                break
            start, tokens, said = start + len(tokens), [likely], said + self.letters[likely - SPECIAL]
        return said

    def next(self, tokens: Tensor, start: int, read: list[tuple[Tensor, Tensor]]) -> Tensor:
        """`forward` of the last of these tokens, from place `start` on; `read` holds keys and values of all before
        them, layer by layer, and of these too afterwards."""
        found = self.letter(tokens) + self.place(torch.arange(start, start + len(tokens)))
        for number, layer in enumerate(self.layers.layers):
            attention = layer.self_attn
            parts = functional.linear(layer.norm1(found), attention.in_proj_weight, attention.in_proj_bias).chunk(3, -1)
            query, key, value = (part.view(len(tokens), HEADS, -1).transpose(0, 1) for part in parts)
            if read[number:]:
                key, value = torch.cat((read[number][0], key), 1), torch.cat((read[number][1], value), 1)
            read[number:] = [(key, value), *read[number + 1 :]]
            heard = functional.scaled_dot_product_attention(query, key, value, is_causal=len(tokens) > 1)
            found = found + attention.out_proj(heard.transpose(0, 1).reshape(len(tokens), -1))
            found = found + layer.linear2(layer.linear1(layer.norm2(found)).relu())
        return self.head(found[-1])

    def save(self, folder: Path) -> None:
        (folder / "letters.json").write_text(json.dumps(self.letters), "utf-8")
        torch.save(self.state_dict(), folder / "weights.pt")


def load(folder: Path) -> Tiny:
    model = Tiny(json.loads((folder / "letters.json").read_text("utf-8")))
    model.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    return model.eval()


def loss(model: Tiny, tokens: Tensor, places: Tensor) -> Tensor:
    """Of the letters of the answers, and of their ends, alone; `places` are those of the tokens."""
    said = model(tokens[:, :-1], places[:, :-1])
    each = functional.cross_entropy(said.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    weights = ((places >= BEGINS) & (tokens != PAD))[:, 1:].flatten().float()
    return (each * weights).sum() / weights.sum()
