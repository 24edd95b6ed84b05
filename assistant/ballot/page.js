/* What a rater's hand does on the page. The page itself holds all that is entered; a copy stays in this browser
   until the server has said that the vote is stored. */
"use strict";

const content = document.getElementById("content");
const problem = document.getElementById("problem");
const home = document.body.dataset.home; // "/rate/" and the token
const kept = `rate:${home.slice(-12)}:`;
const every = (selector, within = content) => [...within.querySelectorAll(selector)];
const one = (selector, within = content) => within.querySelector(selector);
const main = () => one("main");
const chips = () => every(".chip").sort((one, other) => one.dataset.chip - other.dataset.chip); // wherever they are
let sending = false;
let watched = { seconds: 0, since: 0 };

if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.classList.add("dark");

// -- what is entered --

const rank = chip => Number(chip.dataset.rank || 0);
const score = scale => Number(one("input:checked", scale)?.value || 0);
const none = () => one("[data-none]")?.checked || false;

function entered() {
  const scores = {};
  for (const scale of every(".scale")) (scores[scale.dataset.criterion] ||= []).push(score(scale));
  const marked = card => every('.sentence[aria-pressed="true"]', card).map(mark => Number(mark.dataset.number));
  return {
    ranks: chips().map(rank),
    scores,
    unusable: none(),
    comment: one("[data-comment]").value,
    better: one("[data-better]").value,
    wrong: every("article").map(marked),
  };
}

function fill(vote) {
  for (const [criterion, scores] of Object.entries(vote.scores)) {
    every(".scale").filter(scale => scale.dataset.criterion === criterion).forEach((scale, position) => {
      const input = one(`input[value="${scores[position]}"]`, scale);
      if (input) input.checked = true;
    });
  }
  chips().forEach((chip, position) => place(chip, vote.ranks[position]));
  one("[data-none]").checked = vote.unusable;
  one("[data-comment]").value = vote.comment;
  one("[data-better]").value = vote.better;
  every("article").forEach((card, position) => {
    for (const number of vote.wrong[position] || []) mark(one(`[data-number="${number}"]`, card), true);
  });
}

/* Where something is missing, in the order of the page. Whoever finds none usable need not rank them. */
function missing() {
  const scales = every(".scale").filter(scale => !score(scale));
  const unranked = chips().filter(chip => !rank(chip));
  return none() && unranked.length === chips().length ? scales : [...scales, ...unranked];
}

function place(chip, where) {
  if (where) chip.dataset.rank = where;
  else delete chip.dataset.rank;
  const slot = where ? one(`[data-slot="${where}"]`) : one(".tray");
  const after = every(".chip", slot).find(other => Number(other.dataset.chip) > Number(chip.dataset.chip));
  slot.insertBefore(chip, after || null);
  chip.setAttribute("aria-label", `Answer ${chip.textContent}: ${where ? `place ${where}` : "not placed yet"}`);
}

function mark(sentence, wrong = sentence.getAttribute("aria-pressed") !== "true") {
  sentence?.setAttribute("aria-pressed", wrong);
}

// -- kept in this browser until it is stored --

const draftKey = path => kept + path.slice(home.length + 1);
const read = key => JSON.parse(localStorage.getItem(key) || "null");
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");

function changed() {
  const left = missing().length;
  one(".missing").textContent = left ? `${left} still to do` : "Complete";
  main().toggleAttribute("data-complete", !left);
  const key = draftKey(main().dataset.post);
  localStorage.setItem(key, JSON.stringify({ ...read(key), vote: entered() }));
}

/* Votes that were sent when no answer came: sent again under their keys, so that none is stored twice. Gives what
   is to be shown then, if there were any. */
async function sendAgain() {
  let html = null;
  for (const key of Object.keys(localStorage).filter(name => name.startsWith(kept))) {
    const { sent } = read(key);
    if (sent) html = (await deliver(`${home}/${key.slice(kept.length)}`, sent, key)) || html;
  }
  return html;
}

// -- sending --

const pause = seconds => new Promise(done => setTimeout(done, 1000 * seconds));

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

/* Send until somebody answers; what is kept under `key` is let go as soon as the server says that it is stored. */
async function deliver(path, value, key) {
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await fetch(path, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
      });
      if (answer.status < 500) return settled(answer, await answer.json(), key);
    } catch { /* no connection: said below, then tried again */ }
    say("Not stored yet: there is no connection. It is kept in this browser and sent as soon as there is one.");
    await pause(Math.min(1 + tries, 8));
  }
}

/* A vote that was refused stays as a draft, to be mended and sent anew. */
function settled(answer, told, key) {
  if (answer.ok) localStorage.removeItem(key);
  else localStorage.setItem(key, JSON.stringify({ vote: read(key)?.vote }));
  say(answer.ok ? "" : told.problem || "The page sent something unexpected. Load it again.");
  return answer.ok ? told.html : null;
}

async function next() {
  if (sending || !main()?.dataset.post) return;
  const guess = main().dataset.step === "guess";
  const [gap] = guess ? [] : missing();
  if (gap) {
    main().toggleAttribute("data-asked", true);
    return stop(gap);
  }
  sending = true;
  one("[data-next]").disabled = true;
  const html = await (guess ? deliver(main().dataset.post, guessed(), "") : vote(main().dataset.post));
  sending = false;
  if (html === null) one("[data-next]").disabled = false;
  else show(html);
}

const guessed = () => ({ looked_up: every("[data-guess]").map(box => box.checked) });

function vote(path) {
  const key = draftKey(path);
  const said = entered();
  const ranks = said.ranks.some(Boolean) ? said.ranks : []; // none usable, and none ranked
  const sent = { ...said, ranks, key: newKey(), seconds: watchedSeconds() };
  localStorage.setItem(key, JSON.stringify({ vote: said, sent }));
  return deliver(path, sent, key);
}

function show(html) {
  content.innerHTML = html;
  history.replaceState(null, "", home);
  begin();
  scrollTo(0, 0);
}

function begin() {
  watched = { seconds: 0, since: performance.now() };
  if (main().dataset.step === "vote") {
    chips().forEach(chip => place(chip, rank(chip)));
    const draft = read(draftKey(main().dataset.post));
    if (draft?.vote) fill(draft.vote);
    changed();
  }
  const finger = matchMedia("(hover: none)").matches;
  if (finger && one(".progress b")?.textContent !== "1") one(".meanings")?.removeAttribute("open");
  const first = missing()[0] || one("[data-stop]");
  if (!finger && first) stop(first);
}

/* Seconds that this was in view; a tab in the background does not count. */
function watchedSeconds() {
  const now = performance.now();
  if (!document.hidden) watched.seconds += (now - watched.since) / 1000;
  watched.since = now;
  return Math.round(10 * watched.seconds) / 10;
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) watched.seconds += (performance.now() - watched.since) / 1000;
  watched.since = performance.now();
});

// -- by keyboard --

const stopOf = element => element?.closest?.("[data-stop]");
const target = at => at.querySelector("input:checked") || at.querySelector("input") || at;

function stop(at) {
  target(at).focus({ preventScroll: true });
  const box = at.getBoundingClientRect();
  if (box.top < 90 || box.bottom > innerHeight - 90) at.scrollIntoView({ block: "center" });
}

function step(by) {
  const stops = [...every("[data-stop]:not(.chip)"), ...chips()];
  const at = stops.indexOf(stopOf(document.activeElement));
  const to = stops[at + by];
  if (to) stop(to);
  else if (by > 0) one("[data-next]").focus();
}

function digit(value) {
  if (main().dataset.step === "guess") return one(`[data-guess="${value - 1}"]`)?.click();
  const at = stopOf(document.activeElement) || missing()[0];
  if (at?.matches(".scale")) one(`input[value="${value}"]`, at)?.click();
  else if (at?.matches(".chip") && one(`[data-slot="${value}"]`)) place(at, value);
  else return;
  changed();
  stop(at);
  step(1);
}

function sentences() {
  const card = document.activeElement?.closest?.("article") || one("article");
  one(".sentence", card).focus();
}

function alongSentences(event, sentence) {
  const all = every(".sentence");
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (by) all[all.indexOf(sentence) + by]?.focus();
  else if (event.key === " " || event.key === "Enter") { mark(sentence); changed(); }
  else if (event.key === "Escape") stop(one("[data-stop]", sentence.closest("article")));
  else return;
  event.preventDefault();
}

const KEYS = {
  n: () => { one("[data-none]")?.click(); },
  w: sentences,
  c: () => one("[data-comment]")?.focus(),
  u: () => one("[data-undo]")?.click(),
  Backspace: () => step(-1),
  Enter: next,
};

document.addEventListener("keydown", event => {
  const at = event.target;
  if (event.ctrlKey && event.key === "Enter") return next();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (at.matches("textarea")) return event.key === "Escape" ? one("[data-next]").focus() : undefined;
  if (at.matches(".sentence")) return alongSentences(event, at);
  if (event.key === "Enter" && at.matches("a, summary, [data-help], [data-next]")) return;
  if (/^[1-9]$/.test(event.key) && main()?.dataset.post) digit(Number(event.key));
  else if (KEYS[event.key] && main()?.dataset.post) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// -- by mouse and finger --

document.addEventListener("click", event => {
  const at = event.target;
  if (at.closest("[data-next]")) next();
  else if (at.matches(".sentence") && main().dataset.step === "vote") {
    mark(at);
    changed();
    at.blur(); // so that Enter means the next question again
  }
  else if (at.closest(".slot, .tray")) {
    if (performance.now() - draggedAt > 100) tapped(at); // the click that ends a drag is none
  }
  else if (at.closest("[data-help]")) {
    const hidden = one(".keys").toggleAttribute("hidden");
    at.closest("[data-help]").setAttribute("aria-expanded", !hidden);
  }
});
document.addEventListener("input", () => { if (main().dataset.step === "vote") changed(); });

function choose(chip) {
  for (const other of every(".chip")) other.setAttribute("aria-pressed", other === chip);
}

/* A letter, then a place. */
function tapped(at) {
  const chip = at.closest(".chip");
  const chosen = one('.chip[aria-pressed="true"]');
  if (chip && chip !== chosen && (!chosen || chip.parentElement === chosen.parentElement)) return choose(chip);
  if (chosen && chip !== chosen) { place(chosen, Number(at.closest(".slot")?.dataset.slot || 0)); changed(); }
  choose(null);
}

let drag = null;
let draggedAt = -Infinity;
document.addEventListener("pointerdown", event => {
  const chip = event.target.closest?.(".chip");
  if (chip && event.button === 0) drag = { chip, x: event.clientX, y: event.clientY, moved: false };
});
document.addEventListener("pointermove", event => {
  if (!drag) return;
  const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.moved && Math.hypot(x, y) < 6) return;
  if (!drag.moved) drag.chip.setPointerCapture(event.pointerId);
  drag.moved = true;
  drag.chip.style.transform = `translate(${x}px, ${y}px)`;
  drag.chip.classList.add("dragged");
  const over = under(event);
  for (const slot of every(".slot, .tray")) slot.classList.toggle("over", slot === over);
});
const under = event => document.elementsFromPoint(event.clientX, event.clientY).find(each => each.matches(".slot, .tray"));
function dropped(event) {
  if (!drag) return;
  const { chip, moved } = drag;
  drag = null;
  if (!moved) return;
  chip.style.transform = "";
  chip.classList.remove("dragged");
  for (const slot of every(".slot, .tray")) slot.classList.remove("over");
  const slot = event.type === "pointerup" ? under(event) : null;
  if (slot) { place(chip, Number(slot.dataset.slot || 0)); changed(); }
  draggedAt = performance.now();
  chip.focus({ preventScroll: true });
}
document.addEventListener("pointerup", dropped);
document.addEventListener("pointercancel", dropped);

begin();
sendAgain().then(html => { if (html) show(html); });
