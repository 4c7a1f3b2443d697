"""All pipelines, by name."""

from __future__ import annotations

from pipelines.distill import DISTILL
from pipelines.dpo import DPO
from pipelines.pipeline import Pipeline
from pipelines.rehearsal import REHEARSAL
from pipelines.srf import SRF
from pipelines.srl_rlvr import SRL_RLVR

PIPELINES: dict[str, Pipeline] = {one.name: one for one in (SRL_RLVR, DPO, SRF, DISTILL, REHEARSAL)}
