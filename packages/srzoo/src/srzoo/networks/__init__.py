"""Networks that make SR from LR: one complete file each, no shared base.

Each takes (B, 3, h, w) RGB in [0, 1] and has `config`, `scale` and `receptive_radius`: how many LR pixels around a
pixel can change what becomes of it, None where there is no such number: pooling sees the whole picture, or what a pixel
becomes depends on where it lies. Those that work on luma take (B, 1, h, w) as well.
"""

from typing import Any

from torch import nn

from srzoo.networks.compact import Compact, CompactConfig
from srzoo.networks.edsr import EDSR, EDSRConfig
from srzoo.networks.plksr import PLKSR, PLKSRConfig
from srzoo.networks.rcan import RCAN, RCANConfig
from srzoo.networks.rcan_dml import DMLRCAN, DMLRCANConfig
from srzoo.networks.rrdb import RRDBConfig, RRDBNet
from srzoo.networks.skipres import SkipRes, SkipResConfig
from srzoo.networks.srcnn import SRCNN, SRCNNConfig
from srzoo.networks.srresnet import SRResNet, SRResNetConfig
from srzoo.networks.vdsr import VDSR, VDSRConfig

NETWORKS: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "compact": (CompactConfig, Compact),
    "edsr": (EDSRConfig, EDSR),
    "plksr": (PLKSRConfig, PLKSR),
    "rcan": (RCANConfig, RCAN),
    "rcan_dml": (DMLRCANConfig, DMLRCAN),
    "rrdb": (RRDBConfig, RRDBNet),
    "skipres": (SkipResConfig, SkipRes),
    "srcnn": (SRCNNConfig, SRCNN),
    "srresnet": (SRResNetConfig, SRResNet),
    "vdsr": (VDSRConfig, VDSR),
}
