"""Which size the image may have before each step, whatever is drawn.

"hr", "lr", a whole part of HR ("hr/2"), or "other". Under [[hr]] "hr" is the photograph's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from degrade.errors import UsageError
from degrade.ops.choice import OneOf, Shuffled
from degrade.ops.learned import Learned
from degrade.ops.protocol import Step
from degrade.ops.resize import Downsample, Resize

MAX_REDUCTION = 16  # of the photograph by [[hr]] steps


def check_sizes(steps: Sequence[Step], scale: int, origin: str) -> None:
    """Whatever is drawn, the steps must end at LR size."""
    start = "lr" if scale == 1 else "hr"
    if _ends(steps, {start}) != {"lr"}:
        problem = "lr: with some draws its steps end at another size than LR's"
        raise UsageError(origin, problem, "end with a `downsample` step that always runs")


def reduction(hr: Sequence[Step], scale: int, origin: str) -> int:
    """Pixels of the photograph for one of HR, along each axis: 1, unless the [[hr]] steps make the target smaller.

    Raises:
        UsageError: with some draws they end at another size, or at one that is no whole part of the photograph's.
    """
    ends = _ends(hr, {"hr"})
    if ends == {"hr"} or (scale == 1 and ends == {"lr"}):
        return 1
    (end, *others) = sorted(ends)
    if others or not end.startswith("hr/"):
        problem = "hr: its steps do not always end at one size, the photograph's or a whole part of it"
        raise UsageError(origin, problem, "resize there by a fixed, whole `divisor`, in a step that always runs")
    found = int(end.removeprefix("hr/"))
    if found > MAX_REDUCTION:
        raise UsageError(origin, f"hr: its steps make the photograph {found} times smaller", f"{MAX_REDUCTION} at most")
    return found


def check_models(hr: Sequence[Step], lr: Sequence[Step], *, scale: int, margin: int, unit: str, origin: str) -> None:
    """A model that makes LR takes HR, and one that looks around has enough around a patch.

    Raises:
        UsageError: says what would do.
    """
    inside_hr = {id(step) for step, _ in _met(hr, {"hr"})}
    models = []
    for step, sizes in [*_met(hr, {"hr"}), *_met(lr, {"lr" if scale == 1 else "hr"})]:
        if not isinstance(step.op, Learned):
            continue
        card, name = step.op.card, f"step '{step.id}': model '{step.op.card.name}'"
        models.append(card)
        if card.scale > 1 and (sizes != {"hr"} or id(step) in inside_hr):
            raise UsageError(origin, f"{name} makes LR of HR", "put it under [[lr]], before what changes the size")
        if unit == "photo":
            continue
        if card.receptive_field == "whole":
            raise UsageError(origin, f"{name} sees the whole picture at once", 'state unit = "photo"')
        is_fine = sizes == {"hr"} or (id(step) in inside_hr and "other" not in sizes)  # HR's pixels, or finer ones
        needed = card.receptive_field * (1 if is_fine else scale)
        if needed > margin:
            problem = f"{name} looks {needed} HR pixels around, the margin is {margin}"
            raise UsageError(origin, problem, f"state margin = {needed}")
    zooms = {card.zoom for card in models} - {1}
    if len(zooms) > 1:
        raise UsageError(origin, f"models of the zooms {', '.join(map(str, sorted(zooms)))}", "use those of one zoom")


def _met(steps: Sequence[Step], sizes: set[str]) -> Iterator[tuple[Step, set[str]]]:
    """Every step, those inside others too, with the sizes that the image may have before it."""
    for step in steps:
        yield step, sizes
        if isinstance(step.op, OneOf):
            for branch in step.op.branches:
                yield from _met(branch.steps, sizes)
        elif isinstance(step.op, Shuffled):
            inside = [inner for group in step.op.groups for inner in group.steps]
            for group in step.op.groups:
                yield from _met(group.steps, sizes | _ends(inside, sizes) if _moves(inside) else sizes)
        sizes = _ends([step], sizes)


def _ends(steps: Sequence[Step], sizes: set[str]) -> set[str]:
    """Which of hr, lr and other the image may have after `steps`, from what it may have before."""
    for step in steps:
        after = {end for size in sizes for end in _after(step.op, size)}
        sizes = after if step.probability == 1 else after | sizes if step.probability else sizes
    return sizes


def _moves(steps: Sequence[Step]) -> bool:
    """Whether `steps` may change a size."""
    return any(_ends(steps, {size}) != {size} for size in ("hr", "other"))


def _divided(size: str, op: Resize) -> str:
    """`size` after a resize of it: a whole part of HR where the divisor is whole and always the same."""
    stated = op.divisor or op.factor
    assert stated is not None
    low, high = stated.bounds
    divisor = low if op.divisor else 1 / low if low > 0 else 0.0
    if low != high or divisor < 1 or divisor != int(divisor) or not size.startswith("hr"):
        return "other"
    return f"hr/{int(divisor) * int(size.removeprefix('hr').removeprefix('/') or 1)}"


def _after(op: object, size: str) -> set[str]:
    if isinstance(op, Downsample):
        return {"lr"}
    if isinstance(op, Learned) and op.card.scale > 1:
        return {"lr" if size == "hr" else "other"}
    if isinstance(op, Resize):
        before = "lr" if op.of == "lr" else size if op.of == "current" else "hr"
        return {before if op.is_unit else _divided(before, op)}
    if isinstance(op, OneOf):
        return {end for branch in op.branches if branch.weight > 0 for end in _ends(branch.steps, {size})}
    if isinstance(op, Shuffled):
        movers = [g for g, group in enumerate(op.groups) if _moves(group.steps)]
        rest = [g for g in range(len(op.groups)) if g not in movers]
        orders = (op.kept([*order, *rest]) for order in itertools.permutations(movers))
        return {end for order in orders for end in _ends([s for g in order for s in op.groups[g].steps], {size})}
    return {size}
