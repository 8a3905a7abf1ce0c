"""Real-ESRGAN: its own dataset class draws the kernels and its own `feed_data` degrades, with its own option file.

On the CPU with one thread. Of its class only the queue of pairs is switched off. Needs checkouts of
xinntao/Real-ESRGAN and XPixelGroup/BasicSR in $PEERS, and PyYAML.
"""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch

from peers.generic import Absent, Patches, checkout
from peers.kornia import to_numpy
from peers.pairs import CROP, HR, PairWay, hollow, search_path


def prepare() -> list[PairWay]:
    try:
        import yaml
    except ImportError:
        raise Absent("pip install pyyaml") from None
    theirs, basicsr = checkout("Real-ESRGAN", "xinntao/Real-ESRGAN"), checkout("BasicSR", "XPixelGroup/BasicSR")
    torch.set_num_threads(1)
    options = yaml.safe_load((theirs / "options/train_realesrgan_x4plus.yml").read_text())
    model_code, dataset_code = _load(theirs, basicsr)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    dataset = _dataset(dataset_code.RealESRGANDataset, options["datasets"]["train"])
    own, mended = model_code.F, _Mended()
    make = _maker(model_code, dataset, options)

    def with_resize(functional: Any) -> Any:
        def called(crops: Patches) -> tuple[Patches, Patches]:
            model_code.F = functional
            return make(crops)

        return called

    return [
        *(PairWay(f"Real-ESRGAN's own code, batch {n}", "realesrgan", with_resize(own), n) for n in (1, 12)),
        PairWay("Real-ESRGAN's code with its resize mended", "realesrgan", with_resize(mended)),
    ]


class _Mended:
    """torch's resize as our recipe has it: mapped by the sizes, and `area` the mean over each pixel's own footprint.

    Torch maps by the drawn factor and then cuts to whole pixels, and its `area` averages whole pixels in bins that
    overlap: two wide where the ratio is near 1, where the exact share is hardly more than one.
    """

    def interpolate(
        self, image: torch.Tensor, size: tuple[int, int] | None = None, scale_factor: float = 1, mode: str = "area"
    ) -> torch.Tensor:
        height, width = image.shape[2:]
        size = size or (int(height * scale_factor), int(width * scale_factor))
        if mode != "area":
            return torch.nn.functional.interpolate(image, size=size, mode=mode)
        rows, columns = _shares(height, size[0]), _shares(width, size[1])
        return torch.einsum("ih,bchw,jw->bcij", rows, image, columns)


def _shares(length: int, outputs: int) -> torch.Tensor:
    edges = torch.arange(outputs + 1, dtype=torch.float64) * length / outputs
    pixels = torch.arange(length, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], pixels[None])
    high = torch.minimum(edges[1:, None], pixels[None] + 1)
    return ((high - low).clamp(min=0) * outputs / length).float()


def _load(theirs: Path, basicsr: Path) -> tuple[Any, Any]:
    for name in ("basicsr", "basicsr.data", "basicsr.models"):
        hollow(name, basicsr.joinpath(*name.split(".")))
    stand_in = ModuleType("basicsr.models.srgan_model")  # the base class trains; nothing of it is called here
    stand_in.SRGANModel = object  # type: ignore[attr-defined]
    sys.modules[stand_in.__name__] = stand_in
    version = ModuleType("basicsr.version")  # written at its build
    version.__version__, version.__gitsha__ = "0", "0"  # type: ignore[attr-defined]
    sys.modules[version.__name__] = version
    for name in ("realesrgan", "realesrgan.models", "realesrgan.data"):
        hollow(name, theirs.joinpath(*name.split(".")))
    with search_path(basicsr, theirs):
        model = importlib.import_module("realesrgan.models.realesrgan_model")
        return model, importlib.import_module("realesrgan.data.realesrgan_dataset")


def _dataset(cls: Any, options: dict[str, Any]) -> Any:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
        listing.write("one.png\n")
        listing.flush()
        dataset = cls({**options, "dataroot_gt": "", "meta_info": listing.name, "use_hflip": False})
    dataset.file_client = _Client()
    return dataset


class _Client:
    """Hands the dataset the crop of this turn in place of a file."""

    data = b""

    def get(self, path: str, client: str) -> bytes:
        return self.data


def _maker(model_code: Any, dataset: Any, options: dict[str, Any]) -> Any:
    utils = importlib.import_module("basicsr.utils")
    model = object.__new__(model_code.RealESRGANModel)
    model.opt, model.device, model.is_train = {**options, "gt_size": HR}, torch.device("cpu"), True
    model.jpeger, model.usm_sharpener = utils.DiffJPEG(differentiable=False), utils.USMSharp()
    model._dequeue_and_enqueue = lambda: None
    blur = importlib.import_module("basicsr.utils.img_process_util").filter2D
    model_code.filter2D = lambda image, kernel: blur(image.contiguous(), kernel)  # torch's resize may turn axes
    client = dataset.file_client

    def make(crops: Patches) -> tuple[Patches, Patches]:
        items = []
        for crop in crops:
            assert crop.shape == (CROP, CROP, 3)
            client.data = cv2.imencode(".bmp", crop[..., ::-1])[1].tobytes()
            items.append(dataset[0])
        keys = ("gt", "kernel1", "kernel2", "sinc_kernel")
        model.feed_data({key: torch.stack([item[key] for item in items]) for key in keys})
        return to_numpy(model.lq), to_numpy(model.gt_usm)

    return make
