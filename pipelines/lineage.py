"""Which model somebody means, and where it came from: back over runs and data to the first base."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from events.errors import Malformed, NotFound
from events.suggest import near

DEEPEST = 100
"""Generations that are told."""
BEGUN = ("base", "teacher")
"""What an artifact is that holds the model which a run made to begin from."""
HEX = re.compile(r"(sha256:)?([0-9a-f]{4,64})")
State = Mapping[str, Any]
Node = dict[str, Any]


def meant(state: State, words: str) -> dict[str, Any]:
    """The model of this name, of this hash or the beginning of it, or that of this run."""
    models: dict[str, dict[str, Any]] = state.get("models", {})
    if words in models:
        return models[words]
    if (run := next((one for one in models.values() if one.get("run") == words), None)) is not None:
        return run
    if digits := HEX.fullmatch(words):
        found = _hashed(state, digits[2])
        if len(found) > 1:
            right = "more digits, or one of " + ", ".join(found[:5])
            what = f"{len(found)} models are meant by {words!r}"
            raise Malformed(what, where="MODEL", right=right)
        if found:
            return models[found[0]]
    begun = sorted(one for one in models if words and one.startswith(words))
    hint = begun[0] if begun else near(words[:100], models)
    some = ", ".join(list(models)[:10])
    right = f"did you mean {hint!r}?" if hint else f"there are: {some}" if some else "none is there"
    raise NotFound(f"there is no model {words[:60]!r}", where="MODEL", right=right)


def chosen(state: State, role: str = "") -> list[dict[str, Any]]:
    """The models of a role, or all, the oldest first."""
    models = state.get("models", {}).values()
    return [one for one in models if not role or one.get("role") == role]


def parts(model: Mapping[str, Any]) -> dict[str, str]:
    """The adapters of a model and what they were put on, by hash; nothing where it has none."""
    taken = (model.get("selection") or {}).get("taken") or {"stage": ""}
    made = {one["kind"]: one["sha256"] for one in model.get("made", ())}
    found = {part: made.get(f"{part}.{taken['stage']}") for part in ("adapter", "base")}
    return {part: one for part, one in found.items() if one} if found["adapter"] else {}


def lineage(state: State, model: Mapping[str, Any]) -> Node:
    """A model, and under it all that it was made of."""
    return _node(state, model, frozenset())


def tree(node: Mapping[str, Any], before: str = "", branch: str = "") -> Iterator[str]:
    """The same as lines for people."""
    yield f"{before}{branch}{_told(node)}"
    deeper = before + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    for place, one in enumerate(node["from"], 1):
        yield from tree(one, deeper, "└─ " if place == len(node["from"]) else "├─ ")


def _hashed(state: State, digits: str) -> list[str]:
    """Of each model that begins so, the newest version; a model has one hash under all names."""
    hashes = state.get("hashes", {})
    full = f"sha256:{digits}"
    if full in hashes:
        return [hashes[full][-1]]
    return [names[-1] for sha256, names in hashes.items() if sha256.startswith(full)]


def _node(state: State, model: Mapping[str, Any], above: frozenset[str]) -> Node:
    found = _leaf("model", model["model"], model["sha256"], model["size"])
    found |= {"status": model["status"], "metrics": _score(model)}
    if model["status"] == "added" or len(above) >= DEEPEST:
        return found
    made = {one["sha256"]: one for one in model["made"]}
    run = _leaf("run", model["run"] or "", "", 0)
    run |= {"pipeline": model["pipeline"], "seed": model["seed"]}
    found["from"].append(run)
    seen = {model["sha256"]}
    for part, one in (("base", model["base"]), *(("student", one) for one in model["students"])):
        if one is not None:
            node = _ancestor(state, part, one, made, above | {model["model"]})
            seen.add(node["sha256"])
            run["from"].append(node)
    if data := model["data"]:
        rows = made.get(data["rows"], {"size": 0})
        node = _leaf("data", data["dataset"], data["rows"], rows["size"])
        if data["count"] is not None:
            node |= {"count": data["count"], "quality": data["quality"]}
        provenance = made.get(data["provenance"])
        if provenance is not None:
            node["from"].append(_artifact(provenance))
        seen |= {data["rows"], data["provenance"]}
        run["from"].append(node)
    run["from"] += [_artifact(one) for one in model["made"] if one["sha256"] not in seen]
    return found


def _ancestor(
    state: State, part: str, one: Mapping[str, Any], made: Mapping[str, Any], above: frozenset[str]
) -> Node:
    """What a run began from: another model of ours, one that was made for it, or one elsewhere."""
    known = state["models"].get(one["model"] or "")
    if known is not None and known["model"] not in above:
        return _node(state, known, above) | {"part": part}
    kinds = BEGUN if part == "base" else ()
    kept = next((each for kind in kinds for each in made.values() if each["kind"] == kind), None)
    sha256, size = ("", 0) if kept is None else (kept["sha256"], kept["size"])
    return _leaf(part, one["name"], one["sha256"] or sha256, size)


def _artifact(one: Mapping[str, Any]) -> Node:
    return _leaf(one["kind"], "", one["sha256"], one["size"])


def _leaf(kind: str, name: str, sha256: str, size: int) -> Node:
    return {"kind": kind, "name": name, "sha256": sha256, "size": size, "from": []}


def _score(model: Mapping[str, Any]) -> dict[str, Any]:
    found = model.get("metrics", {})
    return {name: found[name] for name in ("score", "sampled", "improvement") if name in found}


def _told(node: Mapping[str, Any]) -> str:
    """One line of the tree."""
    words = [node.get("part") or node["kind"], node["name"], node["sha256"][:19]]
    if node["size"]:
        words.append(f"{node['size']:,} bytes")
    if node["kind"] == "run":
        words.append(f"{node['pipeline']}, seed {node['seed']}")
    if "count" in node:
        words.append(f"{node['count']:,} rows, quality {node['quality']:.3f}")
    if "status" in node:
        words.append(node["status"])
    told = "  ".join(one for one in words if one)
    for name, one in node.get("metrics", {}).items():
        told += f"  {name} {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
    return told
