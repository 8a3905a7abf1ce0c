import pytest

from srzoo.trainer import clock as module
from srzoo.trainer.clock import Clock


class Hand:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(module, "time", hand)
    return hand


def test_pauses_and_the_first_slow_steps_do_not_count_for_the_rate(hand: Hand) -> None:
    clock = Clock()
    clock.start()
    for seconds in (9, 5, 3, 0.5, 0.5, 0.5):
        hand.now += seconds
        clock.step()
        with clock.paused():
            hand.now += 60
    assert clock.rate == pytest.approx(2.0)
    assert clock.seconds == pytest.approx(18.5)


def test_the_first_guess_comes_once_after_enough_steps_or_seconds(hand: Hand) -> None:
    for seconds, expected in ((0.01, 15), (3.0, 5)):
        clock = Clock()
        clock.start()
        guesses = []
        for step in range(1, 40):
            hand.now += seconds
            clock.step()
            if clock.is_first_guess():
                guesses.append(step)
        assert guesses == [expected]
