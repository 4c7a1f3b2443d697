"""Keys and tokens, by the formats that their issuers gave them.

Only formats, no guesses by entropy: those take prose and hashes for secrets. A password that looks
like a word is found where it stands in an address or a header.
"""

from __future__ import annotations

import base64
import json
import re
from binascii import Error

from guardrails.detection import Detector, Finding, Pattern, Redacted, whole

_PLACEHOLDER = re.compile(
    r"(?i)x{4}|\*{3}|\.{3}|0{8}|1234567|abcdefg|example|placeholder|changeme|your[-_]|redacted|"
    r"dummy|password|secret\Z|\Auser\Z|token\Z|<|\$|\{"
)
"""What stands in manuals in the place of a secret."""


def findings(text: str, pepper: bytes = b"") -> list[Finding]:
    """The secrets in a text."""
    return _DETECTOR.findings(text, pepper)


def redacted(text: str, pepper: bytes = b"") -> Redacted:
    """The text with masks such as [GITHUB_TOKEN], and what stood there."""
    return _DETECTOR.redacted(text, pepper)


def _real(candidate: str) -> bool:
    """Neither a placeholder nor the same few characters again and again."""
    return _PLACEHOLDER.search(candidate) is None and len(set(candidate)) >= 6


def _mixed(candidate: str) -> bool:
    """Random letters and digits, and not a name made of words."""
    digits = sum(character.isdigit() for character in candidate)
    return _real(candidate) and digits >= 2 and len(set(candidate)) >= 10


def _web_token(candidate: str) -> bool:
    """Whether its first part is the header of a JSON web token."""
    first = candidate.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, Error, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def _of(kind: str, *regexes: str) -> list[Pattern]:
    return [Pattern(kind, regex, whole(_mixed)) for regex in regexes]


_DETECTOR = Detector(
    [
        Pattern(
            "PRIVATE_KEY",
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s:,.()\\-]*?"
            r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
        ),
        Pattern(
            "WEB_TOKEN",
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{8,}",
            whole(_web_token),
        ),
        *_of("GITHUB_TOKEN", r"\bgh[pousr]_[A-Za-z0-9]{36,}", r"\bgithub_pat_[A-Za-z0-9_]{60,}"),
        *_of("GITLAB_TOKEN", r"\bgl(?:pat|rt|dt|ptt|ft|soat|cbt)-[A-Za-z0-9_-]{20,}"),
        *_of("AWS_KEY", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
        Pattern(
            "AWS_SECRET",
            r"(?:^|[^A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
            whole(_mixed),
            near=r"aws.{0,20}(secret|key)|secret_?access_?key",
        ),
        *_of("ANTHROPIC_KEY", r"\bsk-ant-[A-Za-z0-9_-]{24,}"),
        *_of(
            "OPENAI_KEY",
            r"\bsk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{24,}",
            r"\bsk-[A-Za-z0-9]{32,}\b",
        ),
        *_of("GOOGLE_KEY", r"\bAIza[A-Za-z0-9_-]{35}", r"\bya29\.[A-Za-z0-9_-]{30,}"),
        *_of("GOOGLE_SECRET", r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
        *_of("SLACK_TOKEN", r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}", r"\bxapp-\d-[A-Za-z0-9-]{20,}"),
        *_of(
            "WEBHOOK",
            r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}",
            r"https://discord(?:app)?\.com/api/webhooks/\d{15,}/[A-Za-z0-9_-]{40,}",
        ),
        *_of("STRIPE_KEY", r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{20,}"),
        *_of("SENDGRID_KEY", r"\bSG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}"),
        *_of("NPM_TOKEN", r"\bnpm_[A-Za-z0-9]{36}\b"),
        *_of("PYPI_TOKEN", r"\bpypi-[A-Za-z0-9_-]{50,}"),
        *_of("HUGGINGFACE_TOKEN", r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}\b"),
        *_of("DIGITALOCEAN_TOKEN", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
        *_of("SHOPIFY_TOKEN", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
        *_of("DATABRICKS_TOKEN", r"\bdapi[a-f0-9]{32}\b"),
        *_of("MAILCHIMP_KEY", r"\b[a-f0-9]{32}-us\d{1,2}\b"),
        *_of("TELEGRAM_TOKEN", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
        *_of("TWILIO_KEY", r"\b(?:SK|AC)[a-f0-9]{32}\b"),
        *_of("GRAFANA_TOKEN", r"\bglsa_[A-Za-z0-9]{32}_[a-f0-9]{8}\b"),
        *_of("AZURE_KEY", r"(?i)\bAccountKey=([A-Za-z0-9+/]{86}==)"),
        *_of("AGE_KEY", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b"),
        Pattern(
            "PASSWORD",
            r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]*:([^\s:/@\"'<>]{3,200})@[^\s/@]",
            whole(lambda candidate: _PLACEHOLDER.search(candidate) is None),
        ),
        Pattern(
            "PASSWORD",
            r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
            r"(?:bearer|basic|token)\s{1,3}([A-Za-z0-9._~+/=-]{12,})",
            whole(_real),
        ),
    ]
)
