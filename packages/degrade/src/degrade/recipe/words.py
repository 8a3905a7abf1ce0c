"""Values of a recipe in words: `0.2 to 3`, `one of 7, 9, 11`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def canonical(value: Any) -> Any:
    """A value of `Recipe.as_table` in the form that two ways to write the same thing share.

    A range of one number and a choice of one are that number; weights are shares of 1, without the noise of floats.
    """
    match value:
        case {"constant": constant}:
            return canonical(constant)
        case {"range": [low, high]} | {"log_range": [low, high]} if low == high:
            return float(low)
        case {"normal": [mean, deviation]} if deviation == 0:
            return float(mean)
        case {"choice": [*choice], **rest}:
            weights = rest.get("weights") or [1] * len(choice)
            shares: dict[Any, float] = {}
            for option, weight in zip(choice, weights, strict=True):
                shares[canonical(option)] = shares.get(canonical(option), 0) + weight / sum(weights)
            shares = {option: round(share, 9) for option, share in shares.items() if share}
            return next(iter(shares)) if len(shares) == 1 else {"one of": shares}
        case Mapping():
            return {key: canonical(inner) for key, inner in value.items()}
        case list() | tuple():
            return [canonical(inner) for inner in value]
        case int() if not isinstance(value, bool):
            return float(value)
    return value


def in_words(value: Any) -> str:
    """A value as `canonical` gives it, for a reader."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case {"range": [low, high]}:
            return f"{in_words(low)} to {in_words(high)}"
        case {"log_range": [low, high]}:
            return f"{in_words(low)} to {in_words(high)} (logarithmic)"
        case {"normal": [mean, deviation]}:
            return f"{in_words(mean)} +- {in_words(deviation)}"
        case {"one of": shares}:
            is_even = max(shares.values()) - min(shares.values()) < 1e-6
            chances = ("" if is_even else f" {percent(share)}" for share in shares.values())
            return f"one of {', '.join(in_words(key) + chance for key, chance in zip(shares, chances, strict=True))}"
        case int() | float():
            return f"{value:.6g}"
        case Mapping():
            return ", ".join(f"{key} {in_words(inner)}" for key, inner in value.items())
        case list() | tuple():
            return "(" + ", ".join(in_words(inner) for inner in value) + ")"
    return str(value)


def apart(first: Any, second: Any) -> tuple[str, str]:
    """Both values in words, with all digits where six would make them look alike."""
    one, two = in_words(first), in_words(second)
    return (one, two) if one != two else (str(first), str(second))


def percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def step_in_words(step: Mapping[str, Any]) -> str:
    """A step of `Recipe.as_table` on one line: `gaussian_blur 'blur1': sigma 0.2 to 3, size 15`."""
    hidden = {"op", "id", "probability", "branches", "groups", "keep_order"}
    fields = [
        f"{key} {in_words(canonical(value))}"
        for key, value in step.items()
        if key not in hidden and not is_of_the_run(key, value)
    ]
    fields += [f"{len(step[key])} {key}" for key in ("branches", "groups") if key in step]
    chance = f", probability {step['probability']:g}" if step["probability"] != 1 else ""
    return f"{step['op']}{': ' if fields else ''}{', '.join(fields)}{chance}"


def is_of_the_run(key: str, value: Any) -> bool:
    """The scale that a step is given by the recipe; a field of the same name that is drawn is a table of its forms."""
    return key == "scale" and isinstance(value, int)


def ids_in_words(steps: Sequence[Mapping[str, Any]]) -> str:
    return " + ".join(str(step["id"]) for step in steps) or "nothing"
