"""The two rounds of Real-ESRGAN's degradation as recipe steps: blur, resize, noise and JPEG, twice."""

from __future__ import annotations

import math
from collections.abc import Iterator

from degrade.recipe_import.options import OptionFile
from degrade.recipe_import.toml_text import BranchText, Fields, any_of, clean, one_of_text, shuffled_text, step_text

SIZES = tuple(range(7, 22, 2))  # in the code, not in the options
SMALL_SINC = 13  # below this size the cutoff starts at pi / 3, from it on at pi / 5

_KERNELS = {  # name there: op, and the option of its beta
    "iso": ("gaussian_blur", ""),
    "aniso": ("anisotropic_gaussian_blur", ""),
    "generalized_iso": ("generalized_gaussian_blur", "betag_range"),
    "generalized_aniso": ("generalized_gaussian_blur", "betag_range"),
    "plateau_iso": ("plateau_blur", "betap_range"),
    "plateau_aniso": ("plateau_blur", "betap_range"),
}
_FILTERS = {"area": "area", "bilinear": "bilinear", "bicubic": "bicubic"}
_REDUX_FILTERS = {**_FILTERS, "nearest-exact": "nearest", "lanczos": "lanczos"}


def round_text(options: OptionFile, number: int) -> Iterator[str]:
    """Blur, resize and noise of a round; after the first, its JPEG."""
    said = "First round: sizes relative to the photo." if number == 1 else "Second round: sizes relative to LR."
    yield from ("", f"# {said}")
    yield from _blur(options, number)
    yield from _resize(options, number)
    yield from _noise(options, number)
    if number == 1:
        step, said = _jpeg(options, 1)
        if step:
            yield from step_text("lr", step, said)


def _blur(options: OptionFile, number: int) -> Iterator[str]:
    end = "" if number == 1 else "2"
    chance_name = f"blur_prob{end}" if number == 1 or f"blur_prob{end}" in options else "second_blur_prob"
    chance = 1.0 if chance_name == "blur_prob" and chance_name not in options else options.number(chance_name, 0, 1)
    if not chance:
        yield f"# {chance_name} = 0: no blur."
        return
    sinc = options.number(f"sinc_prob{end}", 0, 1)
    kinds = options.words(f"kernel_list{end}", {name: name for name in _KERNELS})
    shares = options.chances(f"kernel_prob{end}", len(kinds))
    weights = dict.fromkeys(kinds, 0.0)
    for kind, share in zip(kinds, shares, strict=True):
        weights[kind] += share / sum(shares) * (1 - sinc)
    branches = [branch for kind in weights for branch in _kernels(options, kind, number, weights[kind])]
    fields: Fields = {"id": f"blur{number}"} | ({"probability": chance} if chance < 1 else {})
    comment = f"{chance_name} = {chance:g}" if chance < 1 else ""
    yield from one_of_text(fields, [*branches, *_sincs(options, number, sinc)], comment)


def _kernels(options: OptionFile, kind: str, number: int, weight: float) -> Iterator[BranchText]:
    """The branches of one kind of kernel. Where it has a beta, one half of them has it below 1, the other above."""
    if not weight:
        return
    end = "" if number == 1 else "2"
    op, betas = _KERNELS[kind]
    sigma = list(options.range(f"blur_sigma{end}", 0, 1000))
    step: Fields = {"op": op, "id": f"blur{number}_{kind}", **any_of("size", _sizes(options, f"kernel_range{end}"))}
    step["sigma_range" if kind == "iso" else "sigma_x_range"] = sigma
    if kind.endswith("aniso"):
        step |= {"sigma_y_range": sigma, "angle_range": [-math.pi, math.pi]}
    said = f"kernel_prob{end} {kind}, times 1 - sinc_prob{end}"
    if not betas:
        yield BranchText(clean(weight), [step], said, f"blur_sigma{end}")
        return
    for half, end_of_range in zip(("low", "high"), options.range(f"{betas}{end}", 1e-3, 1000), strict=True):
        beta = {"beta": 1} if end_of_range == 1 else {"beta_range": sorted([1, end_of_range])}
        half_step = {**step, "id": f"{step['id']}_{half}", **beta}
        yield BranchText(clean(weight / 2), [half_step], f"{said}, one half", f"blur_sigma{end}, {betas}{end}")


def _sincs(options: OptionFile, number: int, weight: float) -> Iterator[BranchText]:
    end = "" if number == 1 else "2"
    sizes = _sizes(options, f"kernel_range{end}")
    for name, some, divisor in (
        ("small", [size for size in sizes if size < SMALL_SINC], 3),
        ("large", [size for size in sizes if size >= SMALL_SINC], 5),
    ):
        if weight and some:
            step = {"op": "sinc_blur", "id": f"blur{number}_sinc_{name}", **any_of("size", some)}
            step["cutoff_range"] = [math.pi / divisor, math.pi]
            said = f"sinc_prob{end}, and the share of these sizes"
            yield BranchText(clean(weight * len(some) / len(sizes)), [step], said, f"pi / {divisor} to pi")


def _resize(options: OptionFile, number: int) -> Iterator[str]:
    end = "" if number == 1 else "2"
    up, down, keep = options.chances(f"resize_prob{end}", 3)
    low, high = options.range(f"resize_range{end}", 1e-3, 1000)
    of: Fields = {"of": "lr"} if number == 2 else {}
    branches = []
    for name, weight, ends in (("up", up, [1, high]), ("down", down, [low, 1])):
        if weight:
            step = {"op": "resize", "id": f"resize{number}_{name}", "factor_range": sorted(ends), **of}
            step |= _filter(options, f"resize_mode_list{end}", f"resize_mode_prob{end}")
            branches.append(BranchText(weight, [step], f"resize_prob{end} {name}", f"resize_range{end}"))
    if keep:
        kept: list[Fields] = []
        if number == 2 and not options.is_redux:  # keeping means LR size there, in redux the size as it is
            kept = [{"op": "resize", "id": "resize2_keep", "factor": 1, **of, **_filter(options, "", "")}]
        branches.append(BranchText(keep, kept, f"resize_prob{end} keep"))
    if any(branch.steps for branch in branches):
        yield from one_of_text({"id": f"resize{number}"}, branches)
    else:
        yield f"# resize_prob{end}: the size is always kept."


def _filter(options: OptionFile, names: str, weights: str) -> Fields:
    """Real-ESRGAN's three filters alike, without antialiasing, a = -0.75; in redux as stated, antialiased, a = -0.5.

    Redux's lanczos is a low-pass of 3 lobes followed by bicubic; here Lanczos itself with 3 lobes.
    """
    if not options.is_redux or names not in options:
        return {"filter_choice": list(_FILTERS.values()), "cubic_a": -0.75}
    words = options.words(names, _REDUX_FILTERS)
    chances = options.chances(weights, len(words))
    kept = [(word, chance) for word, chance in zip(words, chances, strict=True) if chance]
    words, chances = [word for word, _ in kept], [chance for _, chance in kept]
    return {**any_of("filter", words, chances), "antialias": True}


def _noise(options: OptionFile, number: int) -> Iterator[str]:
    end = "" if number == 1 else "2"
    gaussian = options.number(f"gaussian_noise_prob{end}", 0, 1)
    branches = []
    for name, weight, op, field, option in (
        ("gaussian", gaussian, "gaussian_noise", "sigma_8bit_range", f"noise_range{end}"),
        ("poisson", 1 - gaussian, "scaled_poisson_noise", "scale_range", f"poisson_scale_range{end}"),
    ):
        if not weight:
            continue
        ends, steps = options.range(option, 0, 255), []
        if any(ends):
            gray = options.number(f"gray_noise_prob{end}", 0, 1)
            modes = any_of("mode", ["colour", "gray"], [clean(1 - gray), gray])
            steps = [{"op": op, "id": f"noise{number}_{name}", field: list(ends), **modes}]
        said = f"gaussian_noise_prob{end}" if name == "gaussian" else f"1 - gaussian_noise_prob{end}"
        branches.append(BranchText(clean(weight), steps, said, f"{option}, gray_noise_prob{end}" if steps else option))
    if any(branch.steps for branch in branches):
        yield from one_of_text({"id": f"noise{number}"}, branches)
        yield from step_text("lr", {"op": "clip", "id": f"clip{number}"}, "clip=True of both noises")
    else:
        yield f"# noise_range{end}, poisson_scale_range{end}: no noise."


def _jpeg(options: OptionFile, number: int) -> tuple[Fields, str]:
    """The step and the options it comes from; without fields if its chance is 0."""
    end = "" if number == 1 else "2"
    step: Fields = {"op": "jpeg", "id": f"jpeg{number}"}
    said = f"jpeg_range{end}"
    if f"jpeg_prob{end}" in options:
        chance = options.number(f"jpeg_prob{end}", 0, 1)
        if not chance:
            return {}, ""
        step |= {"probability": chance} if chance < 1 else {}
        said = f"jpeg_prob{end}, {said}"
    return {**step, "quality_range": list(options.range(f"jpeg_range{end}", 0, 100))}, said


def last_text(options: OptionFile) -> Iterator[str]:
    """To LR size with a last sinc, and the last JPEG, in either order."""
    size: list[tuple[Fields, str]] = [
        ({"op": "downsample", **_filter(options, "resize_mode_list3", "resize_mode_prob3")}, "")
    ]
    chance = options.number("final_sinc_prob", 0, 1)
    if chance:
        sizes = any_of("size", _sizes(options, "final_kernel_range"))
        step = {"op": "sinc_blur", "id": "last_sinc", "probability": chance, **sizes}
        size.append(({**step, "cutoff_range": [math.pi / 3, math.pi]}, "final_sinc_prob; pi / 3 to pi"))
    jpeg, said = _jpeg(options, 2)
    if jpeg:
        comment = "The way to LR size with a last ringing, and the last JPEG, in either order."
        yield from shuffled_text({"id": "last"}, [("size", size), ("jpeg", [(jpeg, said)])], comment)
    else:
        for step, said in size:
            yield from step_text("lr", step, said)


def _sizes(options: OptionFile, name: str) -> list[int]:
    if name not in options:
        return list(SIZES)
    low, high = (int(end) for end in options.range(name, 3, 255))
    if not low % 2:
        raise options.error(name, f"expected odd sizes, got {low}")
    return list(range(low, high + 1, 2))
