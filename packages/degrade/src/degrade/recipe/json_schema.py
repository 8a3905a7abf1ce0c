"""The recipe language as a JSON schema (draft 2020-12), for editors that complete and check TOML.

It is made from the ops, so it knows whatever they know. It is a little more lenient than `recipes validate`: rules
between fields, between steps, and pools are not in it. Only keywords are used that older editors understand too.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

from degrade.ops import OPS
from degrade.ops.choice import OneOf, Shuffled
from degrade.recipe.fields import OpField, description, op_fields, summary
from degrade.recipe.limits import Limits
from degrade.recipe.load import MAX_SCALE

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[Any, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
}
_HEADER: Schema = {
    "name": {"type": "string", "description": "What the recipe is called in shards and reports."},
    "source": {"type": "string", "description": "Where its numbers come from: paper and section, or code."},
    "description": {"type": "string", "description": "One line for `degrade recipes list`."},
    "scale": {"type": "integer", "minimum": 1, "maximum": MAX_SCALE, "description": "HR size over LR size (4)."},
    "margin": {
        "type": "integer",
        "minimum": 0,
        "maximum": 512,
        "description": "HR pixels of surroundings that steps may use; cropped away afterwards (32).",
    },
    "unit": {
        "enum": ["patch", "photo"],
        "description": "What is degraded: each patch with its surroundings, or the whole photo, cut afterwards.",
    },
}
_EVERY_STEP: Schema = {
    "id": {
        "type": "string",
        "minLength": 1,
        "description": "The name its random numbers belong to (the op and its ordinal).",
    },
    "probability": {"type": "number", "minimum": 0, "maximum": 1, "description": "The chance that it runs (1)."},
}
_STEPS: Schema = {"type": "array", "items": {"$ref": "#/$defs/step"}}


def recipe_schema() -> Schema:
    """The schema of a recipe file, as plain values."""
    return {
        "$schema": DIALECT,
        "title": "degrade recipe",
        "description": "How images are spoiled, step by step: `degrade recipes ops` lists what a step may say.",
        "type": "object",
        "properties": {
            **_HEADER,
            "hr": {**_STEPS, "description": "Steps that change the target itself; they run first."},
            "lr": {**_STEPS, "description": "Steps that make the LR image from the target, in order.", "minItems": 1},
            "extends": {
                "type": "string",
                "description": "Another recipe (name or file) that this one is laid over.",
            },
            "set": {"type": "object", "description": 'Reaches into its steps: "lr.0.sigma_range" = [0.2, 1.5].'},
        },
        "additionalProperties": False,
        "anyOf": [{"required": ["extends"]}, {"required": ["name", "source", "lr"]}],
        "$defs": {"step": _step(), **{kind: _op(kind) for kind in OPS}},
    }


def _step() -> Schema:
    """Any step. Each op's own rules follow from `op`; all fields are listed too, because editors complete those."""
    completions: dict[str, list[str]] = {}
    for kind in OPS:
        for key in _properties(kind):
            completions.setdefault(key, []).append(kind)
    return {
        "type": "object",
        "required": ["op"],
        "properties": {
            **{key: {"description": f"Of {', '.join(kinds)}."} for key, kinds in completions.items()},
            **_EVERY_STEP,
            "op": {"enum": list(OPS), "description": "What the step does."},
        },
        "allOf": [
            {
                "if": {"properties": {"op": {"const": kind}}, "required": ["op"]},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for kind in OPS
        ],
    }


def _op(kind: str) -> Schema:
    rules = [rule for field in op_fields(kind) for rule in _rules(field)]
    return {
        "title": kind,
        "description": description(kind) or summary(kind),
        "type": "object",
        "properties": {"op": {"const": kind}, **_EVERY_STEP, **_properties(kind)},
        "required": ["op", *(field.name for field in op_fields(kind) if _must_be_stated(field))],
        "additionalProperties": False,
    } | ({"allOf": rules} if rules else {})


def _properties(kind: str) -> Schema:
    """The keys of an op's own."""
    found: Schema = {}
    for field in op_fields(kind):
        found |= _keys(field, OPS[kind])
    return found


def _keys(field: OpField, cls: type) -> Schema:
    about = _about(field)
    if field.kind == "parts":
        return {field.name: {**_parts(field.name, cls), **about}}
    if field.kind in ("pool", "file"):
        return {field.name: {"type": "string", "minLength": 1, **about}}
    if field.kind == "plain":
        return {field.name: {**_plain(field.hint), **about}}
    if field.kind == "word":
        word: Schema = {"enum": list(field.limits.words)} if field.limits.words else {"type": "string"}
        return {field.name: {**word, **about}, **_choice(field.name, word, about)}
    number = _number(field.limits)
    ends = {**_list(number), "minItems": 2, "maxItems": 2}
    return {
        field.name: {**number, **about},
        f"{field.name}_range": {**ends, **_said("uniform: [low, high]", about)},
        f"{field.name}_log_range": {**ends, **_said("uniform in the logarithm: [low, high]", about)},
        f"{field.name}_normal": {
            **_list({"type": "number"}),
            "minItems": 2,
            "maxItems": 2,
            **_said("normal: [mean, standard deviation]", about),
        },
        **_choice(field.name, number, about),
    }


def _choice(name: str, option: Schema, about: Schema) -> Schema:
    weights = {**_list({"type": "number", "minimum": 0}), "minItems": 1}
    return {
        f"{name}_choice": {**_list(option), "minItems": 1, **_said("one of these", about)},
        f"{name}_weights": {**weights, "description": f"Of the entries of {name}_choice."},
    }


def _rules(field: OpField) -> list[Schema]:
    """Of a drawn field at most one form, exactly one if it has no default; weights only beside a choice."""
    if field.kind not in ("number", "word"):
        return []
    name = field.name
    forms = [name, f"{name}_choice"]
    forms += [f"{name}_{form}" for form in ("range", "log_range", "normal")] if field.kind == "number" else []
    stated: list[Schema] = [{"required": [form]} for form in forms]
    weights: Schema = {"if": {"required": [f"{name}_weights"]}, "then": {"required": [f"{name}_choice"]}}
    if field.default is None:
        return [{"oneOf": stated}, weights]
    return [{"oneOf": [*stated, {"not": {"anyOf": stated}}]}, weights]


def _must_be_stated(field: OpField) -> bool:
    return field.default is None and field.kind not in ("number", "word")


def _number(limits: Limits) -> Schema:
    number: Schema = {"type": "number"}
    if limits.low > -math.inf:
        number["exclusiveMinimum" if limits.above else "minimum"] = limits.low
    if limits.high < math.inf:
        number["maximum"] = limits.high
    return number


def _plain(hint: Any) -> Schema:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        size = {} if parts[-1] is Ellipsis else {"minItems": len(parts), "maxItems": len(parts)}
        return {**_list(_plain(parts[0])), **size}
    return {}  # a kind that no op has yet: left to `recipes validate`


def _parts(name: str, cls: type) -> Schema:
    if name == "branches" and cls is OneOf:
        properties: Schema = {"steps": _STEPS, "weight": {"type": "number", "minimum": 0}}
        return {"type": "array", "minItems": 1, "items": _table(properties)}
    if name == "groups" and cls is Shuffled:
        return {"type": "array", "minItems": 2, "items": _table({"steps": _STEPS, "name": {"type": "string"}})}
    return _list(_list({"type": "string"}))  # keep_order


def _table(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _about(field: OpField) -> Schema:
    default = "" if field.default is None else f"Default: {field.default}."
    text = " ".join(part for part in (field.about, default) if part)
    return {"description": text} if text else {}


def _said(form: str, about: Schema) -> Schema:
    text = about.get("description", "")
    return {"description": f"{form}. {text}".strip()}
