"""The one door to Numba: `jit`, with the settings that make results the same on every machine.

Strict floats (no fastmath, no contraction), no parallel reductions, the GIL released. Compiled code is
kept in a folder of the user's own; a broken or read-only cache costs a compilation, never a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Where compiled code is kept: `$DEGRADE_CACHE`, else the user's cache folder."""
    stated = os.environ.get("DEGRADE_CACHE")
    root = Path(stated) if stated else Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return root / "degrade" / "numba"


def _private_folder() -> str | None:
    """The cache folder if it can be made ours alone, else None: cached code runs, so no one else may write it."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid != os.getuid() or not os.access(folder, os.W_OK):
            return None
        folder.chmod(0o700)
    except (OSError, RuntimeError):
        return None
    return str(folder)


_folder = _private_folder()
if _folder is not None:
    os.environ.setdefault("NUMBA_CACHE_DIR", _folder)

import numba  # noqa: E402  the cache folder has to be set first
from numba.core import caching  # noqa: E402

_can_cache = _folder is not None


class _ForgivingIndex(caching.IndexDataCacheFile):
    """An index that drops a damaged entry instead of failing on every run until someone deletes it."""

    def load(self, key: Any) -> Any:
        try:
            return super().load(key)
        except Exception:  # truncated, empty or foreign content raises anything
            self.flush()
            return None

    def save(self, key: Any, data: Any) -> None:
        try:
            super().save(key, data)
        except Exception:  # disk full or read-only, or the index is damaged
            try:
                self.flush()
            except OSError:
                return


def jit(function: Function) -> Function:
    """Compile `function` at its first call. Positional arguments only; the result is bit-equal anywhere."""
    compiled: Any = numba.njit(nogil=True, fastmath=False, error_model="numpy")(function)
    if _can_cache:
        try:
            compiled.enable_caching()
            if isinstance(compiled._cache, caching.FunctionCache):
                compiled._cache._cache_file.__class__ = _ForgivingIndex
        except RuntimeError:  # no place to keep it: compile each time
            pass
    return compiled
