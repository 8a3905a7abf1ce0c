"""Option files of Real-ESRGAN, BasicSR and traiNNer-redux as recipes: what is in them, and what of it is left out.

What an option means is what their training code does with it: realesrgan_model.py, realesrnet_model.py,
realesrgan_dataset.py and BasicSR's degradations.py; for the options that only traiNNer-redux has, its files of the same
names. The steps and their ids are those of the packaged recipe `realesrgan`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from degrade.errors import UsageError, printable
from degrade.recipe_import.options import OptionFile
from degrade.recipe_import.rounds import SIZES, last_text, round_text
from degrade.recipe_import.toml_text import Fields, any_of, clean, step_text, value_text
from degrade.recipe_import.yaml_file import read_yaml

MARGIN = 64

_IN_BOTH_ROUNDS = {
    "resize_prob", "resize_range", "gaussian_noise_prob", "noise_range", "poisson_scale_range", "gray_noise_prob",
    "jpeg_range", "blur_kernel_size", "kernel_list", "kernel_prob", "sinc_prob", "blur_sigma", "betag_range",
    "betap_range", "blur_prob", "jpeg_prob", "kernel_range", "resize_mode_list", "resize_mode_prob",
}  # fmt: skip
_ONCE = {
    "high_order_degradation", "gt_usm", "l1_gt_usm", "percep_gt_usm", "gan_gt_usm", "second_blur_prob",
    "final_sinc_prob", "scale", "lq_usm", "lq_usm_radius_range", "final_kernel_range", "resize_mode_list3",
    "resize_mode_prob3",
}  # fmt: skip
_KNOWN = {*_IN_BOTH_ROUNDS, *(f"{name}2" for name in _IN_BOTH_ROUNDS), *_ONCE}
_TELLTALE = ("blur_sigma", "jpeg_range", "kernel_prob", "noise_range", "resize_prob")
_NOT_DEGRADATION = {
    "name", "model_type", "num_gpu", "manual_seed", "gt_size", "lq_size", "patch_size", "queue_size", "datasets",
    "path", "train", "val", "validation", "logger", "dist_params", "is_train", "root_path", "deterministic",
    "detect_anomaly", "use_amp", "amp_bf16", "use_channels_last", "fast_matmul", "use_compile", "compile_mode",
    "high_order_degradations_debug", "high_order_degradations_debug_limit", "type", "dataroot_gt", "dataroot_lq",
    "meta_info", "meta_info_file", "io_backend", "filename_tmpl", "use_hflip", "use_rot", "use_shuffle",
    "num_worker_per_gpu", "batch_size_per_gpu", "batch_size", "accum_iter", "accumulate", "dataset_enlarge_ratio",
    "prefetch_mode", "num_prefetch_queue", "pin_memory", "phase", "mean", "std", "color",
}  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """A recipe as TOML text, and a line for each option that the recipe does not follow."""

    text: str
    notices: tuple[str, ...]


def import_recipe(path: Path) -> Imported:
    """The recipe that an option file's degradation amounts to; the text is not checked against the recipe language.

    Raises:
        UsageError: not a YAML table, no degradation in it, or an option missing or out of range; names file and option.
        UnsafeFileError: YAML that asks for more than plain values.
    """
    table = read_yaml(path)
    datasets = table.get("datasets")
    train = datasets.get("train") if isinstance(datasets, dict) else None
    train = {str(key): value for key, value in train.items()} if isinstance(train, dict) else {}
    options = OptionFile(path, {**train, **table})
    if not options.flag("high_order_degradation", True):
        cure = "the LR images of `dataroot_lq` are the degradation: pack them with `degrade pack`"
        raise UsageError(path, "high_order_degradation is false, so it degrades nothing", cure)
    if not any(name in options for name in _TELLTALE):
        cure = f"expected options such as {', '.join(_TELLTALE)}"
        raise UsageError(path, "states no degradation that is known here", cure)
    notices = tuple(_notices(options, table, train))
    lines = [
        *_header(options),
        *_sharpening(options),
        *round_text(options, 1),
        *round_text(options, 2),
        *last_text(options),
    ]
    return Imported("\n".join(lines) + "\n", notices)


def _notices(options: OptionFile, table: dict[str, Any], train: dict[str, Any]) -> Iterator[str]:
    for name in sorted({*table, *train} - _KNOWN - _NOT_DEGRADATION):
        if not name.startswith(("network_", "_")) and not _is_off(name, options):
            yield f"{printable(name)[:80]}: not known here, left out of the recipe"
    for name in sorted({*table} & {*train} & _KNOWN):
        if table[name] != train[name]:
            yield f"{name}: stated twice, and not alike; the one outside `datasets` is taken"
    for name in ("blur_kernel_size", "blur_kernel_size2"):
        if not options.is_redux and name in options and options.number(name, 1, 1e6) != SIZES[-1]:
            yield f"{name}: the training code never uses it; sizes are 7 to 21"
    if options.flag("percep_gt_usm", True) != options.flag("l1_gt_usm", True) and not options.is_redux:
        yield "percep_gt_usm: unlike l1_gt_usm, which the recipe follows; a pair has one target"


def _is_off(name: str, options: OptionFile) -> bool:
    """A chance of 0: what it is for never happens."""
    return name.endswith("_prob") and options.values.get(name) in (0, None)


def _header(options: OptionFile) -> Iterator[str]:
    name, file = str(options.values.get("name") or options.path.stem)[:100], printable(options.path.name)
    kind = "traiNNer-redux" if options.is_redux else "Real-ESRGAN"
    yield f"name = {value_text(name)}"
    yield f"source = {value_text(f'Option file {file} ({kind}), as its training code reads it')}"
    yield f"description = {value_text(f'Second-order degradation of {file}')}"
    yield f"scale = {options.whole('scale', 1, 16)}"
    yield f"margin = {MARGIN}  # ours: no option says how much surroundings a patch is made with"
    yield ""
    yield "# Made by `degrade recipes import`. Behind a number: the option it comes from."
    if not options.is_redux:
        yield "# Kernel sizes 7 to 21, the cutoffs of sinc and the resize filters stand in the training code."


def _sharpening(options: OptionFile) -> Iterator[str]:
    fixed: Fields = {"size": 51, "weight": 0.5, "threshold_8bit": 10}
    if options.is_redux:
        if options.flag("lq_usm", False):
            yield from step_text("lr", {"op": "unsharp_mask", "id": "sharpen", **_radii(options)}, "lq_usm")
    elif "l1_gt_usm" in options or options.values.get("model_type") == "RealESRGANModel":
        if options.flag("l1_gt_usm", True):
            comment = "l1_gt_usm, percep_gt_usm: the target is sharpened too."
            if not options.flag("gan_gt_usm", True):
                comment += "\ngan_gt_usm = false: the discriminator there sees the plain photo as real."
            yield from step_text("hr", {"op": "unsharp_mask", **fixed}, comment)
        else:
            comment = "l1_gt_usm = false: the target stays plain; LR is made of the sharpened photo in any case."
            yield from step_text("lr", {"op": "unsharp_mask", "id": "sharpen", **fixed}, comment)
    elif options.flag("gt_usm", False):
        yield from step_text("hr", {"op": "unsharp_mask", **fixed}, "gt_usm: the photo is sharpened first.")


def _radii(options: OptionFile) -> Fields:
    """lq_usm_radius_range is a range of kernel sizes, even ones plus 1; one of size 1 does nothing."""
    low, high = (int(end) for end in options.range("lq_usm_radius_range", 1, 255))
    counts = Counter(size | 1 for size in range(low, high + 1))
    idle = counts.pop(1, 0)
    fields: Fields = {"weight": 0.5, "threshold_8bit": 10}
    if not counts:
        return {"probability": 0, **fields, "size": 3}
    if idle:
        fields = {"probability": clean(1 - idle / (high - low + 1)), **fields}
    return {**fields, **any_of("size", list(counts), [float(count) for count in counts.values()])}
