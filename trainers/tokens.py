"""Tokenizers for models made here: one token for each character or piece of text, or for each word.

They are saved as any tokenizer of transformers is, and AutoTokenizer loads them. Only padding, end
and unknown are special; `<think>` is text like any other, since special tokens vanish when a
completion is decoded, before any reward has seen them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Sequence as Sequential
from tokenizers.pre_tokenizers import Split, WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from trainers.model_types.steps import END

PAD, EOS, UNK = "<pad>", "<eos>", "<unk>"
MARKS = ("<think>", "</think>")


def tokenizer_of(model_type: Any) -> Any:
    """For the texts of a model type; where its tokens are characters it may name `pieces` too."""
    return tokenizer_for(model_type.vocabulary(), getattr(model_type, "pieces", ()))


def tokenizer_for(vocabulary: str | Sequence[str], pieces: Sequence[str] = ()) -> Any:
    """A string gives its characters, a list its words."""
    if isinstance(vocabulary, str):
        return character_tokenizer(vocabulary, pieces)
    return word_tokenizer(vocabulary)


def character_tokenizer(symbols: str, pieces: Sequence[str] = ()) -> Any:
    """Each character is a token, so that any text of these symbols comes back as it was.

    The two marks of thinking, where they can be written, are one token each: every step has them.
    So are the pieces, which a language says again and again; of two that fit, the longer one.
    """
    marks = MARKS if set("".join(MARKS)) <= set(symbols) else ()
    longest_first = [*marks, *sorted(pieces, key=lambda one: (-len(one), one))]
    made = Tokenizer(WordLevel(_numbered([*longest_first, *symbols]), unk_token=UNK))
    apart = "|".join([*map(re.escape, longest_first), r"[\s\S]"])
    made.pre_tokenizer = Split(Regex(apart), behavior="isolated")
    made.decoder = Fuse()
    return _fast(made)


def word_tokenizer(words: Iterable[str]) -> Any:
    """Words with blanks between them; more than one blank comes back as one.

    The marks of thinking and the end of a step, where they are words, need no blanks around them.
    """
    words = list(words)
    for word in words:
        if word.split() != [word]:
            raise ValueError(f"the word {word!r} is empty or has a blank in it, so no text has it")
    made = Tokenizer(WordLevel(_numbered(words), unk_token=UNK))
    alone = [one for one in (*MARKS, END) if one in words]
    apart = [Split(Regex("|".join(alone)), behavior="isolated")] if alone else []
    made.pre_tokenizer = Sequential([WhitespaceSplit(), *apart])
    return _fast(made)


def _numbered(symbols: Iterable[str]) -> dict[str, int]:
    return {one: place for place, one in enumerate(dict.fromkeys([PAD, EOS, UNK, *symbols]))}


def _fast(made: Any) -> Any:
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        clean_up_tokenization_spaces=False,
    )
