"""How public layouts call the weights that our networks have, as patterns of keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

Tensors = Mapping[str, Tensor]
Renames = tuple[tuple[str, str], ...]  # a pattern of the whole key, and what it becomes; the first that fits


def renamed(key: str, rules: Renames) -> str:
    """`key` by the first of `rules` that fits, else as it is."""
    for pattern, replacement in rules:
        match = re.fullmatch(pattern, key)
        if match:
            return match.expand(replacement)
    return key


def count(tensors: Tensors, pattern: str) -> int:
    """How many parts are numbered at the group of `pattern`, at the start of keys: the largest number and one."""
    return 1 + max((int(match[1]) for match in map(re.compile(pattern).match, tensors) if match), default=-1)


def old_esrgan(tensors: Tensors) -> Renames:
    """The sequence is: first, trunk, (enlarge, convolution, activation) for each doubling, HR, activation, last."""
    blocks = max(int(key.split(".")[3]) for key in tensors if key.startswith("model.1.sub."))
    last = max(int(key.split(".")[1]) for key in tensors)
    doublings = tuple((rf"model\.{3 * n}\.(\w+)", rf"conv_up{n}.\1") for n in range(1, (last - 4) // 3 + 1))
    return (
        (r"model\.0\.(\w+)", r"conv_first.\1"),
        (rf"model\.1\.sub\.{blocks}\.(\w+)", r"conv_body.\1"),
        (r"model\.1\.sub\.(\d+)\.RDB(\d)\.(conv\d)\.0\.(\w+)", r"body.\1.rdb\2.\3.\4"),
        *doublings,
        (rf"model\.{last - 2}\.(\w+)", r"conv_hr.\1"),
        (rf"model\.{last}\.(\w+)", r"conv_last.\1"),
    )


MID_ESRGAN: Renames = (
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.(.+)", r"body.\1.rdb\2.\3"),
    (r"trunk_conv\.(\w+)", r"conv_body.\1"),
    (r"upconv(\d)\.(\w+)", r"conv_up\1.\2"),
    (r"HRconv\.(\w+)", r"conv_hr.\1"),
)


def basicsr_rcan(tensors: Tensors) -> Renames:
    groups, blocks = count(tensors, r"body\.(\d+)\."), count(tensors, r"body\.0\.residual_group\.(\d+)\.")
    block = r"body\.(\d+)\.residual_group\.(\d+)\.rcab"
    return (
        (r"conv_first\.(\w+)", r"head.0.\1"),
        (rf"{block}\.3\.attention\.1\.(\w+)", r"body.\1.body.\2.body.3.conv_du.0.\3"),
        (rf"{block}\.3\.attention\.3\.(\w+)", r"body.\1.body.\2.body.3.conv_du.2.\3"),
        (rf"{block}\.([02])\.(\w+)", r"body.\1.body.\2.body.\3.\4"),
        (r"body\.(\d+)\.conv\.(\w+)", rf"body.\1.body.{blocks}.\2"),
        (r"conv_after_body\.(\w+)", rf"body.{groups}.\1"),
        (r"upsample\.(\d)\.(\w+)", r"tail.0.\1.\2"),
        (r"conv_last\.(\w+)", r"tail.1.\1"),
    )


def basicsr_edsr(tensors: Tensors) -> Renames:
    blocks = count(tensors, r"body\.(\d+)\.")
    return (
        (r"conv_first\.(\w+)", r"head.0.\1"),
        (r"body\.(\d+)\.conv1\.(\w+)", r"body.\1.body.0.\2"),
        (r"body\.(\d+)\.conv2\.(\w+)", r"body.\1.body.2.\2"),
        (r"conv_after_body\.(\w+)", rf"body.{blocks}.\1"),
        (r"upsample\.(\d)\.(\w+)", r"tail.0.\1.\2"),
        (r"conv_last\.(\w+)", r"tail.1.\1"),
    )


LORNATANG_HEAD: Renames = (
    (r"trunk\.(\d+)\.rcb\.0\.(\w+)", r"trunk.\1.conv1.\2"),
    (r"trunk\.(\d+)\.rcb\.1\.(\w+)", r"trunk.\1.bn1.\2"),
    (r"trunk\.(\d+)\.rcb\.2\.(\w+)", r"trunk.\1.prelu.\2"),
    (r"trunk\.(\d+)\.rcb\.3\.(\w+)", r"trunk.\1.conv2.\2"),
    (r"trunk\.(\d+)\.rcb\.4\.(\w+)", r"trunk.\1.bn2.\2"),
    (r"upsampling\.(\d)\.upsample_block\.0\.(\w+)", r"upsampling.\1.conv.\2"),
    (r"upsampling\.(\d)\.upsample_block\.2\.(\w+)", r"upsampling.\1.prelu.\2"),
)
