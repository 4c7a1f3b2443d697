"""Keys and tokens are found by the formats of their issuers, and prose and hashes left alone."""

from __future__ import annotations

from collections import Counter

import pytest

from guardrails.secrets import findings, redacted
from tests.guardrails.leaks import MAKERS, leaks, twins


def test_99_of_100_are_found_whole_and_told_by_their_kind() -> None:
    found, missed = Counter[str](), []
    for case in leaks(seed=3, of_each=40):
        at = case.text.index(case.value)
        hit = any(
            one.kind == case.kind and one.start <= at and one.end >= at + len(case.value)
            for one in findings(case.text)
        )
        found[case.kind] += hit
        missed += [] if hit else [case]
    assert len(missed) <= 0.01 * 40 * len(MAKERS), missed[:5]
    assert all(found[kind] >= 0.95 * 40 for kind in MAKERS), missed[:5]


def test_of_what_only_looks_so_no_more_than_1_in_100_is_flagged() -> None:
    flagged = [case.text for case in twins(seed=4, count=800) if findings(case.text)]
    assert len(flagged) <= 8, flagged[:5]


def test_a_mask_says_what_stood_there() -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    text, found = redacted(f"push with {token} or postgres://ann:s3cr3t-9@db/x", b"pepper")
    assert text == "push with [GITHUB_TOKEN] or postgres://ann:[PASSWORD]@db/x"
    assert token not in repr(found)


@pytest.mark.parametrize("kind", ["", "RSA ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_masked_to_its_end(kind: str) -> None:
    key = f"-----BEGIN {kind}PRIVATE KEY-----\nMIIEvQ==\nabc\n-----END {kind}PRIVATE KEY-----"
    assert redacted(f"a\n{key}\nb").text == "a\n[PRIVATE_KEY]\nb"
