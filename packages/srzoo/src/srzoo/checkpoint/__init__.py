"""What a run leaves on disk: model files (`models.py`) and the state to go on from (`states.py`)."""

from srzoo.checkpoint.models import Model, load_degrader, load_model, read_metadata, save_model
from srzoo.checkpoint.states import State, newest_state, prune_states, save_state

__all__ = [
    "Model",
    "State",
    "load_degrader",
    "load_model",
    "newest_state",
    "prune_states",
    "read_metadata",
    "save_model",
    "save_state",
]
