"""What a stage minimises. An objective yields losses; the trainer does all the stepping (`protocol.py`)."""

from typing import Any

from srzoo.objectives.degradation import Degradation, DegradationConfig
from srzoo.objectives.supervised import Supervised, SupervisedConfig

OBJECTIVES: dict[str, tuple[type[Any], type[Degradation | Supervised]]] = {
    "degradation": (DegradationConfig, Degradation),
    "supervised": (SupervisedConfig, Supervised),
}
"""Name -> (config of its `[loss]` table, class)."""
