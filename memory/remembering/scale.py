"""What the cosines of an embedder are worth: each has a scale of its own.

With one, texts that have nothing to do with each other are at 0.1, with another at 0.7. So the bars
of recall are said on one scale, and what an embedder says is brought to it: by questions with their
answers, of which it has to say how alike they are, and how alike those are that do not belong
together.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from memory.embedding import Embedder, cosine

PAIRS = (
    ("When does the shop close on Saturday?", "At the weekend we shut at one in the afternoon."),
    ("How tall is the church tower?", "The steeple rises sixty metres above the square."),
    ("What does the cat eat?", "Our tomcat is fed tuna twice a day."),
    ("Who repairs the lift?", "The elevator is serviced by a firm from Basel."),
    ("Which language does the new colleague speak?", "She who began on Monday talks Finnish."),
    ("Why was the meeting put off?", "They moved the session because the director is ill."),
    ("How is the machine switched off?", "Press the red button for three seconds to stop it."),
    ("Where is the spare key?", "A second key hangs behind the kitchen door."),
)
APART, TOGETHER = 0.08, 0.46
"""Where the two kinds lie on the scale on which bars are said: that of all-MiniLM-L6-v2."""
LEAST = 0.05
"""Less than this between the two, and the embedder does not know what belongs together."""


@dataclass(frozen=True)
class Scale:
    """How one embedder's cosines are read."""

    apart: float
    together: float

    @property
    def knows(self) -> bool:
        """Whether it tells what belongs together from what does not."""
        return self.together - self.apart >= LEAST

    def read(self, value: float) -> float:
        """A cosine of this embedder, on the common scale; 0 to 1."""
        share = (value - self.apart) / (self.together - self.apart)
        return min(1.0, max(0.0, APART + share * (TOGETHER - APART)))


async def measured(embedder: Embedder) -> Scale:
    """The scale of an embedder. Sixteen short texts are embedded for it."""
    asked = await embedder.embed([one for one, _ in PAIRS], "query")
    answers = await embedder.embed([other for _, other in PAIRS], "passage")
    alike = {
        (row, column): cosine(one, other)
        for row, one in enumerate(asked)
        for column, other in enumerate(answers)
    }
    return Scale(
        statistics.fmean(value for (row, column), value in alike.items() if row != column),
        statistics.fmean(alike[place, place] for place in range(len(PAIRS))),
    )
