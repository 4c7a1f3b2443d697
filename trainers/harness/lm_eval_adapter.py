"""The one place that touches EleutherAI's lm-evaluation-harness (package lm-eval, 0.4).

It asks: it is given rows in memory, so it reads no hub and no cache, and what it is told of each
row is scored by us. Its own scoring of programs, which would run them, is never called.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from trainers.failures import Usage
from trainers.harness.scoring import STOPS

try:
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM
except ImportError as error:
    raise Usage(
        f"the harness is not installed ({error.name})",
        where="through",
        right="pip install 'ratchet-fleet[harness]', or through: ours",
    ) from None


def way(model: Any, tokenizer: Any, max_new: int) -> Harness:
    return Harness(model, tokenizer, max_new)


class Harness:
    """Asks a model through the harness."""

    def __init__(self, model: Any, tokenizer: Any, max_new: int) -> None:
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        self._model = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=16)
        self._max_new = max_new

    def likely(self, rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
        config = {
            "output_type": "multiple_choice",
            "doc_to_choice": lambda doc: list(doc["choices"]),
            "doc_to_target": lambda doc: int(doc["answer"]),
        }
        told = self._told(rows, config)
        return [[float(one[0]) for one in sample["filtered_resps"]] for sample in told]

    def texts(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        kind = str(rows[0]["kind"])
        config = {
            "output_type": "generate_until",
            "doc_to_target": lambda _: "",
            "generation_kwargs": {
                # a program may begin with what ends one: it is cut where it is scored
                "until": list(STOPS["exact"]) if kind == "exact" else ["\n```\n"],
                "max_gen_toks": self._max_new,
                "do_sample": False,
            },
            "process_results": lambda _doc, _results: {"bypass": 0.0},
        }
        return [str(sample["filtered_resps"][0]) for sample in self._told(rows, config)]

    def _told(self, rows: Sequence[Mapping[str, Any]], config: dict[str, Any]) -> list[Any]:
        """What it logs of each row, in their order."""
        data = Dataset.from_list([{**row, "place": place} for place, row in enumerate(rows)])
        task = ConfigurableTask(
            config={
                "task": "rows",
                "custom_dataset": lambda **_: {"test": data},
                "test_split": "test",
                "doc_to_text": lambda doc: doc["prompt"],
                "target_delimiter": "",
                **config,
            }
        )
        found = evaluate(lm=self._model, task_dict={"rows": task}, log_samples=True,
                         bootstrap_iters=0)  # fmt: skip
        return sorted(found["samples"]["rows"], key=lambda one: one["doc"]["place"])
