"""A thread that cannot change a file: where learned models are loaded and run, behind the gate and the trust list.

The gate lets in no operator that writes. Should one get past it all the same, the system refuses: Landlock takes rights
from one thread (and those it starts) for good, while the others write their shards. So it costs a switch of threads a
call, no second process, no copy of pixels.

It holds on Linux 5.13 and later, on the CPU: a GPU's driver opens its devices for writing at any time. Elsewhere, and
in containers that forbid the calls, gate and list stand alone. Files may be read (libraries load parts of themselves
when they first need them), and memory and time are not limited. What TorchScript forks goes to a pool of torch's, which
is locked too unless another part of the program started it. Native code could leave the thread; TorchScript has none.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Result = TypeVar("Result")

# Numbers of the kernel's interface (linux/landlock.h), the same on all processors.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_EXECUTE = 1 << 0
_CHANGES = sum(1 << bit for bit in (1, *range(4, 13)))  # write, remove, make: file, folder, link, device, socket, pipe
_FILES = {1: _EXECUTE | _CHANGES, 2: 1 << 13, 3: 1 << 14}  # by version: then move elsewhere, truncate
_CONNECTIONS = {4: 0b11}  # TCP: bind, connect


def write_nothing(call: Callable[[], Result]) -> Result:
    """The result of `call`, made in the locked thread; one call at a time."""
    return _thread(os.getpid()).submit(call).result()


def landlock_version() -> int:
    """Of this system's Landlock; 0 where there is none, or it may not be asked."""
    if sys.platform != "linux":
        return 0
    return max(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION), 0)


@cache
def _thread(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "learned", initializer=_lock)


def _lock() -> None:
    """Take the right to change anything from this thread, where the system can."""
    if not (version := landlock_version()):
        return
    system = ctypes.CDLL(None)
    files, connections = (_known(table, version) for table in (_FILES, _CONNECTIONS))
    handled = struct.pack("=Q", files) + (struct.pack("=Q", connections) if connections else b"")
    rules = system.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if rules >= 0:  # no rule is added: what is handled is allowed nowhere
        system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        system.syscall(_RESTRICT_SELF, rules, 0)
        os.close(rules)


def _known(rights: dict[int, int], version: int) -> int:
    """Those that the kernel's version of Landlock knows."""
    return sum(bits for since, bits in rights.items() if since <= version)
