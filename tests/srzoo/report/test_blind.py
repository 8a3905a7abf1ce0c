"""A blind study: no names in the page, a key beside it, the same bytes from the same seed."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from degrade import codecs
from srzoo.errors import UsageError
from srzoo.report.blind import Study, blind_study
from srzoo.report.opinions import opinions
from srzoo.report.ratings import By, read_key, read_ratings
from srzoo.report.trials import Entry, Trial, trials_of

METHODS = {"alphanet": "runs/alphanet", "betanet": "runs/betanet", "gammanet": "runs/gammanet"}


def trials(count: int = 3, *, truth: bool = True) -> list[Trial]:
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        pictures = [rng.integers(0, 256, (12, 16, 3), np.uint8) for _ in range(4)]
        results = dict(zip(METHODS, pictures, strict=False))
        made += trials_of(
            Entry(f"holiday{number}", results, pictures[0][::4, ::4].copy(), pictures[3] if truth else None), 0
        )
    return made


def study(*, by: By = "score", seed: int = 0, truth: bool = True) -> Study:
    return blind_study(trials(truth=truth), METHODS, by=by, seed=seed)


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="study">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_names_neither_methods_nor_photographs_and_asks_for_nothing() -> None:
    html = study().html
    for name in (*METHODS, "holiday", "runs/"):
        assert name not in html
        assert base64.b64encode(name.encode()).decode().rstrip("=") not in html
    assert not re.search(r"https?://|@import|url\(", html)
    assert "default-src 'none'" in html


def test_the_key_finds_the_method_of_every_picture() -> None:
    made = study()
    shown = {one["photo"]: one for one in data_of(made.html)["trials"]}
    assert data_of(made.html)["study"] == made.key.study
    for known, trial in zip(made.key.photos, trials(), strict=True):
        assert known.photo == trial.photo
        candidates = shown[known.token]["candidates"]
        assert sorted(known.methods.values()) == sorted(METHODS)
        for one in candidates:
            pixels = codecs.decode(base64.b64decode(one["uri"].partition(",")[2]), "embedded").pixels
            np.testing.assert_array_equal(pixels, trial.made[known.methods[one["token"]]])


def test_the_place_in_the_page_tells_nothing_of_the_method() -> None:
    photos = blind_study(trials(12), METHODS).key.photos
    assert len({tuple(one.methods.values()) for one in photos}) > 2  # the order of tokens is that in the page


def test_the_same_arguments_give_the_same_bytes_and_others_another_study() -> None:
    assert study() == study()
    others = [study(seed=1), study(by="rank"), study(truth=False)]
    assert len({study().key.study, *(one.key.study for one in others)}) == 4


@pytest.mark.parametrize("number", [1, 10])
def test_a_study_has_two_to_nine_methods(number: int) -> None:
    with pytest.raises(UsageError, match=f"--rate: {number} methods - give two to 9"):
        blind_study(trials(), {str(k): "" for k in range(number)})


RATE_ALL = """
const place = (n) => document.querySelectorAll(".place")[n];
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name }));
find("rater").value = "Ann";
find("begin").click();
for (const trial of trials) {
  ASK
  key("n");
}
document.body.insertAdjacentHTML("beforeend", "<pre id=dump></pre>");
find("dump").textContent = btoa(JSON.stringify([asFile(), find("done").textContent, fromFile(asFile()), answers]));
"""
ASKS = {
    "score": 'for (const score of "420") key(score);',
    "rank": 'for (const letter of "cab") key(letter);',
    "both": 'for (const score of "420") key(score); for (const n of [2, 0, 1]) place(n).click();',
}


@pytest.mark.slow
@pytest.mark.parametrize("by", ["score", "rank", "both"])
def test_a_browser_writes_ratings_that_are_read(by: By, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs chromium")
    made = study(by=by)
    script = RATE_ALL.replace("ASK", ASKS[by])
    (tmp_path / "page.html").write_text(made.html.replace("</body>", f"<script>{script}</script></body>"))
    (tmp_path / "key.json").write_text(made.key.as_json())
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={tmp_path}/profile"]
    url = (tmp_path / "page.html").as_uri() + "#seed=7"
    ended = subprocess.run([browser, *arguments, url], capture_output=True, text=True, timeout=120, check=True)
    dumped = re.search(r'<pre id="dump">(.*?)</pre>', ended.stdout)
    assert dumped, ended.stderr[-2000:]
    written, thanks, read_back, answers = json.loads(base64.b64decode(dumped[1]))
    assert thanks == "All photographs are rated. Thank you!"
    assert (written["seed"], written["rater"], len(written["photos"])) == (7, "Ann", 3)
    assert read_back["photos"].keys() == answers["photos"].keys()  # going on from the file loses nothing
    for photo, answer in answers["photos"].items():
        assert read_back["photos"][photo]["scores"] == answer["scores"]
        assert read_back["photos"][photo]["ranking"] == answer["ranking"]
    (tmp_path / "r.json").write_text(json.dumps(written))
    key = read_key(tmp_path / "key.json")
    found = read_ratings(tmp_path / "r.json", key)
    assert len({one.order for one in found.photos}) == 3
    for one in found.photos:
        assert one.scores == (None if by == "rank" else (4, 2, 0))
        assert one.ranks == (None if by == "score" else (2, 3, 1))
    assert opinions(key, [found]).judgements == 3
