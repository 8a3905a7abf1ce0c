"""One thread inside, as many as before afterwards."""

from __future__ import annotations

import pytest
import torch

from srzoo.threads import one_thread


def fail_inside() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError


def test_as_many_threads_as_before_also_after_a_failure() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError):
            fail_inside()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
