"""A tokenizer and a model made on the spot: nothing is downloaded, and every text comes back as it was."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LENGTH = 8192


def tokenizer(texts: Iterable[str], folder: str, template: Path | None = None) -> Any:
    """A byte-level BPE trained on the texts, saved in `folder` and read from there as any other is."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    bytes_ = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=2000, special_tokens=MARKS, initial_alphabet=bytes_))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=LENGTH,
        clean_up_tokenization_spaces=False,
    )
    if template:
        fast.chat_template = template.read_text("utf-8")
    fast.save_pretrained(folder)
    config(len(fast)).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def config(words: int) -> Qwen2Config:
    return Qwen2Config(
        vocab_size=words,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=LENGTH,
    )


def model(words: int) -> Qwen2ForCausalLM:
    """Two layers of random weights."""
    return Qwen2ForCausalLM(config(words))
