"""A trainer that loads what ours load and then computes as long as it is told: for measuring jobs.

It takes optimizer steps on a small transformer layer, the size of the models made here.
"""

from __future__ import annotations

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOTrainer, SFTTrainer

from events.documented import Documented
from trainers.outcome import Outcome
from trainers.run import Run

TRAINER = "tests.bench.learner:train"
LOADED = (AutoModelForCausalLM, AutoTokenizer, GRPOTrainer, SFTTrainer)


class Settings(Documented):
    """How long it computes."""

    steps: int = 1


def train(run: Run) -> Outcome:
    layer = torch.nn.TransformerEncoderLayer(128, 4, 256, dropout=0.0, batch_first=True)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-4)
    rows = torch.randn(64, 56, 128)
    for step in range(1, run.settings.steps + 1):
        loss = torch.nn.functional.mse_loss(layer(rows), rows.flip(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.report(step, loss=float(loss.detach()))
    return Outcome(metrics={"steps": run.settings.steps})
