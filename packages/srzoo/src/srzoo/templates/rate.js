const study = JSON.parse(document.getElementById("study").textContent);
const asksScores = study.by !== "rank";
const asksRanks = study.by !== "score";
const shelf = `srzoo-ratings-${study.study}`; // of localStorage
const find = (id) => document.getElementById(id);
const letter = (index) => String.fromCharCode(65 + index);

// ---- orders: the same seed gives the same ones

function random(seed) { // mulberry32: uniform in [0, 1)
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, draw) { // Fisher and Yates
  const result = [...list];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(draw() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

function ordered(seed) {
  const draw = random(seed);
  return shuffled(study.trials, draw).map((trial) => ({ ...trial, candidates: shuffled(trial.candidates, draw) }));
}

// ---- answers, kept in the browser after every one

let answers; // { seed, rater, saved, photos: { photo: { scores: { token: 0..5 }, ranking: [token, ...], seconds } } }
let trials;
let isKept = true;

function newAnswers() {
  const stated = /^#seed=(\d+)$/.exec(location.hash); // to see a certain order
  const seed = stated ? Number(stated[1]) >>> 0 : crypto.getRandomValues(new Uint32Array(1))[0];
  return { seed, rater: "", saved: true, photos: {} };
}

function take(found) {
  answers = found;
  trials = ordered(answers.seed);
}

function keep() {
  try {
    localStorage.setItem(shelf, JSON.stringify(answers));
    isKept = true;
  } catch {
    if (isKept) warn("This browser keeps nothing of this page. Save your answers to a file before you close or reload it.");
    isKept = false;
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(shelf));
  } catch {
    return null;
  }
}

function changed() {
  count();
  answers.saved = false;
  keep();
}

function warn(text) {
  find("warning").textContent = text;
  find("warning").hidden = false;
}

const answerTo = (trial) => (answers.photos[trial.photo] ??= { scores: {}, ranking: [], seconds: 0 });
const isBegun = (trial) => {
  const answer = answers.photos[trial.photo];
  return Boolean(answer && (Object.keys(answer.scores).length || answer.ranking.length));
};
const isFinished = (trial) => {
  const answer = answers.photos[trial.photo];
  if (!answer) return false;
  const count = trial.candidates.length;
  return (!asksScores || Object.keys(answer.scores).length === count) && (!asksRanks || answer.ranking.length === count);
};

// ---- files

function asFile() {
  const photos = trials.filter(isBegun).map((trial) => {
    const answer = answers.photos[trial.photo];
    const order = trial.candidates.map((one) => one.token);
    return {
      photo: trial.photo,
      order,
      scores: asksScores ? order.map((token) => answer.scores[token] ?? null) : null,
      ranks: asksRanks ? order.map((token) => answer.ranking.indexOf(token) + 1 || null) : null,
      seconds: Math.round(10 * answer.seconds) / 10,
    };
  });
  const head = { format: "srzoo-ratings", version: study.version, study: study.study };
  return { ...head, seed: answers.seed, rater: answers.rater, photos };
}

function fromFile(file) { // throws where it is none of this study
  if (file.format !== "srzoo-ratings" || file.version !== study.version) throw new Error("This is no file of ratings.");
  if (file.study !== study.study) throw new Error("These ratings are of another study.");
  const photos = {};
  for (const one of file.photos) {
    const ranked = one.order.map((token, index) => [one.ranks?.[index], token]).filter(([rank]) => rank);
    photos[one.photo] = {
      scores: Object.fromEntries(one.order.map((token, index) => [token, one.scores?.[index]]).filter(([, score]) => score != null)),
      ranking: ranked.sort(([a], [b]) => a - b).map(([, token]) => token),
      seconds: one.seconds,
    };
  }
  return { seed: file.seed, rater: file.rater, saved: true, photos };
}

function save() {
  count();
  const name = answers.rater.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  const link = document.createElement("a");
  link.download = `ratings${name ? `-${name}` : ""}.json`;
  link.href = `data:application/json;charset=utf-8,${encodeURIComponent(`${JSON.stringify(asFile(), null, 1)}\n`)}`;
  link.click();
  answers.saved = true;
  keep();
  find("saved").textContent = `Handed to the browser as ${link.download}.`;
}

// ---- the pages: start, a trial, end

const zoom = zoomable(find("trial"));
let at = 0; // of trials
let current = 0; // of candidates
let since = null; // when the trial came into sight

function count() { // the seconds of the trial that is in sight
  if (since !== null) answerTo(trials[at]).seconds += (performance.now() - since) / 1000;
  since = document.hidden || find("trial").hidden ? null : performance.now();
}

function open(page) {
  count();
  for (const id of ["start", "trial", "end"]) find(id).hidden = id !== page;
  since = null;
  scrollTo(0, 0);
}

function openStart() {
  open("start");
  const number = trials.filter(isFinished).length;
  const who = answers.rater ? ` of ${answers.rater}` : "";
  const there = trials.some(isBegun);
  find("kept").textContent = there ? `Answers${who} are kept here: ${number} of ${trials.length} photographs finished.` : "";
  find("begin").textContent = there ? "Go on" : "Begin";
  find("anew").hidden = !there;
  find("rater").value = answers.rater;
}

function openTrial(index) {
  open("trial");
  at = index;
  current = 0;
  const trial = trials[at];
  const context = trial.context.map((one) => pane(one.label, one.uri, trial, one.input));
  const candidates = trial.candidates.map((one, place) => candidate(one, place, trial));
  find("panes").replaceChildren(...context, ...candidates);
  zoom.fit();
  showAnswers();
  count();
  find("number").focus({ preventScroll: true });
}

function openEnd() {
  open("end");
  keep();
  const left = trials.map((trial, index) => [trial, index]).filter(([trial]) => !isFinished(trial));
  find("done").textContent = left.length ? `Not finished: ${left.length} of ${trials.length} photographs` : "All photographs are rated. Thank you!";
  const links = left.slice(0, 40).map(([, index]) => {
    const button = element("button", { type: "button", textContent: `Photograph ${index + 1}` });
    button.addEventListener("click", () => openTrial(index));
    return button;
  });
  find("missing").replaceChildren(...(links.length ? [element("div", { className: "moves" }, links)] : []));
  find("done").focus();
}

function element(name, properties = {}, children = []) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function pane(label, uri, trial, isInput) {
  const image = element("img", { src: uri, alt: "", draggable: false });
  if (isInput) image.dataset.input = "1";
  const window = element("div", { className: "pane", tabIndex: 0, role: "img", ariaLabel: label }, [image]);
  window.style.aspectRatio = `${trial.width} / ${trial.height}`;
  return element("figure", { className: "context" }, [window, element("figcaption", {}, [label])]);
}

function candidate(one, place, trial) {
  const name = `Version ${letter(place)}`;
  const figure = pane(name, one.uri, trial, false);
  figure.className = "candidate";
  if (asksScores) {
    const choices = [0, 1, 2, 3, 4, 5].map((score) => {
      const input = element("input", { type: "radio", name: `score-${place}`, value: String(score), ariaLabel: `${name}: ${score}` });
      input.addEventListener("change", () => setScore(place, score));
      return element("label", {}, [input, element("span", { textContent: String(score) })]);
    });
    figure.append(element("fieldset", { className: "scores", ariaLabel: `Score of ${name}, 0 to 5` }, choices));
  }
  if (asksRanks) {
    const button = element("button", { type: "button", className: "place" });
    button.addEventListener("click", () => toggleRank(place));
    figure.append(button);
  }
  figure.addEventListener("focusin", () => setCurrent(place));
  return figure;
}

function setCurrent(place) {
  current = place;
  [...find("panes").querySelectorAll(".candidate")].forEach((figure, index) => figure.classList.toggle("current", index === place));
}

function setScore(place, score) {
  const trial = trials[at];
  answerTo(trial).scores[trial.candidates[place].token] = score;
  changed();
  showAnswers();
}

function toggleRank(place) {
  const answer = answerTo(trials[at]);
  const token = trials[at].candidates[place].token;
  answer.ranking = answer.ranking.includes(token) ? answer.ranking.filter((one) => one !== token) : [...answer.ranking, token];
  changed();
  showAnswers();
}

function showAnswers() {
  const trial = trials[at];
  const answer = answers.photos[trial.photo] ?? { scores: {}, ranking: [] };
  [...find("panes").querySelectorAll(".candidate")].forEach((figure, place) => {
    const token = trial.candidates[place].token;
    for (const input of figure.querySelectorAll("input")) input.checked = Number(input.value) === answer.scores[token];
    const rank = answer.ranking.indexOf(token) + 1;
    const button = figure.querySelector(".place");
    if (button) {
      button.textContent = rank ? `Place ${rank} (undo)` : `Put on place ${answer.ranking.length + 1}`;
      button.setAttribute("aria-pressed", String(rank > 0));
    }
  });
  setCurrent(current);
  find("number").textContent = `Photograph ${at + 1} of ${trials.length}`;
  find("progress").max = trials.length;
  find("progress").value = trials.filter(isFinished).length;
  find("previous").disabled = at === 0;
  find("next").textContent = at + 1 === trials.length ? "To the end" : isFinished(trial) ? "Next" : "Next, leave this open";
}

function move(step) {
  if (at + step >= trials.length) openEnd();
  else if (at + step >= 0) openTrial(at + step);
}

function begin() {
  answers.rater = find("rater").value.trim();
  keep();
  const first = trials.findIndex((trial) => !isFinished(trial));
  if (first < 0) openEnd();
  else openTrial(first);
}

function anotherRater() {
  const fate = answers.saved ? "They have been saved to a file." : "They have NOT been saved to a file.";
  if (trials.some(isBegun) && !confirm(`Delete the last rater's answers from this browser? ${fate}`)) return;
  take(newAnswers());
  keep();
  openStart();
}

find("begin").addEventListener("click", begin);
find("rater").addEventListener("keydown", (event) => { if (event.key === "Enter") begin(); });
find("anew").addEventListener("click", anotherRater);
find("restart").addEventListener("click", anotherRater);
find("previous").addEventListener("click", () => move(-1));
find("next").addEventListener("click", () => move(1));
find("back").addEventListener("click", () => openTrial(0));
for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", save);
find("load").addEventListener("change", async (event) => {
  const text = "The answers that are here are not saved to a file. Replace them?";
  try {
    const found = fromFile(JSON.parse(await event.target.files[0].text()));
    if (!answers.saved && !confirm(text)) return;
    take(found);
    keep();
    openStart();
  } catch (error) {
    warn(error instanceof SyntaxError || error instanceof TypeError ? "This is no file of ratings." : error.message);
  } finally {
    event.target.value = "";
  }
});

addEventListener("keydown", (event) => {
  if (find("trial").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toUpperCase();
  const place = key.length === 1 ? key.charCodeAt(0) - 65 : -1;
  const candidates = trials[at].candidates.length;
  if (key === "N") move(1);
  else if (key === "P") move(-1);
  else if (asksScores && /^[0-5]$/.test(key)) {
    setScore(current, Number(key));
    setCurrent((current + 1) % candidates);
  } else if (place >= 0 && place < candidates) {
    setCurrent(place);
    if (!asksScores) toggleRank(place);
    find("panes").querySelectorAll(".candidate")[place].scrollIntoView({ block: "nearest" });
  } else return;
  event.preventDefault();
});
addEventListener("visibilitychange", () => { count(); keep(); });
addEventListener("beforeunload", (event) => { if (!isKept && !answers.saved) event.preventDefault(); });
addEventListener("storage", (event) => {
  if (event.key === shelf) warn("This study is open in another tab, too, and answers given here and there replace each other. Close one and reload the other.");
});

take(kept() ?? newAnswers());
openStart();
