"""BasicSR's training loop: its `SRModel`, sampler, crops, flips and prefetcher, one iteration a call.

Its archs and datasets are not imported (they ask for an older torchvision): the network is given, the pairs come from
our shards, which spares it the decoding of pictures.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from degrade.shards import open_shards
from peers.generic import checkout

ORIGIN = "XPixelGroup/BasicSR"
_PACKAGES = ("basicsr", "basicsr.archs", "basicsr.data", "basicsr.metrics", "basicsr.models")
_PRINT_FREQ = 100


def prepare(
    folder: Path, network: Callable[[], nn.Module], *, batch: int, patch: int, ema: float, workers: int
) -> Callable[[], int]:
    """A call that trains one iteration and returns 1.

    Args:
        folder: shards. network: makes the network, twice: it keeps an average.
        batch, patch, ema: as in our preset; L1, Adam, constant rate.
    """
    source = _imported(checkout("BasicSR", ORIGIN), network)
    options = {
        "name": "debug",
        "num_gpu": 0,
        "is_train": True,
        "dist": False,
        "rank": 0,
        "world_size": 1,
        "network_g": {},
        "path": {},
        "logger": {"print_freq": _PRINT_FREQ, "use_tb_logger": False},
        "train": {
            "ema_decay": ema,
            "optim_g": {"type": "Adam", "lr": 1e-4, "weight_decay": 0, "betas": [0.9, 0.999]},
            "scheduler": {"type": "MultiStepLR", "milestones": [10**9], "gamma": 0.5},
            "pixel_opt": {"type": "L1Loss", "loss_weight": 1.0, "reduction": "mean"},
            "total_iter": 10**9,
        },
    }
    logging.getLogger("basicsr").setLevel(logging.ERROR)
    model = source.SRModel(options)
    dataset = _Dataset(folder, source, patch)
    sampler = source.EnlargedSampler(dataset, 1, 0, 1000)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=batch, shuffle=False, num_workers=workers, sampler=sampler, drop_last=True
    )
    turns = _iterations(model, source.CPUPrefetcher(loader), source, options)
    return lambda: next(turns)


def _iterations(model: Any, prefetcher: Any, source: Any, options: dict[str, Any]) -> Iterator[int]:
    """The body of `train_pipeline`, without saving and validating."""
    message = source.MessageLogger(options, 0, None)
    data_timer, iter_timer = source.AvgTimer(), source.AvgTimer()
    message.start_time, step = time.time(), 0
    batch = prefetcher.next()
    while batch is not None:
        data_timer.record()
        step += 1
        model.update_learning_rate(step, warmup_iter=-1)
        model.feed_data(batch)
        model.optimize_parameters(step)
        iter_timer.record()
        if step % _PRINT_FREQ == 0:
            times = {"time": iter_timer.get_avg_time(), "data_time": data_timer.get_avg_time()}
            message({"epoch": 0, "iter": step, "lrs": model.get_current_learning_rate(), **times, **model.log_dict})
        data_timer.start()
        iter_timer.start()
        batch = prefetcher.next()
        yield 1


class _Dataset(torch.utils.data.Dataset):
    """As its `PairedImageDataset`, from the floats of a decoded pair on."""

    def __init__(self, folder: Path, source: Any, patch: int) -> None:
        self._pairs, self._source, self._patch = open_shards(folder), source, patch

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        lq, gt = (pixels.astype(np.float32) / 255.0 for pixels in self._pairs.read(index))
        gt, lq = self._source.paired_random_crop(gt, lq, self._patch, self._pairs.scale, "")
        gt, lq = self._source.augment([gt, lq], True, True)
        gt, lq = self._source.img2tensor([gt, lq], bgr2rgb=False, float32=True)
        return {"lq": lq, "gt": gt}


def _imported(root: Path, network: Callable[[], nn.Module]) -> Any:
    """What is used of it, imported from the checkout with packages that run none of their own `__init__`."""
    for name in [name for name in sys.modules if name.split(".")[0] == "basicsr"]:
        del sys.modules[name]  # an earlier call's, which holds its network
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[name] = package
    vars(sys.modules["basicsr.archs"])["build_network"] = lambda _: network()
    vars(sys.modules["basicsr.metrics"])["calculate_metric"] = None
    found = ModuleType("basicsr_train")
    for module in ("models.sr_model", "data.data_sampler", "data.prefetch_dataloader", "data.transforms", "utils"):
        vars(found).update(vars(importlib.import_module(f"basicsr.{module}")))
    return found
