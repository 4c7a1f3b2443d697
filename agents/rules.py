"""Roles and policies as they stand: what models are for, and by which rules agents decide."""

from __future__ import annotations

from agents.agent import hears
from events.catalog.policies import PolicyAdopted
from events.catalog.roles import RoleDefined, RoleRetired
from events.fact import Fact
from events.projection import Projection, State


def _roles(state: State, told: Fact) -> None:
    match told.event:
        case RoleDefined(role=role, profile=profile):
            state[role] = {
                "role": role,
                "defined_at": told.recorded_at,
                "event_id": told.id,
                "profile": profile.model_dump(mode="json"),
            }
        case RoleRetired(role=role):
            state.pop(role, None)


def _policies(state: State, told: Fact) -> None:
    match told.event:
        case PolicyAdopted(policy=policy):
            state[policy.agent] = {
                "agent": policy.agent,
                "adopted_at": told.recorded_at,
                "event_id": told.id,
                "policy": policy.model_dump(mode="json"),
            }


ROLES = Projection("roles", "1", hears(RoleDefined, RoleRetired), _roles)
POLICIES = Projection("policies", "1", hears(PolicyAdopted), _policies)
