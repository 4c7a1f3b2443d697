"""Two profiles for each trainer, as data: what a job's own settings are put over.

`real` is for models of a billion parameters and more, and holds what the architecture of the system
prescribes. `tiny` is for models of less than a million, made here; its values were found by
trying: a learning rate a hundred times higher, and adapters another ten times above that.
"""

from __future__ import annotations

from typing import Any

Profile = dict[str, Any]

_REAL: Profile = {
    "lora": True,
    "lora_r": 16,
    "lora_alpha": 32,
    "lora_dropout": 0.1,
    "lora_targets": ["q_proj", "v_proj"],
    "max_grad_norm": 1.0,
    "precision": "bfloat16",
    "gradient_checkpointing": True,
}
_TINY: Profile = {
    "lora": False,
    "lora_learning_rate": 2e-3,
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_dropout": 0.0,
    "lora_targets": ["all-linear"],
    "max_length": 160,
    "save_every": 20,
}

PROFILES: dict[str, dict[str, Profile]] = {
    "sft": {
        "real": {**_REAL, "learning_rate": 2e-5, "batch": 16, "epochs": 3, "warmup_share": 0.03},
        "tiny": {**_TINY, "learning_rate": 3e-3, "batch": 64, "steps": 150},
    },
    "reward": {
        "real": {**_REAL, "learning_rate": 1e-5, "batch": 8, "epochs": 3, "weight_decay": 0.01},
        "tiny": {
            **_TINY,
            "learning_rate": 1e-3,
            "batch": 64,
            "epochs": 3,
            "weight_decay": 0.05,
            "reads": "mean",
        },
    },
    "dpo": {
        "real": {**_REAL, "learning_rate": 1e-6, "beta": 0.1, "batch": 4, "steps": 1000},
        "tiny": {
            **_TINY,
            "learning_rate": 1e-4,
            "lora": True,
            "lora_learning_rate": 1e-3,
            "beta": 0.5,
            "batch": 32,
            "epochs": 1,
        },
    },
    "grpo": {
        "real": {**_REAL, "learning_rate": 1e-6, "beta": 0.1, "batch": 4, "steps": 1000},
        "tiny": {
            **_TINY,
            "learning_rate": 2e-4,
            "beta": 0.3,
            "batch": 8,
            "steps": 50,
            "max_new": 32,
        },
    },
    "ppo": {
        "real": {
            **_REAL,
            "learning_rate": 1e-6,
            "beta": 0.1,
            "clip": 0.2,
            "value_coef": 0.5,
            "entropy_coef": 0.01,
            "gamma": 0.99,
            "reward_scale": 1.0,
            "batch": 4,
            "steps": 1000,
        },
        "tiny": {
            **_TINY,
            "learning_rate": 3e-4,
            "beta": 0.1,
            "gamma": 1.0,
            "gae_lambda": 0.95,
            "iterations": 2,
            "minibatches": 1,
            "batch": 16,
            "samples": 4,
            "steps": 40,
            "max_new": 32,
        },
    },
    "srl": {
        "real": {
            **_REAL,
            "learning_rate": 1e-5,
            "beta": 0.1,
            "normaliser": "z_score",
            "batch": 32,
            "epochs": 5,
        },
        "tiny": {
            **_TINY,
            "learning_rate": 3e-4,
            "lora_learning_rate": 3e-3,
            "beta": 0.1,
            "kl_controller": "adaptive",
            "kl_target": 0.03,
            "batch": 16,
            "steps": 80,
            "max_new": 24,
        },
    },
    "rlvr": {
        "real": {
            **_REAL,
            "algorithm": "ppo",
            "learning_rate": 1e-6,
            "beta": 0.1,
            "clip": 0.2,
            "value_coef": 0.5,
            "entropy_coef": 0.01,
            "gamma": 0.99,
            "batch": 32,
            "epochs": 3,
        },
        "tiny": {
            **_TINY,
            "algorithm": "grpo",
            "learning_rate": 2e-4,
            "beta": 0.05,
            "entropy_coef": 0.0,
            "batch": 16,
            "steps": 40,
            "max_new": 96,
        },
    },
    "distill": {
        "real": {**_REAL, "learning_rate": 2e-5, "batch": 16, "epochs": 3},
        "tiny": {**_TINY, "learning_rate": 5e-4, "batch": 64, "steps": 100, "max_new": 96},
    },
    "measure": {"real": {"max_new": 512}, "tiny": {"max_new": 160, "max_length": 160, "beta": 0.5}},
    "begin": {"real": {}, "tiny": {}},
    "harness": {"real": {}, "tiny": {"max_new": 160}},
}
