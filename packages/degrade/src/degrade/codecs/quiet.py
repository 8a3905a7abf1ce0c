"""Pillow's warnings about odd metadata, kept from the user: what matters is checked here, before and after."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()  # the list of filters belongs to the whole process


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Nothing inside this warns, in any thread that does not warn elsewhere meanwhile."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
