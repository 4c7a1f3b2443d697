"""What the figures of runs mean, in a sentence each, for people who were not there.

A gate names a metric in one word; whoever reads a verdict later has to know what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MEANINGS: dict[str, str] = {
    "quality": "how good the data set is, from 0 to 1: the least of its parts (validity, "
    "diversity, repetition, contamination, balance)",
    "rows": "rows of the data set",
    "traces": "answers of the teacher that were verified, and are learned from",
    "pairs": "preference pairs that are left after all filters",
    "gap": "how clearly the better answer of a pair is preferred: of data the difference of their "
    "scores, of a policy 2 sigma(margin) - 1 on pairs held back",
    "decontamination": "share of the rows that are no problem of an evaluation, before those that "
    "are were taken out",
    "sampled": "share of right answers, samples drawn at temperature 1",
    "greedy": "share of right answers, the likeliest word taken each time",
    "score": "what the type's verifier gives to the answers, from 0 to 1",
    "reward": "what the type's verifier gives to the answers, from 0 to 1",
    "kl": "how far the policy has moved from the model beside which it is held, in nats a token",
    "entropy": "how open the policy still is at each token, in nats; near 0 it says one thing only",
    "entropy_relative": "how open the policy still is at each token, beside the reference: 1 is as "
    "open as it",
    "gain": "score less that of the policy before this stage, on the same problems",
    "sampled_gain": "share of right answers less that of the policy before this stage",
    "improvement": "score less that of the baseline, on the same fresh problems",
    "baseline": "the score of the model that the run began from, on the problems of the end",
    "retention": "what is kept of what the baseline could do: 1 is all of it, more is better than "
    "it; of several capabilities the one that is least surely kept",
    "areas_lost": "areas of problems in which surely less is left than has to be",
    "capability": "the score in this area",
    "matching": "share of the weights that are the same as the reference's",
    "train_accuracy": "how often the reward model prefers the better answer, of pairs it learned",
    "accuracy": "how often the reward model prefers the better answer, of pairs held back",
    "overfit": "how much better the reward model is on pairs that it has learned",
    "consistency": "how often the reward model is right where the preference is a clear one",
    "clearer": "by how much its margin is larger where the preference is clear",
    "steady": "how often its verdict stays when the better answer stands there in another form",
    "adversarial": "how often it is right where the worse answer was made to fool it",
    "edge_cases": "how often it is right about odd answers",
    "out_of_distribution": "how often it is right on problems unlike those that it learned from",
    "length_bias": "how its margin goes with the length of the answers, from -1 to 1",
    "length_alone": "how its margin goes with length beyond what their worth explains",
    "length_sway": "how far from every other time the longer of two answers that are worth the "
    "same is scored higher: 0 where length has no say, 0.5 where it decides",
    "longer_of_equals": "how often the longer of two answers that are worth the same is scored "
    "higher",
    "position_bias": "how often its verdict turns with the places of the answers",
    "aligned": "how the reward goes with what the goal rewards, from -1 to 1",
    "reward_gain": "the reward model's reward less that of the policy before",
    "preference_accuracy": "how often the policy finds the better answer of a held-out pair the "
    "likelier one",
    "win_rate": "how often its answers beat the baseline's, asked both ways round; a tie is half",
    "clean": "share of the last problems that nothing in the run has learned from",
    "people": "how often people prefer its answers to the baseline's, not knowing which is which",
    "share": "its size beside the teacher's",
    "speedup": "how many times as fast as the teacher it answers",
    "weights": "how many weights it has",
}


def meaning(metric: str) -> str:
    """Of a figure, or of a capability's (`capability.addition`); nothing where none is known."""
    if metric in MEANINGS:
        return MEANINGS[metric]
    kind, _, name = metric.partition(".")
    return f"{MEANINGS[kind]} ({name})" if name and kind in MEANINGS else ""


def explained(metrics: Iterable[str]) -> Mapping[str, str]:
    """Those that have a meaning here, each once, in their order."""
    return {one: told for one in metrics if (told := meaning(one))}
