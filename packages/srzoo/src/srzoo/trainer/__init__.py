"""The one training loop, which knows no paper: `train(preset, options, watcher)`."""

from srzoo.trainer.context import Outcome, RunOptions
from srzoo.trainer.run import train
from srzoo.trainer.watcher import Pace, Progress, Watcher

__all__ = ["Outcome", "Pace", "Progress", "RunOptions", "Watcher", "train"]
