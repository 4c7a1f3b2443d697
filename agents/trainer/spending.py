"""What calls of models may cost in a run and in a month, and what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from agents.trainer.run import Run
from events.catalog.costs import Limits
from events.catalog.policies import TrainerPolicy
from events.catalog.roles import RoleProfile

Months = Mapping[str, tuple[str, float]]
"""By role: the month in which money was spent last, and how much in it."""


def limits(role: RoleProfile, policy: TrainerPolicy) -> Limits:
    """Of a run that begins now: the smaller of what the role and the policy say."""
    money = _least(role.budget.usd_per_run, policy.run_usd)
    tokens = _least(role.budget.tokens_per_run, policy.run_tokens)
    return Limits(money=money, tokens=None if tokens is None else round(tokens))


def left(run: Run) -> Limits:
    """What another data set may cost."""
    money, tokens = run.limits.money, run.limits.tokens
    return Limits(
        money=None if money is None else max(0.0, money - run.cost.money),
        tokens=None if tokens is None else max(0, tokens - run.cost.tokens),
    )


def over(run: Run, another: bool = False) -> str:
    """Why no more may be spent in this run, or nothing.

    What is used up to the last cent still lets it train and measure, which costs no calls;
    `another` data set needs something that is left.
    """
    money, tokens = run.limits.money, run.limits.tokens
    if money is not None and _gone(run.cost.money, money, another):
        return f"its budget of {money:.2f} dollars is spent ({run.cost.money:.2f})"
    if tokens is not None and _gone(run.cost.tokens, tokens, another):
        return f"its budget of {tokens:,} tokens is spent ({run.cost.tokens:,})"
    return ""


def month_over(months: Months, role: RoleProfile, name: str, now: datetime) -> str:
    """Why nothing more may be spent on this role in this month, or nothing."""
    limit, (month, spent) = role.budget.usd_per_month, months.get(name, ("", 0.0))
    if limit is None or month != of_month(now) or not _gone(spent, limit, another=True):
        return ""
    return f"the role's budget of {limit:.2f} dollars for {month} is spent ({spent:.2f})"


def with_spent(months: Months, role: str, money: float, now: datetime) -> Months:
    """With so much more spent; months before are forgotten."""
    if not money:
        return months
    month, before = months.get(role, ("", 0.0))
    same = before if month == of_month(now) else 0.0
    return {**months, role: (of_month(now), same + money)}


def of_month(now: datetime) -> str:
    return f"{now.year:04d}-{now.month:02d}"


def _gone(spent: float, limit: float, another: bool) -> bool:
    return spent >= limit if another else spent > limit


def _least(one: float | None, other: float | None) -> float | None:
    there = [limit for limit in (one, other) if limit is not None]
    return min(there) if there else None
