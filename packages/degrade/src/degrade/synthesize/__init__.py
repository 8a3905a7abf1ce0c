"""Many pairs from many photographs: the plan, the work, its resumption, and the shards that come of it.

`degrade.synthesize(...)` is the function `synthesize` here: this module can be called, so that the name
serves both the folder and what it does.
"""

from __future__ import annotations

import sys
from types import ModuleType

from degrade.synthesize.run import Summary, synthesize

__all__ = ["Summary", "synthesize"]


class _Callable(ModuleType):
    __call__ = staticmethod(synthesize)


sys.modules[__name__].__class__ = _Callable
