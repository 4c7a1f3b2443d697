"""The tree is that of RFC 6962, however it grew, and a path leads up from one leaf only."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import LogDamaged
from events.merkle import (
    EMPTY_ROOT,
    SEGMENT,
    Frontier,
    climbed,
    leaves,
    node,
    path,
    standing,
)

LEAVES = [sha256(b"%d" % i).digest() for i in range(5000)]


def naive(hashes: list[bytes]) -> bytes:
    """As it is defined: split at the largest power of two that is smaller than their number."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return node(naive(hashes[:half]), naive(hashes[half:]))


def test_the_shape_is_that_of_the_definition() -> None:
    a, b, c = LEAVES[:3]
    two = sha256(b"\x01" + a + b).digest()
    assert Frontier().grown([a, b, c]).frontier.root() == sha256(b"\x01" + two + c).digest()
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()
    for size in [*range(1, 300), 1023, 1024, 1025, 2047, 2048, 2049, 4097]:
        assert Frontier().grown(LEAVES[:size]).frontier.root() == naive(LEAVES[:size])


def test_every_path_of_every_small_tree_leads_to_its_root() -> None:
    for size in range(1, 140):
        root = naive(LEAVES[:size])
        for index in range(size):
            beside = path(index, LEAVES[:size])
            assert climbed(LEAVES[index], index, size, beside) == root


@given(st.data(), st.integers(1, 5000))
@settings(max_examples=50, deadline=None)
def test_a_path_leads_from_its_leaf_and_place_only(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    beside, root = path(index, LEAVES[:size]), Frontier().grown(LEAVES[:size]).frontier.root()
    assert climbed(LEAVES[index], index, size, beside) == root
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index) | st.just(-1))
    if other >= 0:
        assert climbed(LEAVES[other], index, size, beside) != root
        assert climbed(LEAVES[index], other, size, beside) != root
    assert climbed(LEAVES[index], index, size, [*beside, LEAVES[0]]) is None
    if beside:
        assert climbed(LEAVES[index], index, size, beside[:-1]) != root
        assert climbed(LEAVES[index], index, size, beside[1:]) != root
        place = data.draw(st.integers(0, len(beside) * 32 - 1))
        row = bytearray(b"".join(beside))
        row[place] ^= data.draw(st.integers(1, 255))
        bent = [bytes(row[i : i + 32]) for i in range(0, len(row), 32)]
        assert climbed(LEAVES[index], index, size, bent) != root


@given(st.integers(-9, 9), st.integers(-9, 9), st.lists(st.sampled_from(LEAVES[:4]), max_size=70))
def test_any_numbers_lead_to_an_end(index: int, size: int, beside: list[bytes]) -> None:
    root = climbed(LEAVES[0], index, size, beside)
    assert root is None or 0 <= index < size


@given(st.lists(st.integers(0, 1500), max_size=5))
@settings(deadline=None)
def test_it_is_the_same_tree_in_whatever_steps_it_grew(steps: list[int]) -> None:
    tree, end, segments = Frontier(), 0, dict[int, bytes]()
    for step in steps:
        step = min(step, len(LEAVES) - end)
        tree, made = tree.grown(LEAVES[end : end + step])
        segments |= made
        end += step
    assert tree == Frontier().grown(LEAVES[:end]).frontier
    assert tree.size == end
    assert len(tree.peaks) == end.bit_count()
    assert list(segments) == list(range(end // SEGMENT))
    for number, root in segments.items():
        assert root == naive(LEAVES[number * SEGMENT : (number + 1) * SEGMENT])
    rest = LEAVES[len(segments) * SEGMENT : end]
    assert standing(list(segments.values()), rest) == tree


def test_a_path_may_be_made_of_the_roots_of_segments() -> None:
    """Inside the segment, and then above: what a proof does, so that it need not read the log."""
    for size in (1024, 1025, 2048, 3000, 4096, 4097, 5000):
        tree, made = Frontier().grown(LEAVES[:size])
        rest = LEAVES[len(made) * SEGMENT : size]
        upper = [*made.values(), *([naive(rest)] if rest else [])]
        for index in (0, 1023, 1024 % size, size // 2, size - 1):
            number, place = divmod(index, SEGMENT)
            own = LEAVES[number * SEGMENT : min((number + 1) * SEGMENT, size)]
            beside = path(place, own) + path(number, upper)
            assert beside == path(index, LEAVES[:size])
            assert climbed(LEAVES[index], index, size, beside) == tree.root()


@pytest.mark.parametrize("text", ["no hex", None, 7])
def test_what_is_no_hash_is_damage(text: str) -> None:
    with pytest.raises(LogDamaged):
        leaves([text])
