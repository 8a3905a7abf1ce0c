import pytest
import torch

from srzoo.ema import averaged


def test_the_average_follows_the_closed_form_and_copies_buffers() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    weights = [network[0].weight.detach().clone()]
    average = averaged(network, 0.9)
    for step in range(1, 6):
        with torch.no_grad():
            network[0].weight += step
            network[1].running_mean += 1
        weights.append(network[0].weight.detach().clone())
        average.update(network)
    expected = weights[0]
    for weight in weights[1:]:
        expected = 0.9 * expected + 0.1 * weight
    torch.testing.assert_close(average.module[0].weight, expected)
    torch.testing.assert_close(average.module[1].running_mean, network[1].running_mean)
    assert not any(parameter.requires_grad for parameter in average.module.parameters())
    assert not average.module.training


@pytest.mark.parametrize("decay", [0.0, 1.0, -1.0])
def test_a_decay_outside_the_open_interval_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="decay"):
        averaged(torch.nn.Linear(1, 1), decay)
