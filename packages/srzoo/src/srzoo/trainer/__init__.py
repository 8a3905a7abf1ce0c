"""The one training loop, which knows no paper: `train(preset, options, watcher)`."""

from srzoo.trainer.context import Outcome, RunOptions
from srzoo.trainer.preflight import FaultsError
from srzoo.trainer.run import check, train
from srzoo.trainer.watcher import Pace, Progress, Watcher

__all__ = ["FaultsError", "Outcome", "Pace", "Progress", "RunOptions", "Watcher", "check", "train"]
