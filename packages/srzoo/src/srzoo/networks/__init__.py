"""Networks that make SR from LR: one complete file each, no shared base.

Each takes (B, 3, h, w) RGB in [0, 1] and has `config`, `scale` and `receptive_radius`: how many LR pixels around a
pixel can change what becomes of it, None where pooling sees the whole picture.
"""

from typing import Any

from torch import nn

from srzoo.networks.compact import Compact, CompactConfig
from srzoo.networks.rcan import RCAN, RCANConfig
from srzoo.networks.skipres import SkipRes, SkipResConfig

NETWORKS: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "compact": (CompactConfig, Compact),
    "rcan": (RCANConfig, RCAN),
    "skipres": (SkipResConfig, SkipRes),
}
