"""Model types: ours by name, and anybody's own by the path of its file or by entry point."""

from __future__ import annotations

from trainers.model_types.finding import TYPES, model_type

__all__ = ["TYPES", "model_type"]
