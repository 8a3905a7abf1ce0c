"""The diary of a run: `log.jsonl`, TensorBoard scalars and sample pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from degrade.atomic import resource_error, write_bytes
from degrade.codecs import Photo, write

LOG = "log.jsonl"


class Journal(AbstractContextManager["Journal"]):
    """Appends to the diary in `folder`; what an interrupted run wrote after `step`, its last saved one, is dropped."""

    def __init__(self, folder: Path, *, step: int) -> None:
        self._folder = folder
        self._log = folder / LOG
        kept = [line for line in _whole_lines(self._log) if json.loads(line)["step"] <= step]
        write_bytes(self._log, "".join(f"{line}\n" for line in kept).encode())
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1 if step else None)

    def write(self, record: Mapping[str, Any]) -> None:
        """One line of `log.jsonl`, and its numbers as scalars: `losses/<name>`, `psnr` ...

        Raises:
            ResourceError: no room, no permission.
        """
        step = record["step"]
        try:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            for key, value in record.items():
                if isinstance(value, Mapping):
                    for name, number in value.items():
                        self._board.add_scalar(f"{key}/{name}", number, step)
                elif isinstance(value, int | float) and key != "step":
                    self._board.add_scalar(key, value, step)
        except OSError as error:
            raise resource_error(self._log, error) from None

    def picture(self, step: int, pixels: NDArray[np.uint8], role: str = "") -> None:
        """An (H, W, 3) picture, as `samples/[<role>-]step-....png` and in TensorBoard.

        Raises:
            ResourceError: no room, no permission.
        """
        path = self._folder / "samples" / f"{role and f'{role}-'}step-{step:06d}.png"
        try:
            path.parent.mkdir(exist_ok=True)
            write(path, Photo(pixels), overwrite=True)
            self._board.add_image(f"samples{role and f'/{role}'}", pixels, step, dataformats="HWC")
        except OSError as error:
            raise resource_error(path, error) from None

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what is left to write of it is no reason to fail
            self._board.close()


def _whole_lines(path: Path) -> list[str]:
    """The lines of `path` that are whole JSON: a kill can leave half a last one."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if isinstance(json.loads(line).get("step"), int):
                lines.append(line)
        except (ValueError, AttributeError):
            continue
    return lines
