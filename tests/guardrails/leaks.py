"""Texts with secrets that were made up by the formats of their issuers, and their twins."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable

from tests.guardrails.people import Case

LOWER = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
HEX = DIGITS + "abcdef"
WORD = LOWER + LOWER.upper() + DIGITS

_SURROUNDINGS = (
    "export TOKEN={}",
    '{{"key": "{}"}}',
    "curl -H 'X-Key: {}' https://api.example.org",
    "my key is {}, please keep it safe 😀",
    "# {}\n",
    "config:\n  token: {}\n  retries: 3",
)


def _some(luck: random.Random, count: int, letters: str = WORD) -> str:
    """Random characters, two digits among them at least."""
    while True:
        made = "".join(luck.choice(letters) for _ in range(count))
        if sum(one.isdigit() for one in made) >= 2 and len(set(made)) >= min(10, count // 2):
            return made


def _web_token(luck: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    told = part({"alg": "HS256", "typ": "JWT"}), part({"sub": _some(luck, 12)}), _some(luck, 43)
    return ".".join(told)


def _private_key(luck: random.Random) -> str:
    kind = luck.choice(["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
    lines = "\n".join(_some(luck, 64, WORD + "+/") for _ in range(8))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "PRIVATE_KEY": _private_key,
    "WEB_TOKEN": _web_token,
    "GITHUB_TOKEN": lambda luck: f"gh{luck.choice('pousr')}_{_some(luck, 36)}",
    "GITLAB_TOKEN": lambda luck: f"glpat-{_some(luck, 20)}",
    "AWS_KEY": lambda luck: f"AKIA{_some(luck, 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}",
    "AWS_SECRET": lambda luck: f"aws_secret_access_key = |{_some(luck, 40, WORD + '+/')}",
    "ANTHROPIC_KEY": lambda luck: f"sk-ant-api03-{_some(luck, 80)}",
    "OPENAI_KEY": lambda luck: luck.choice(["sk-proj-", "sk-"]) + _some(luck, 48),
    "GOOGLE_KEY": lambda luck: f"AIza{_some(luck, 35)}",
    "GOOGLE_SECRET": lambda luck: f"GOCSPX-{_some(luck, 28)}",
    "SLACK_TOKEN": lambda luck: f"xoxb-{_some(luck, 11, DIGITS)}-{_some(luck, 24)}",
    "WEBHOOK": lambda luck: f"https://hooks.slack.com/services/T0{_some(luck, 30)}",
    "STRIPE_KEY": lambda luck: f"sk_live_{_some(luck, 24)}",
    "SENDGRID_KEY": lambda luck: f"SG.{_some(luck, 22)}.{_some(luck, 43)}",
    "NPM_TOKEN": lambda luck: f"npm_{_some(luck, 36)}",
    "PYPI_TOKEN": lambda luck: f"pypi-AgEI{_some(luck, 100)}",
    "HUGGINGFACE_TOKEN": lambda luck: f"hf_{_some(luck, 34)}",
    "DIGITALOCEAN_TOKEN": lambda luck: f"dop_v1_{_some(luck, 64, HEX)}",
    "SHOPIFY_TOKEN": lambda luck: f"shpat_{_some(luck, 32, HEX)}",
    "DATABRICKS_TOKEN": lambda luck: f"dapi{_some(luck, 32, HEX)}",
    "MAILCHIMP_KEY": lambda luck: f"{_some(luck, 32, HEX)}-us{luck.randrange(1, 21)}",
    "TELEGRAM_TOKEN": lambda luck: f"{luck.randrange(10**8, 10**10)}:AA{_some(luck, 33)}",
    "TWILIO_KEY": lambda luck: f"SK{_some(luck, 32, HEX)}",
    "GRAFANA_TOKEN": lambda luck: f"glsa_{_some(luck, 32)}_{''.join(luck.choices(HEX, k=8))}",
    "AZURE_KEY": lambda luck: f"AccountName=x;AccountKey=|{_some(luck, 86)}==",
    "AGE_KEY": lambda luck: f"AGE-SECRET-KEY-1{_some(luck, 58, LOWER.upper() + DIGITS)}",
    "PASSWORD": lambda luck: luck.choice([
        f"postgres://admin:|{_some(luck, 14)}",
        f"Authorization: Bearer |{_some(luck, 40)}",
        f'"authorization": "Basic |{_some(luck, 24)}',
    ]),
}  # fmt: skip


def leaks(seed: int, of_each: int) -> list[Case]:
    """So many texts of each kind, each with one secret."""
    luck = random.Random(seed)
    cases = []
    for kind, make in MAKERS.items():
        for _ in range(of_each):
            before, _, value = make(luck).rpartition("|")
            after = "@db.example.org/x" if before.startswith("postgres") else ""
            text = luck.choice(_SURROUNDINGS).format(before + value + after)
            cases.append(Case(text, kind, value))
    return cases


TWINS: tuple[Callable[[random.Random], str], ...] = (
    lambda luck: f"commit {_some(luck, 40, HEX)}",
    lambda luck: f"sha256:{_some(luck, 64, HEX)}",
    lambda luck: f"{_some(luck, 8, HEX)}-0a1b-4abc-8def-{_some(luck, 12, HEX)}",
    lambda _: "Authorization: Bearer <your-token-here>",
    lambda _: "export OPENAI_API_KEY=sk-your-key-goes-here-and-is-long-enough",
    lambda _: "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    lambda _: "AKIAIOSFODNN7EXAMPLE",
    lambda _: "postgres://user:password@localhost/db and redis://:${PASSWORD}@cache",
    lambda _: "https://example.org:8443/path@2x and mailto:ann@example.org",
    lambda luck: f"data:image/png;base64,{_some(luck, 120, WORD + '+/')}",
    lambda _: "sk-learn-compatible-estimators-and-transformers-for-everybody",
    lambda _: "the hf_hub_download_and_cache_everything_function of that library",
    lambda _: "-----BEGIN PUBLIC KEY-----\nMFkwEwYH\n-----END PUBLIC KEY-----",
    lambda _: "a private key begins with -----BEGIN PRIVATE KEY----- in a file",
    lambda luck: f"eyJ is how base64 of a brace begins, as in eyJ{_some(luck, 6)}",
    lambda luck: f"row {luck.randrange(10**9, 10**10)}:AABB of table SK{luck.randrange(99)}",
)  # fmt: skip


def twins(seed: int, count: int) -> list[Case]:
    """So many texts in which nothing is to be found."""
    luck = random.Random(seed)
    return [
        Case(luck.choice(_SURROUNDINGS).format(TWINS[number % len(TWINS)](luck)), "", "")
        for number in range(count)
    ]
