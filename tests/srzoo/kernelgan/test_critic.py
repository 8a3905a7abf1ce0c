import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.kernelgan.critic import LinearPatchCritic


@pytest.fixture
def critic() -> LinearPatchCritic:
    return LinearPatchCritic(torch.Generator().manual_seed(0)).double()


def pictures(count: int = 2, side: int = 26) -> Tensor:
    return torch.rand(count, 3, side, side + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def plain(critic: LinearPatchCritic, picture: Tensor) -> Tensor:
    """The same from torch's own convolutions and batch norm, with exact singular values; one picture (1, 3, H, W)."""

    def limited(matrix: Tensor) -> Tensor:
        return matrix / torch.linalg.matrix_norm(matrix, ord=2)

    x = F.conv2d(picture, limited(critic.first[0]).view(64, 3, 7, 7))
    for weight, gain, offset in zip(critic.hidden, critic.gain, critic.offset, strict=True):
        norm = nn.BatchNorm2d(64).double()
        norm.weight.data, norm.bias.data = gain[:, 0], offset[:, 0]
        x = norm(F.conv2d(x, limited(weight)[:, :, None, None])).relu()
    return torch.sigmoid(F.conv2d(x, limited(critic.last)[:, :, None, None], critic.last_offset))


def test_it_is_the_published_critic_for_each_picture_of_a_batch(critic: LinearPatchCritic) -> None:
    for matrices, left in ((critic.first, critic.first_left), (critic.hidden, critic.hidden_left)):
        left.copy_(torch.linalg.svd(matrices.detach()).U[..., :1])  # where the power iteration would settle
    both = critic(pictures())
    assert both.shape == (2, 1, 20, 21)
    for picture, chances in zip(pictures(), both, strict=True):
        torch.testing.assert_close(chances, plain(critic, picture[None])[0], rtol=1e-9, atol=1e-9)


def test_it_has_the_published_parameters_less_the_idle_biases(critic: LinearPatchCritic) -> None:
    published = (64 * 147 + 64) + 5 * (64 * 64 + 64 + 128) + (64 + 1)
    assert sum(parameter.numel() for parameter in critic.parameters()) == published - 6 * 64 == 30_593


def test_a_second_forward_pass_leaves_the_first_ones_gradient(critic: LinearPatchCritic) -> None:
    state = {name: value.clone() for name, value in critic.state_dict().items()}
    alone = torch.autograd.grad(critic(pictures()).sum(), critic.first)[0]
    critic.load_state_dict(state)
    waiting = critic(pictures())
    critic(pictures(1))
    torch.testing.assert_close(torch.autograd.grad(waiting.sum(), critic.first)[0], alone, rtol=0, atol=0)
