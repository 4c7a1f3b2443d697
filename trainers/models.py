"""Models on the disk: loaded, saved whole with the hashes of their files, and verified.

What is wrong with a base is said here, before any training. A reference is always loaded from the
disk: a copy of a model that a Trainer has touched still computes with the weights of the original,
and would be found equal to it for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
from transformers.utils import logging

from trainers.adapters import attached, merged, write_adapter
from trainers.base import check_base
from trainers.failures import BadBase, out_of_memory
from trainers.folder import hashes, put_folder
from trainers.value_head import ValueHead, write_head

Where = str | Path
MANIFEST = "manifest.json"
KEPT = "kept"
"""In place of a dtype: bfloat16 where the files have it, else float32."""
RIGHT = "a causal language model with its tokenizer, saved whole"


class Loaded(NamedTuple):
    """A model, and what turns text into its tokens."""

    model: Any
    tokenizer: Any


def load(
    where: Where, *, dtype: str = "float32", device: str = "cpu", offline: bool = False
) -> Loaded:
    """A causal model and its tokenizer, from a folder or by its hub id; sound, or an error.

    A folder with adapters gives their base with the adapters merged into it.
    """
    check_base(str(where))
    folder = Path(where).expanduser()
    if (folder / MANIFEST).exists():
        verify(folder)
    if (folder / "adapter_config.json").exists():
        named = json.loads((folder / "adapter_config.json").read_bytes())
        base = load(str(named.get("base_model_name_or_path")), dtype=dtype, offline=offline)
        tokenizer = base.tokenizer
        if (folder / "tokenizer_config.json").exists():
            tokenizer = _tokenizer(where, offline)
        model = attached(base.model, folder).to(_dtype(dtype) or torch.float32)
    else:
        tokenizer = _tokenizer(where, offline)
        model = _model(where, dtype, device, offline)
    words = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > words:
        raise _bad(where, f"the tokenizer has {len(tokenizer)} tokens, the model only {words}")
    return Loaded(model.to(device), tokenizer)


def load_reference(where: Where, *, dtype: str = "float32", device: str = "cpu") -> Loaded:
    """The same, to compare with: it does not learn."""
    found = load(where, dtype=dtype, device=device)
    found.model.requires_grad_(False).eval()
    return found


def from_disk(model: Any) -> bool:
    """Whether its forward is that of its class; a Trainer, or a copy of what one touched, is not.

    Such a copy is never a reference.
    """
    return "forward" not in vars(model)


def write(place: Path, model: Any, tokenizer: Any, head: ValueHead | None = None) -> None:
    """An ordinary checkpoint into a folder that is there: adapters merged, and a manifest."""
    with _quiet():
        merged(model).save_pretrained(place)
    tokenizer.save_pretrained(place)
    if head is not None:
        write_head(place, head)
    _write_manifest(place)


def save(place: Path, model: Any, tokenizer: Any, head: ValueHead | None = None) -> Path:
    """The same as a folder that is there whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    put_folder(place, lambda made: write(made, model, tokenizer, head))
    return place


def save_adapter(place: Path, model: Any, tokenizer: Any) -> Path:
    """The adapters alone, as a folder that is there whole or not at all."""

    def whole(made: Path) -> None:
        write_adapter(made, model)
        tokenizer.save_pretrained(made)
        _write_manifest(made)

    place.parent.mkdir(parents=True, exist_ok=True)
    put_folder(place, whole)
    return place


def verify(folder: Path) -> None:
    """Stop where a file is not what the manifest says, is gone, or was put there since."""
    try:
        stated = json.loads((folder / MANIFEST).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _bad(folder, f"its {MANIFEST} cannot be read ({error})") from None
    found = hashes(folder)
    found.pop(MANIFEST, None)
    for name in sorted(stated.keys() | found.keys()):
        if name not in found:
            raise _bad(folder, f"{name} is gone, which the manifest names")
        if name not in stated:
            raise _bad(folder, f"{name} is there, and not in the manifest")
        if stated[name] != found[name]:
            raise _bad(folder, f"{name} is not what it was when it was saved")


def _write_manifest(place: Path) -> None:
    text = json.dumps({"files": hashes(place)}, indent=1, sort_keys=True)
    (place / MANIFEST).write_text(text)


def _model(where: Where, dtype: str, device: str, offline: bool) -> Any:
    local = offline or Path(where).expanduser().is_dir()
    with _loading(where):
        config = AutoConfig.from_pretrained(where, local_files_only=local)
    _check_kind(where, config)
    with _loading(where):
        model, story = AutoModelForCausalLM.from_pretrained(
            where,
            config=config,
            dtype=_dtype(dtype) or "auto",
            device_map=device,  # accelerate puts each weight there as it is read
            local_files_only=local,
            output_loading_info=True,
        )
    if dtype == KEPT and model.dtype != torch.bfloat16:
        model = model.float()
    if lost := sorted(story["missing_keys"]):
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise _bad(where, f"it has no weights for {lost[0]}{more}, and would have made them up")
    for name, weight in model.named_parameters():
        if not bool(torch.isfinite(weight).all()):
            raise _bad(where, f"its weights {name} are not all numbers")
    return model


def _dtype(named: str) -> Any:
    return None if named == KEPT else getattr(torch, named)


def _check_kind(where: Where, config: Any) -> None:
    known = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    kinds = config.architectures or []
    if config.is_encoder_decoder or (kinds and not known & set(kinds)):
        named = ", ".join(kinds) or config.model_type
        raise _bad(where, f"it is a {named}, which does not go on with a text")


def _tokenizer(where: Where, offline: bool) -> Any:
    local = offline or Path(where).expanduser().is_dir()
    with _loading(where):
        tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=local)
    if tokenizer.eos_token_id is None:
        raise _bad(where, "its tokenizer has no end token, so no text of it would ever end")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


@contextmanager
def _loading(where: Where) -> Iterator[None]:
    """Whatever the library says of a broken model, in all its ways, is one error."""
    try:
        with _quiet():
            yield
    except Exception as error:
        if out_of_memory(error):
            raise
        said = " ".join(str(error).split())[:300]
        raise _bad(where, f"it cannot be loaded ({type(error).__name__}: {said})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's bars and its reports; what matters in them is looked at here."""
    loud, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(loud)
        if bars:
            logging.enable_progress_bar()


def _bad(where: Where, what: str) -> BadBase:
    return BadBase(f"the model is of no use: {what}", where=str(where), right=RIGHT)
