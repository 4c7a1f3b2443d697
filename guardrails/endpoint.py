"""Where a model is reached: its address, its name, its prices, and how much it takes at once."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator

from events.documented import Documented
from events.message import Name

Rung = Literal["json_schema", "tool", "json_object", "text"]
"""How a structured answer is asked for, from the strictest way to the loosest."""


class Endpoint(Documented):
    """An OpenAI-compatible server and one model behind it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: Name
    """By which callers know it."""
    url: str = Field(max_length=500)
    """Up to and with /v1, for instance http://127.0.0.1:8000/v1."""
    model: str = Field(min_length=1, max_length=200)
    """The name by which the server knows the model."""
    key: SecretStr = SecretStr("")
    """The server's key. It leaves this process in one header and is never written anywhere."""
    concurrency: int = Field(default=8, ge=1, le=1000)
    """Calls that may be in flight at the same time."""
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Calls that may begin within any minute; left out, as many as are made."""
    timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long one call may take as a whole, however slowly the answer drips."""
    price_in_per_1m: float = Field(default=0.0, ge=0)
    """What a million tokens of questions cost."""
    price_out_per_1m: float = Field(default=0.0, ge=0)
    """What a million tokens of answers cost."""
    rung: Rung | None = None
    """How structured answers are asked for; left out, it is found by asking and kept."""

    @field_validator("url")
    @classmethod
    def _a_plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("it is no address of http or https, such as http://127.0.0.1:8000/v1")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError(
                "an address holds no names, keys or questions; a key has its own field"
            )
        if parts.path.rstrip("/").endswith(("/chat/completions", "/completions", "/models")):
            raise ValueError("it goes on behind /v1, and the client adds that itself")
        return url.rstrip("/")

    def price(self, tokens_in: int, tokens_out: int) -> float:
        """What a call with so many tokens costs."""
        whole = tokens_in * self.price_in_per_1m + tokens_out * self.price_out_per_1m
        return whole / 1_000_000
