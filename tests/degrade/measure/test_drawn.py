"""What is counted of traces."""

from __future__ import annotations

from degrade.measure.drawn import count_draws, histograms, summary


def trace(a: float, **more: object) -> dict:
    return {"steps": [{"op": "o", "id": "o0", "a": a, "size": 15, "noise_key": "00", **more}]}


def test_without_a_recipe_every_number_is_kept_and_text_counted() -> None:
    counts = count_draws({"steps": [{"op": "o", "id": "o0", "a": a, "b": "x" if a else "y"}]} for a in (0, 1, 2))
    assert summary(counts) == {
        "o0": {"op": "o", "ran": 3, "values": {"a": {"least": 0, "mean": 1, "most": 2}, "b": {"x": 2, "y": 1}}}
    }


def test_settings_that_never_differ_are_left_out_unless_the_recipe_draws_them() -> None:
    traces = [trace(a) for a in (1.0, 2.0)]
    assert set(count_draws(traces, {"o0": frozenset({"a"})})["o0"].numbers) == {"a"}
    assert set(count_draws(traces, {"o0": frozenset({"a", "size"})})["o0"].numbers) == {"a", "size"}
    assert set(count_draws(traces)["o0"].numbers) == {"a", "size"}


def test_numbers_that_differ_are_kept_under_names_the_recipe_does_not_know() -> None:
    """A field `shift` that is drawn as red, green and blue."""
    counts = count_draws([trace(1.0, red=r, gains=[r, 2]) for r in (3, 5)], {"o0": frozenset({"shift"})})
    assert set(counts["o0"].numbers) == {"red", "gains[0]"}


def test_yes_and_no_are_words_and_long_lists_are_nothing() -> None:
    counts = count_draws([trace(1.0, flip=flip, taps=[0.1] * 9) for flip in (True, False, True)])
    assert counts["o0"].words == {"flip": {"yes": 2, "no": 1}}
    assert not any("taps" in name for name in counts["o0"].numbers)


def test_steps_stand_in_the_order_of_the_recipe_and_hr_steps_count() -> None:
    step = {"op": "p", "id": "p0"}
    counts = count_draws([{**trace(1.0), "hr_steps": [step]}], {"o0": frozenset(), "p0": frozenset()})
    assert list(counts) == ["o0", "p0"]


def test_a_histogram_holds_every_run() -> None:
    found = histograms(count_draws([trace(float(a)) for a in range(100)]))["o0"]["values"]["a"]
    assert found["counts"] == [5] * 20
    assert (found["least"], found["median"], found["most"]) == (0, 49.5, 99)
