"""The model that a job starts from, looked at without loading it.

A folder has to hold a readable config of a model that goes on with a text, whole weights, and a
tokenizer whose tokens the model has. A safetensors file says in its head how long it is, so one
that was cut off is found here and not after an import of five seconds. What is no folder is taken
for a hub id, and only loading can tell whether it is there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from trainers.failures import BadBase

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
RIGHT = "a folder with config.json, tokenizer and safetensors weights, or a hub id such as org/name"
LONGEST = 100_000_000
"""Bytes of the head of a safetensors file, and of a tokenizer."""
TOKENIZERS = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt",
    "spiece.model", "sentencepiece.bpe.model", "tekken.json",
)  # fmt: skip
READERS = (
    "ForMaskedLM", "ForPreTraining", "ForSequenceClassification", "ForTokenClassification",
    "ForQuestionAnswering", "ForMultipleChoice", "ForNextSentencePrediction", "EncoderModel",
)  # fmt: skip
"""Kinds of models that read a text and do not go on with it, by the ends of their names."""


def check_base(base: str, field: str = "base") -> None:
    """Stop with one sentence where this cannot be a model."""
    folder = Path(base).expanduser()
    if not folder.is_dir():
        if folder.exists() or not HUB_ID.fullmatch(base):
            what = "is no folder" if folder.exists() else "is not there"
            raise BadBase(f"the model {base!r} {what}", where=field, right=RIGHT)
        return
    if (folder / "adapter_config.json").exists():
        _check_adapter(folder, field)
        return
    config = _json(folder / "config.json", field)
    _check_kind(base, config, field)
    _check_weights(base, field)
    if not any((folder / name).exists() for name in TOKENIZERS) and not any(
        folder.glob("*.tiktoken")
    ):
        raise BadBase(f"the model {base!r} has no tokenizer", where=field, right=RIGHT)
    _check_words(base, config, field)


def tokens_of(base: str) -> dict[str, int] | None:
    """The tokens of a model with their numbers, where its folder says them plainly."""
    file = Path(base).expanduser() / "tokenizer.json"
    try:
        if file.stat().st_size > LONGEST:
            return None
        found = json.loads(file.read_bytes())
        known = found["model"]["vocab"]
        tokens = (
            dict(known)
            if isinstance(known, dict)
            else {one[0]: place for place, one in enumerate(known)}
        )
        return tokens | {one["content"]: one["id"] for one in found.get("added_tokens", ())}
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def _check_adapter(folder: Path, field: str) -> None:
    """Adapters, and the base that they name."""
    under = _json(folder / "adapter_config.json", field).get("base_model_name_or_path")
    _check_weights(str(folder), field)
    if not isinstance(under, str) or not under:
        what = f"the adapters in {folder} name no base"
        raise BadBase(what, where=field, right="base_model_name_or_path in adapter_config.json")
    if Path(under).expanduser().absolute() == folder.absolute():
        what = f"the adapters in {folder} name themselves as their base"
        raise BadBase(what, where=field, right="the model that they were trained on")
    check_base(under, field)


def _check_kind(base: str, config: dict[str, Any], field: str) -> None:
    kinds = config.get("architectures") or []
    named = [one for one in kinds if isinstance(one, str)] if isinstance(kinds, list) else []
    reads = bool(named) and all(one.endswith(READERS) for one in named)
    if reads or config.get("is_encoder_decoder") is True:
        kind = ", ".join(named) or str(config.get("model_type"))
        what = f"the model {base!r} is of no use: it is a {kind}, which does not go on with a text"
        raise BadBase(what, where=field, right="a causal language model")


def _check_weights(base: str, field: str) -> None:
    folder = Path(base).expanduser()
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and not any(folder.glob("*.bin")):
        raise BadBase(f"the model {base!r} has no weights", where=field, right=RIGHT)
    for file in weights:
        _whole(file, field)


def _check_words(base: str, config: dict[str, Any], field: str) -> None:
    """Whether the model has every token of its tokenizer; it may have more."""
    tokens = tokens_of(base)
    inner = config.get("text_config")
    stated = config.get("vocab_size", inner.get("vocab_size") if isinstance(inner, dict) else None)
    if not tokens or not isinstance(stated, int):
        return
    most = max((one for one in tokens.values() if isinstance(one, int)), default=-1)
    if most >= stated:
        has = f"the tokenizer has {most + 1} tokens, the model only {stated}"
        what = f"the model {base!r} is of no use: {has}"
        right = "a model and a tokenizer that were made for each other"
        raise BadBase(what, where=field, right=right)


def _json(file: Path, field: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        what = f"the model has no {file.name} in {file.parent}"
        raise BadBase(what, where=field, right=RIGHT) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadBase(f"{file} cannot be read ({error})", where=field, right=RIGHT) from None
    if not isinstance(found, dict):
        raise BadBase(f"{file} holds no object", where=field, right=RIGHT)
    return found


def _whole(file: Path, field: str) -> None:
    """Whether the file is as long as its head says."""
    try:
        with file.open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            head: Any = json.loads(source.read(length)) if 0 < length < LONGEST else None
        ends = [one["data_offsets"][1] for name, one in head.items() if name != "__metadata__"]
        sound = file.stat().st_size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        sound = False
    if not sound:
        what = f"{file} is cut off or broken"
        raise BadBase(what, where=field, right="the file, copied whole")
