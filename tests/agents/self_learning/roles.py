"""Roles that the tests of self-learning tell their facts to."""

from __future__ import annotations

from typing import Any

from events.catalog.memories import MemoryProposed
from events.catalog.roles import RoleDefined


def role(name: str, purpose: str = "Answers customers.", **profile: Any) -> RoleDefined:
    whole = {"name": name, "purpose": purpose, "model_type": "support_replies", **profile}
    return RoleDefined.model_validate({"role": name, "profile": whole})


def fact(text: str, **fields: Any) -> MemoryProposed:
    return MemoryProposed(**{"role": "support", "text": text, **fields})


SUPPORT = role("support", "Tells whether a customer of the web shop is happy with an order.")
BILLING = role("billing", "Explains invoices, refunds and payments to customers.")
PARCELS = role("parcels", "Finds lost parcels and tells when a delivery arrives.")
