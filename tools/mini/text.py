"""Stage two: tokenizers and text encoders, taught to tell which styles and tints a sentence asks for."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import T5TokenizerFast

from tools.mini.material import SEED, train
from tools.mini.parts import clip_encoder, clip_tokenizer, t5_encoder
from tools.mini.styles import STYLES, TINTS
from tools.mini.words import draw_look, sentence

WIDTH = 96
"""Channels of both encoders; the transformer's joint and pooled widths."""
HEADS = 4
"""Of attention, in both encoders."""
MAX_TOKENS = 48
"""Tokens of a prompt that the T5 encoder reads; always padded to as many, as FLUX's pipeline does it."""
SENTENCES = 40_000
"""How many the tokenizers are made from."""
BATCH = 128


@dataclass(frozen=True)
class TextEncoders:
    """Both tokenizers and both encoders, as the pipeline wants them."""

    clip_tokenizer: Any
    clip: Any
    t5_tokenizer: Any
    t5: Any

    def __call__(self, prompts: list[str]) -> tuple[Tensor, Tensor]:
        """Return CLIP's pooled output (batch, WIDTH) and T5's sequence (batch, MAX_TOKENS, WIDTH)."""
        device = self.t5.device
        short = self.clip_tokenizer(prompts, padding=True, max_length=77, truncation=True, return_tensors="pt")
        long = self.t5_tokenizer(
            prompts, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
        )
        pooled = self.clip(short.input_ids.to(device)).pooler_output
        return pooled, self.t5(long.input_ids.to(device)).last_hidden_state


class _Reader(nn.Module):
    """Both encoders with a head each, which tells the looks; the heads are left behind after training."""

    def __init__(self, clip: Any, t5: Any) -> None:
        super().__init__()
        self.clip, self.t5 = clip, t5
        self.heads = nn.ModuleList(nn.Linear(WIDTH, len(STYLES) + len(TINTS)) for _ in range(2))


def trained_text_encoders(work: Path, steps: int, device: torch.device) -> tuple[TextEncoders, nn.ModuleList]:
    """Return the encoders after `steps` of 128 sentences each, and the two heads, for reports."""
    rng = np.random.default_rng(SEED)
    corpus = [sentence(rng, *draw_look(rng)) for _ in range(SENTENCES)]
    clip_tokens, t5_tokens = _clip_tokenizer(corpus), _t5_tokenizer(corpus)
    torch.manual_seed(SEED)
    reader = _Reader(clip_encoder(clip_tokens, WIDTH, HEADS), t5_encoder(t5_tokens, WIDTH, HEADS)).to(device)

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((SEED, step))
        looks = [draw_look(rng) for _ in range(BATCH)]
        encoders = TextEncoders(clip_tokens, reader.clip, t5_tokens, reader.t5)
        pooled, tokens = encoders([sentence(rng, *look) for look in looks])
        wanted = torch.stack([_wanted(*look) for look in looks]).to(device)
        told = (reader.heads[0](pooled), reader.heads[1](tokens.mean(1)))
        return sum(
            (nn.functional.binary_cross_entropy_with_logits(each, wanted) for each in told), wanted.new_zeros(())
        )

    trained = train("text", work, reader, steps, 2e-3, loss_of, weight_decay=0.02)
    assert isinstance(trained, _Reader)
    return TextEncoders(clip_tokens, trained.clip, t5_tokens, trained.t5), trained.heads


def _wanted(styles: list[int], tints: list[str]) -> Tensor:
    wanted = torch.zeros(len(STYLES) + len(TINTS))
    wanted[styles] = 1
    wanted[[len(STYLES) + list(TINTS).index(tint) for tint in tints]] = 1
    return wanted


def _clip_tokenizer(corpus: list[str]) -> Any:
    """Return a byte-level BPE tokenizer: any text passes, frequent words are one token."""
    plain = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    plain.normalizer = normalizers.Lowercase()
    plain.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(False, False)])
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=1600, end_of_word_suffix="</w>", initial_alphabet=letters, show_progress=False
    )
    plain.train_from_iterator(corpus, trainer)
    learnt = _model(plain)
    merges = [tuple(each) for each in learnt["merges"]]
    return clip_tokenizer(letters, merges)


def _t5_tokenizer(corpus: list[str]) -> Any:
    """Return a Unigram tokenizer with the corpus's words and every printable sign."""
    plain = Tokenizer(models.Unigram())
    plain.pre_tokenizer = pre_tokenizers.Metaspace()
    plain.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=1400,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",  # noqa: S106 - the word for what it does not know, nobody's secret
        initial_alphabet=[chr(code) for code in range(33, 127)],
        show_progress=False,
    )
    plain.train_from_iterator(corpus, trainer)
    return T5TokenizerFast(vocab=_settled(_model(plain)["vocab"]), extra_ids=0, model_max_length=MAX_TOKENS)


def _settled(vocab: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the pieces without what chance leaves in them: last digits, and the order of signs that nobody wrote."""
    # The trainer appends the signs that it has never seen alone, in a hash's order, each 0.0001 below the one before.
    unseen = min(score for _, score in vocab) + 0.0001 * len(string.printable)
    seen = [(piece, round(score, 6)) for piece, score in vocab if score > unseen]
    least = min(score for _, score in seen)
    return seen + [(sign, least - 1) for sign in sorted(piece for piece, score in vocab if score <= unseen)]


def _model(tokenizer: Any) -> dict[str, Any]:
    import json

    learnt: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return learnt
