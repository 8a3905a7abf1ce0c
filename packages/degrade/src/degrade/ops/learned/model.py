"""A learned model in memory: admitted, loaded, called. The only file that knows torch."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from degrade import assets
from degrade.card import Card
from degrade.errors import IntegrityError, ResourceError, UsageError
from degrade.ops.learned.lock import write_nothing
from degrade.trust import admit

if TYPE_CHECKING:
    import torch

Device = Literal["cpu", "cuda"]

_exact: dict[tuple[str, Device, tuple[int, ...]], bool] = {}  # whether a batch had the bits of its images alone


@lru_cache(maxsize=8)
def card_of(sha256: str) -> Card:
    """The card of a registered model that may be run.

    Raises:
        IntegrityError: not registered, changed since, or no degrader; UnsafeFileError: refused.
    """
    return _admitted(sha256)[0]


def forward(
    sha256: str, device: Device, given: Sequence[Sequence[NDArray[np.float32]]], size: tuple[int, int]
) -> NDArray[np.float32]:
    """What the model gives for several images, (B, 3, h, w) with h, w = `size`: for each to the bit what it is alone.

    Args:
        given: its inputs in their order, each a (C, H, W) for every image.

    Raises:
        IntegrityError: the model does not keep what its card promises. UsageError: no torch.
        ResourceError: no such device, or too little memory.
    """
    return _guarded(device, lambda: _forward(sha256, device, given, size))


def _forward(
    sha256: str, device: Device, given: Sequence[Sequence[NDArray[np.float32]]], size: tuple[int, int]
) -> NDArray[np.float32]:
    module = _module(sha256, device)
    import torch

    with _settled(device):
        tensors = [torch.from_numpy(np.stack(maps)).to(device) for maps in given]
        try:
            return _several(sha256, device, module, tensors, size).cpu().numpy()
        except RuntimeError as error:  # torch's own, for a lack of memory too
            text = str(error).strip().splitlines()[-1][:200]
            if "memory" in text:
                raise ResourceError("memory", text, "use smaller photos, or fewer --workers") from None
            raise _broken(sha256, f"cannot run on {tuple(tensors[0].shape)}: {text}") from None


def result_of(data: bytes, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whatever `forward` of a file that is trusted and passed the gate gives for one image (3, H, W), on the CPU.

    Raises:
        UsageError: no torch. RuntimeError: torch's own.
    """
    return _guarded("cpu", lambda: _result_of(data, image))


def _result_of(data: bytes, image: NDArray[np.float32]) -> NDArray[np.float32]:
    module = _loaded(data, "cpu")
    import torch

    with _settled("cpu"):
        return module(torch.from_numpy(image[None])).numpy()


def _guarded(device: Device, call: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Load and run where nothing can be written; torch itself is imported outside: it looks around when it starts."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UsageError("op 'learned'", "torch is not installed", "pip install 'degrade[learned]'") from None
    return write_nothing(call) if device == "cpu" else call()


def _several(
    sha256: str, device: Device, module: Any, tensors: Sequence[torch.Tensor], size: tuple[int, int]
) -> torch.Tensor:
    """All images in one call only where that is known to give the bits of each alone.

    Libraries choose an algorithm by the size of the batch, too, and other machines choose otherwise. So the first batch
    of a shape is made both ways.
    """
    import torch

    key = sha256, device, tuple(tensors[0].shape)
    if len(tensors[0]) == 1 or _exact.get(key):
        return _called(sha256, module, tensors, size)
    alone = [[tensor[n : n + 1] for tensor in tensors] for n in range(len(tensors[0]))]
    made = torch.cat([_called(sha256, module, inputs, size) for inputs in alone])
    if key not in _exact:
        _exact[key] = torch.equal(made, _called(sha256, module, tensors, size))
    return made


def _called(sha256: str, module: Any, tensors: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
    import torch

    made, expected = module(*tensors), (len(tensors[0]), 3, *size)
    if not isinstance(made, torch.Tensor) or tuple(made.shape) != expected or made.dtype != torch.float32:
        got = f"{tuple(made.shape)} {made.dtype}" if isinstance(made, torch.Tensor) else type(made).__name__
        raise _broken(sha256, f"gave {got}; its card promises {expected} torch.float32")
    if not torch.isfinite(made).all():
        raise _broken(sha256, "gave values that are not finite")
    return made


def _broken(sha256: str, problem: str) -> IntegrityError:
    return IntegrityError(assets.place(sha256, "model"), problem, "export it again with `srzoo export-degrader`")


def _admitted(sha256: str) -> tuple[Card, bytes]:
    path = assets.place(sha256, "model")
    admitted = admit(path)
    if admitted.sha256 != sha256:
        raise IntegrityError(path, "the model changed while it was in use", "start over with the model as it is now")
    return admitted.card, admitted.data


@lru_cache(maxsize=4)
def _module(sha256: str, device: Device) -> torch.jit.ScriptModule:
    return _loaded(_admitted(sha256)[1], device)


def _loaded(data: bytes, device: Device) -> torch.jit.ScriptModule:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ResourceError("cuda", "no such device here", "state device = 'cpu', whose bits differ a little")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.load")  # deprecated; the card names the format
        return torch.jit.load(io.BytesIO(data), map_location=device).eval()


@contextlib.contextmanager
def _settled(device: Device) -> Iterator[None]:
    """One thread, full precision, nothing fused and nothing tried out; what was set before is set again."""
    import torch

    backends, threads = torch.backends, torch.get_num_threads()
    exact: list[tuple[Any, str, Any]] = [
        (backends.mkldnn.conv, "fp32_precision", "ieee"),
        (backends.mkldnn.matmul, "fp32_precision", "ieee"),
    ]
    if device == "cuda":
        exact += [
            (backends.cudnn.conv, "fp32_precision", "ieee"),
            (backends.cuda.matmul, "fp32_precision", "ieee"),
            (backends.cudnn, "deterministic", True),
            (backends.cudnn, "benchmark", False),
        ]
    with contextlib.ExitStack() as stack:
        for place, name, value in exact:
            stack.callback(setattr, place, name, getattr(place, name))
            setattr(place, name, value)
        stack.enter_context(torch.inference_mode())
        stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(torch.jit.optimized_execution(False))  # type: ignore[reportPrivateImportUsage]  else it fuses
        stack.callback(torch.set_num_threads, threads)
        torch.set_num_threads(1)
        yield
