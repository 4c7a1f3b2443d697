"""Text out of a model: many prompts at once, sampled or greedy, and how likely a text is to it.

Prompts are sorted by length and padded on the left; a prompt is read once and its cache repeated
for its samples; rows that have ended leave the batch. What is drawn depends on the seed and the
place of a prompt among the prompts, never on the batch that it happened to be in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import Any, NamedTuple

import torch

from trainers.decoder import accepts, decoder, forward, positions, unwrapped
from trainers.drawing import Stopper, drawn, luck
from trainers.failures import BadData
from trainers.sequences import Sequences, padded

Tensor = Any
Text = str | Sequence[int]
"""As text, or as the ids of its tokens."""

CROWDED = 0.75
"""When fewer of the rows than this are still being written, the others leave the batch."""
LOGITS = 1 << 25
"""Logits at the same time: 128 MB of them."""


class Completion(NamedTuple):
    """What was written behind a prompt."""

    text: str
    """Without the end token; up to and with the stop string."""
    token_ids: tuple[int, ...]
    """All tokens that were drawn, the end token too."""
    finished: bool
    """It came to its end by itself, and was not cut off."""


class Thoughts(NamedTuple):
    """What a model thought at each token of some completions."""

    rows: list[int]
    """Which of the completions these are."""
    logits: Tensor
    """[rows, tokens, words], in float32."""
    chosen: Tensor
    """[rows, tokens]: the tokens that stand there."""
    mask: Tensor
    """[rows, tokens]: 1 where one does."""


class Engine:
    """One model and its tokenizer, as they are at each call: a policy may go on learning."""

    def __init__(self, model: Any, tokenizer: Any, rows: int = 64, tokens: int = 8192) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.rows = rows
        """Completions that are written at the same time."""
        self.tokens = tokens
        """Tokens that are scored at the same time."""
        self.ends = _ends(unwrapped(model), tokenizer)
        """Tokens that end a text; where there are none, every text goes on until it is cut off."""
        config = unwrapped(model).config
        self.words: int = config.get_text_config().vocab_size
        """Tokens that the model can choose from."""
        self._longest: int | None = getattr(config, "max_position_embeddings", None)

    @property
    def device(self) -> Any:
        return next(self.model.parameters()).device

    def generate(
        self,
        prompts: Sequence[Text],
        max_new: int,
        temperature: float = 1.0,
        seed: int | None = None,
        stop: str | None = None,
        samples: int = 1,
    ) -> list[Completion]:
        """`samples` completions of each prompt, those of one prompt side by side.

        Temperature 0 takes the likeliest token. Without a seed torch's own generator decides.
        """
        ids = [self.prompt_ids(prompt) for prompt in prompts]
        max_new = max_new if self._longest is None else min(max_new, self._longest)
        numbers = luck(len(ids) * samples, max_new, seed) if temperature > 0 else None
        stopper = Stopper(self.tokenizer, self.ends, stop, self.words, self.device)
        found: dict[int, Completion] = {}
        longest_first = sorted(range(len(ids)), key=lambda one: (-len(ids[one]), ids[one]))
        order = [one * samples + sample for one in longest_first for sample in range(samples)]
        with _asking(self.model):
            for start in range(0, len(order), self.rows):
                rows = order[start : start + self.rows]
                own = None if numbers is None else numbers[rows].to(self.device)
                texts = [ids[row // samples] for row in rows]
                written = self._written(texts, max_new, temperature, own, stopper)
                found.update(zip(rows, written, strict=True))
        return [found[row] for row in range(len(found))]

    def score(self, prompts: Sequence[Text], completions: Sequence[Text]) -> list[Tensor]:
        """The log-probability of each token of each completion, in nats."""
        found = [torch.zeros(0)] * len(completions)
        for part in self.thoughts(prompts, completions):
            chosen = part.logits.gather(-1, part.chosen[..., None])[..., 0]
            logs = (chosen - part.logits.logsumexp(-1)).cpu()
            for row, line in zip(part.rows, _cut(logs, part.mask), strict=True):
                found[row] = line
        return found

    def thoughts(self, prompts: Sequence[Text], completions: Sequence[Text]) -> Iterator[Thoughts]:
        """Of all completions that have a token, a few at a time, within the limit of tokens.

        Two engines with the same limits go through the same texts in the same parts.
        """
        before = [self.prompt_ids(prompt) for prompt in prompts]
        behind = [self.completion_ids(one) for one in completions]
        for rows in self._parts(before, behind):
            part = padded([before[row] for row in rows], [behind[row] for row in rows], 0)
            with _asking(self.model):
                logits = self._logits(part)
            yield Thoughts(rows, logits, part.chosen.to(self.device), part.mask.to(self.device))

    def prompt_ids(self, prompt: Text) -> list[int]:
        """Its tokens, begun as the tokenizer begins a text, but not twice."""
        if not isinstance(prompt, str):
            found = list(prompt)
        else:
            first = self.tokenizer.bos_token
            begun = bool(first) and prompt.startswith(first)
            found = self.tokenizer(prompt, add_special_tokens=not begun)["input_ids"]
        if not found:
            raise BadData("a prompt is empty", where="prompts", right="at least one token")
        return found

    def completion_ids(self, completion: Text) -> list[int]:
        """Its tokens, without an end that is not in it."""
        if not isinstance(completion, str):
            return list(completion)
        found: list[int] = self.tokenizer(completion, add_special_tokens=False)["input_ids"]
        return found

    def _written(
        self,
        texts: list[list[int]],
        max_new: int,
        temperature: float,
        numbers: Tensor | None,
        stopper: Stopper,
    ) -> list[Completion]:
        """Completions of these prompts, in their order; equal neighbours are read once."""
        room = [self.room(len(text), max_new) for text in texts]
        written: list[list[int]] = [[] for _ in texts]
        ended = [False] * len(texts)
        alive = list(range(len(texts)))
        place = torch.arange(len(texts), device=self.device)
        least = min(room)
        decoding, logits = self._begun(texts)
        for column in range(max_new):
            ids = drawn(logits, temperature, None if numbers is None else numbers[place, column])
            for row, word in zip(alive, ids.tolist(), strict=True):
                if not ended[row]:
                    written[row].append(word)
            for line in (suspects := stopper.suspects(ids)):
                ended[alive[line]] = ended[alive[line]] or stopper.ends(written[alive[line]])
            if suspects or column + 1 >= least:
                more = [not ended[row] and len(written[row]) < room[row] for row in alive]
                if not any(more):
                    break
                if column + 1 >= least or sum(more) < CROWDED * len(alive):
                    lines = torch.tensor(more, device=self.device).nonzero()[:, 0]
                    decoding.keep(lines)
                    ids, place = ids[lines], place[lines]
                    alive = list(compress(alive, more))
                    least = min(room[row] for row in alive)
            logits = decoding.step(ids)
        return [
            Completion(stopper.text(words), tuple(words), end)
            for words, end in zip(written, ended, strict=True)
        ]

    def _begun(self, texts: list[list[int]]) -> tuple[Any, Tensor]:
        """A decoder that has read these prompts, and the logits behind them."""
        firsts = [row for row, text in enumerate(texts) if row == 0 or text != texts[row - 1]]
        width = max(map(len, texts))
        ids = torch.zeros(len(firsts), width, dtype=torch.long)
        mask = torch.zeros(len(firsts), width, dtype=torch.long)
        for line, row in enumerate(firsts):
            ids[line, width - len(texts[row]) :] = torch.tensor(texts[row])
            mask[line, width - len(texts[row]) :] = 1
        decoding = decoder(self.model)
        logits = decoding.start(ids.to(self.device), mask.to(self.device))
        if len(firsts) == len(texts):
            return decoding, logits
        counts = torch.tensor([*firsts[1:], len(texts)]) - torch.tensor(firsts)
        lines = torch.arange(len(firsts)).repeat_interleave(counts).to(self.device)
        decoding.keep(lines)
        return decoding, logits[lines]

    def room(self, length: int, max_new: int) -> int:
        """How many tokens fit behind a prompt of this length."""
        if self._longest is not None and length >= self._longest:
            raise BadData(
                f"a prompt has {length} tokens, and the model reads at most {self._longest}",
                where="prompts",
                right="a shorter prompt, or a model with a longer context",
            )
        return max_new if self._longest is None else min(max_new, self._longest - length)

    def _parts(self, before: list[list[int]], behind: list[list[int]]) -> Iterator[list[int]]:
        """Rows of about one length, as many as their tokens and their logits allow."""
        part: list[int] = []
        widest = 0
        having = (row for row, one in enumerate(behind) if one)
        for row in sorted(having, key=lambda row: (len(behind[row]), len(before[row]))):
            columns, wider = len(behind[row]), max(widest, len(before[row]))
            logits = (len(part) + 1) * (columns + 1) * self.words
            if part and ((len(part) + 1) * (wider + columns) > self.tokens or logits > LOGITS):
                yield part
                part, wider = [], len(before[row])
            part.append(row)
            widest = wider
        if part:
            yield part

    def _logits(self, part: Sequences) -> Tensor:
        """At each token of the completions, what the model thought before it."""
        attention = part.attention.to(self.device)
        columns = part.chosen.shape[1]
        more: dict[str, Any] = {}
        if accepts(self.model, "position_ids"):
            more["position_ids"] = positions(attention)
        if accepts(self.model, "logits_to_keep"):
            more["logits_to_keep"] = columns + 1
        ids = part.ids.to(self.device)
        found = forward(
            self.model, input_ids=ids, attention_mask=attention, use_cache=False, **more
        )
        return found.logits[:, -columns - 1 : -1].float()


def _ends(causal: Any, tokenizer: Any) -> frozenset[int]:
    """End tokens by tokenizer and by generation config, as `generate` and TRL take them."""
    config = getattr(causal, "generation_config", None)
    stated = getattr(config, "eos_token_id", None)
    known = stated if isinstance(stated, list) else [stated]
    return frozenset(one for one in (*known, tokenizer.eos_token_id) if one is not None)


def _cut(lines: Tensor, mask: Tensor) -> list[Tensor]:
    """Each row as far as it goes."""
    return [line[: int(row.sum())].clone() for line, row in zip(lines, mask, strict=True)]


@contextmanager
def _asking(model: Any) -> Iterator[None]:
    """Without gradients and without dropout; a model that was learning goes on learning after."""
    learning = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module in learning:
            module.training = True
