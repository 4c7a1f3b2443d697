"""An envelope as a message: its payload, its headers, and back."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted
from urllib.parse import quote

from events.envelope import Envelope
from events.errors import Malformed

_PLAIN = re.compile(r"[!-~]{1,200}").fullmatch
_HEX = re.compile(r"[0-9a-f]{32}").fullmatch


def payload(said: Envelope) -> bytes:
    """The same JSON as `Envelope.to_json`, written around the data without parsing it."""
    cause = "null" if said.cause_id is None else quoted(said.cause_id)
    return (
        f'{{"position":{said.position},"event_id":{quoted(said.event_id)},'
        f'"type":{quoted(said.type)},"schema":{said.schema},"stream":{quoted(said.stream)},'
        f'"version":{said.version},"recorded_at":{quoted(said.recorded_at)},'
        f'"actor":{quoted(said.actor)},"correlation_id":{quoted(said.correlation_id)},'
        f'"cause_id":{cause},"data":{said.data},"hash":{quoted(said.hash)}}}'
    ).encode()


def headers(said: Envelope) -> dict[str, str]:
    """What a client may want to know before it reads the payload."""
    made = {
        "Nats-Msg-Id": message_id(said.event_id),
        "Nats-Expected-Last-Sequence": str(said.position - 1),
        "Ratchet-Position": str(said.position),
        "Ratchet-Stream": _fit(said.stream),
        "Ratchet-Version": str(said.version),
        "Ratchet-Schema": str(said.schema),
        "Ratchet-Correlation": _fit(said.correlation_id),
        "traceparent": traceparent(said.correlation_id, said.event_id),
    }
    if said.cause_id is not None:
        made["Ratchet-Cause"] = _fit(said.cause_id)
    return made


def message_id(event_id: str) -> str:
    """The event's id, or its hash where a header would not keep it apart from others."""
    return event_id if _PLAIN(event_id) else sha256(event_id.encode()).hexdigest()


def traceparent(correlation: str, event_id: str) -> str:
    """The context of the event in a trace: all that has one correlation is one trace."""
    trace = correlation.replace("-", "")
    if not _HEX(trace):
        trace = sha256(correlation.encode()).hexdigest()[:32]
    return f"00-{trace}-{sha256(event_id.encode()).hexdigest()[:16]}-01"


def envelope(told: bytes) -> Envelope:
    """What `payload` has written, read back: all but the chain's previous hash."""
    data, end = told.find(b',"data":'), told.rfind(b',"hash":"')
    try:
        known = json.loads(told[:data] + told[end:])
        return Envelope(
            known["position"],
            known["event_id"],
            known["type"],
            known["schema"],
            known["stream"],
            known["version"],
            known["recorded_at"],
            known["actor"],
            known["correlation_id"],
            known["cause_id"],
            told[data + 8 : end].decode(),
            None,
            "",
            known["hash"],
        )
    except (ValueError, KeyError, TypeError):
        raise Malformed("this is no event as the log tells it", where="payload") from None


def _fit(text: str) -> str:
    """Fit for a header: visible ASCII as it is, everything else in percents."""
    return text if _PLAIN(text) else quote(text, safe="/:@!$&'()*+,;=")[:1000]
