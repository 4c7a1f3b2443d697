"""What must not stand in training data: the registered evaluation sets, from where they lie.

Whoever makes training data asks here, so that data sets, runs of their own and rows that people
bring are searched for the same items. A set that cannot be read stops them: data that could not be
searched is no clean data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from events.catalog.training import Artifact
from events.errors import LogDamaged, Malformed, NotFound
from pipelines.data.contamination import guarded_texts
from pipelines.data.rows import read

LARGEST = 256 << 20
"""Bytes of an evaluation set."""

Reading = Callable[[str, int], bytes]
"""An artifact by its reference, refused where it is larger than so many bytes."""


def evaluation_texts(reading: Reading, sets: Iterable[Artifact]) -> list[str]:
    """What is looked for of all these evaluation sets, each of them read once."""
    found: list[str] = []
    for reference in dict.fromkeys(one.sha256 for one in sets):
        try:
            found += guarded_texts(read(reading(reference, LARGEST)))
        except (NotFound, Malformed, LogDamaged) as error:
            kind = NotFound if isinstance(error, NotFound) else Malformed
            raise kind(
                f"data cannot be searched for a registered evaluation set: {error.what}",
                where=error.where or reference,
                right="register it again under its name: `ratchet data guard FILE --name NAME`",
            ) from None
    return found
