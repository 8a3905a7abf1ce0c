"""What a stage minimises. An objective yields losses; the trainer does all the stepping (`protocol.py`)."""

from typing import Any

from srzoo.objectives.cyclegan import CycleGAN, CycleGANConfig
from srzoo.objectives.ddnsr import DDNSR, DDNSRConfig
from srzoo.objectives.degradation import Degradation, DegradationConfig
from srzoo.objectives.dsgan import DSGAN, DSGANConfig
from srzoo.objectives.protocol import Objective
from srzoo.objectives.srdgan import SRDGAN, SRDGANConfig
from srzoo.objectives.supervised import Supervised, SupervisedConfig

OBJECTIVES: dict[str, tuple[type[Any], type[Objective]]] = {
    "cyclegan": (CycleGANConfig, CycleGAN),
    "ddnsr": (DDNSRConfig, DDNSR),
    "degradation": (DegradationConfig, Degradation),
    "dsgan": (DSGANConfig, DSGAN),
    "srdgan": (SRDGANConfig, SRDGAN),
    "supervised": (SupervisedConfig, Supervised),
}
"""Name -> (config of its `[loss]` table, class)."""
