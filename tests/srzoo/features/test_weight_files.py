"""Files of tensors: what is unwrapped, where caches are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from srzoo.errors import ModelFileError
from srzoo.features.weight_files import find_cached, read_tensors


@pytest.mark.parametrize("wrapper", [None, "state_dict", "params"])
def test_wrapped_and_bare_tables_read_alike(tmp_path: Path, wrapper: str | None) -> None:
    table = {"a": torch.ones(2)}
    torch.save(table if wrapper is None else {wrapper: table, "epoch": 3}, tmp_path / "w.pth")
    assert read_tensors(tmp_path / "w.pth", "a net")["a"].tolist() == [1, 1]


def test_what_is_no_table_names_the_model(tmp_path: Path) -> None:
    torch.save([torch.ones(2)], tmp_path / "w.pth")
    with pytest.raises(ModelFileError, match=r"w\.pth: holds a list, not named tensors - give AlexNet's state dict"):
        read_tensors(tmp_path / "w.pth", "AlexNet")


def test_torchs_cache_is_searched_by_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert find_cached("alexnet-*.pth") is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "alexnet-owt-7be5be79.pth").touch()
    assert find_cached("alexnet-*.pth") == tmp_path / "checkpoints" / "alexnet-owt-7be5be79.pth"
    assert find_cached("vgg16-*.pth") is None
