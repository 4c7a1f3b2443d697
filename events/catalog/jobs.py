"""Jobs: all that a training needs to be carried out anywhere, as one frozen value.

A job is named by whoever asks for it, and the same name is the same job: asked for twice, it runs
once. Everything that decides its result stands here, so the log can tell how a model came to be.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from events.catalog.role_needs import distinct
from events.catalog.training import Base, Sha256
from events.documented import Documented
from events.message import Name

Trainer = Annotated[
    str,
    StringConstraints(max_length=200, pattern=r"^([a-z][a-z0-9_]*|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$"),
]
"""One of ours, such as `dpo`, or somebody's own as `package.module:function`."""

ModelType = Annotated[
    str,
    StringConstraints(
        max_length=500, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99}|\S+\.py(:[A-Za-z_]\w*)?)$"
    ),
]
"""A model type by its name, or somebody's own as `path/to/file.py:NAME`."""

Plain = str | int | float | bool | None
Setting = Plain | list[Plain] | dict[Name, Plain | list[Plain]]

_HASH = "sha256:" + 64 * "0"


class DataRef(Documented):
    """Rows that a job reads: JSON lines, by the hash of the file."""

    name: Name
    """What they are for: train, held_out."""
    sha256: Sha256
    """The hash of the file."""
    size: int = Field(ge=0)
    """Its bytes."""
    rows: int = Field(ge=0)
    """Its lines."""


class Recipe(Documented):
    """How the weights are changed: a trainer, the profile that it begins from, and what differs."""

    trainer: Trainer
    """The trainer."""
    profile: Literal["real", "tiny"] = "real"
    """The settings to begin from: for models of people's own, or for those made here."""
    settings: dict[Name, Setting] = Field(default_factory=dict, max_length=200)
    """What differs from the profile, by the names in trainers/recipes.py."""


class Resources(Documented):
    """What a job may take of the machine."""

    threads: int = Field(default=1, ge=1, le=256)
    """Threads of torch. With more than there are free cores a job is many times slower."""
    gpus: int = Field(default=0, ge=0, le=64)
    """Accelerators that it has to itself."""
    memory_mb: int | None = Field(default=None, ge=64)
    """Megabytes of its own; a job that needs more fails, and its neighbours live on."""


class Limits(Documented):
    """Where a job ends before its last step; what is not given does not end it."""

    seconds: float | None = Field(default=None, gt=0)
    """Time that it may train, whatever number of starts that takes."""
    kl: float | None = Field(default=None, gt=0)
    """KL in nats per token at which it stops; below the bound of the gate, for one more step adds
    to it."""
    entropy_share: float | None = Field(default=None, gt=0, le=1)
    """Share of the reference's entropy below which the policy counts as collapsed."""
    patience: int | None = Field(default=None, ge=8)
    """Steps without progress after which it stops."""


class JobSpec(Documented):
    """A job, whole: nothing else decides what comes of it."""

    job: Name
    """Its name, given by whoever asks; the same name is the same job."""
    base: Base
    """The model that it starts from: a path or hub id of a causal language model."""
    reference: Base | None = None
    """The model that KL is measured against, in distill also the teacher; without one the base."""
    model_type: ModelType
    """What the model is for: it brings the schema, the verifier and the metrics."""
    data: Annotated[tuple[DataRef, ...], Field(max_length=16), distinct("name")] = ()
    """What it reads."""
    recipe: Recipe
    """How it trains."""
    seed: int = Field(ge=0, lt=2**63)
    """Where all its randomness begins."""
    resources: Resources = Field(default_factory=Resources)
    """What it may take."""
    limits: Limits = Field(default_factory=Limits)
    """Where it ends early."""

    example: ClassVar[dict[str, Any]] = {
        "job": "7f3a-srl-1",
        "base": "/models/base",
        "model_type": "arithmetic_reasoning",
        "data": [{"name": "train", "sha256": _HASH, "size": 81920, "rows": 512}],
        "recipe": {"trainer": "srl", "profile": "tiny", "settings": {"steps": 60}},
        "seed": 7,
    }

    @property
    def trainer(self) -> str:
        """That of the recipe."""
        return self.recipe.trainer

    def data_named(self, name: str) -> DataRef | None:
        """The rows of this name, if there are any."""
        return next((one for one in self.data if one.name == name), None)
