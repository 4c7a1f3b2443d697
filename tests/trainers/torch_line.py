"""The same line, fitted with torch: to see threads, seeds and a preloaded library at work."""

from __future__ import annotations

import torch

from trainers.outcome import Outcome
from trainers.run import Run

TRAINER = "tests.trainers.torch_line:train"


def train(run: Run) -> Outcome:
    rows = run.rows()
    x = torch.tensor([[row["x"]] for row in rows])
    y = torch.tensor([[row["y"]] for row in rows])
    model = torch.nn.Sequential(torch.nn.Linear(1, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step in range(1, 6):
        loss = torch.nn.functional.mse_loss(model(x + 0.01 * torch.randn_like(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.report(step, loss=float(loss.detach()))
    weights = torch.cat([one.detach().flatten() for one in model.parameters()])
    return Outcome(
        metrics={"threads": torch.get_num_threads(), "weights": float(weights.double().sum())}
    )
