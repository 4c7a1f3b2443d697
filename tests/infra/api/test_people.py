"""What is personal comes in by anybody, and out to an operator only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.infra.api.doors import OWNER, bearing, front, is_refusal

SAYS = "Nida, behind the lighthouse"
FEEDBACK = {"subject": "ann", "role": "support", "rating": 2, "comment": SAYS}
PATHS = ("/events/{}?reveal=true", "/events?reveal=true&type=FeedbackReceived")


async def test_tokens_are_shown_to_all_and_texts_to_an_operator(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        receipt = (await door.publish("FeedbackReceived", FEEDBACK)).json()
        at = receipt["position"]
        assert SAYS not in (await door.client.get(f"/events/{at}")).text
        assert SAYS not in (await door.client.get("/events")).text
        reader = door.tokens.add("reader", ["read", "publish", "worker"])
        admin = door.tokens.add("operator", ["admin"])
        for path in PATHS:
            for headers in ({}, bearing(reader)):
                refused = await door.client.get(path.format(at), headers=headers)
                assert (refused.status_code, is_refusal(refused)) == (403, True)
                assert "admin" in refused.text
            for token in (admin, OWNER):
                shown = await door.client.get(path.format(at), headers=bearing(token))
                assert SAYS in shown.text
        wrong = await door.client.get(f"/events/{at}?revael=true")
        assert (wrong.status_code, is_refusal(wrong)) == (400, True)


async def test_only_an_operator_makes_forget(tmp_path: Path) -> None:
    async with front(tmp_path) as door:
        at = (await door.publish("FeedbackReceived", FEEDBACK)).json()["position"]
        body = {"type": "SubjectForgotten", "data": {"subject": "ann"}}
        reader = door.tokens.add("reader", ["read", "publish", "worker"])
        admin = door.tokens.add("operator", ["admin"])
        for headers in ({}, bearing(reader)):
            refused = await door.client.post("/events", json=body, headers=headers)
            assert (refused.status_code, is_refusal(refused)) == (403, True)
        told = await door.client.post("/events", json=body, headers=bearing(admin))
        assert told.status_code == 201
        for path in PATHS:
            shown = await door.client.get(path.format(at), headers=bearing(admin))
            assert shown.is_success
            assert SAYS not in shown.text
        [gone] = await door.store.read(types=["SubjectForgotten"])
        assert gone.actor == "token:operator"


@pytest.mark.parametrize(
    "data",
    [
        {**FEEDBACK, "rating": SAYS},
        {**FEEDBACK, "comment": [SAYS]},
        {**FEEDBACK, SAYS: 1},
        {**FEEDBACK, "role": SAYS},
        {**FEEDBACK, "subject": f"sealed:1:{SAYS}"},
        SAYS,
    ],
)
async def test_what_is_refused_is_kept_without_a_word_of_theirs(
    tmp_path: Path, data: object
) -> None:
    async with front(tmp_path) as door:
        refused = await door.publish("FeedbackReceived", data)
        assert (refused.status_code, is_refusal(refused)) == (400, True)
        text = (tmp_path / "rejected.jsonl").read_text()
        assert "Nida" not in text
        assert json.loads(text)["reason"]["what"] == "a FeedbackReceived was refused"
