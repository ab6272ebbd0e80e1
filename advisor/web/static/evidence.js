// The evidence panel: which cards it shows, how it opens and closes, and the tip over a citation.
// Every turn carries its cards hidden; the panel shows copies of them.

export const overlay = window.matchMedia("(max-width: 65rem)");
const byId = (id) => document.getElementById(id);

let opener = null;

function copies(turn, numbers) {
  const stored = [...turn.querySelectorAll(".evidence-store .card")];
  const chosen = numbers ? numbers.map((n) => stored.find((card) => card.dataset.cite === n)) : stored;
  return chosen.filter(Boolean).map((card) => card.cloneNode(true));
}

function fill(cards, { line = "", more = null } = {}) {
  const parts = [...cards];
  if (line) parts.unshift(Object.assign(document.createElement("p"), { className: "count", textContent: line }));
  if (more) parts.push(more);
  byId("cards").replaceChildren(...parts);
}

function unmark() {
  document.querySelectorAll(".cite[aria-current]").forEach((cite) => cite.removeAttribute("aria-current"));
  document.querySelectorAll(".sentence.reading").forEach((sentence) => sentence.classList.remove("reading"));
}

// One sentence's sources, the clicked one first, with the words marked that carry the sentence.
export function showCitation(cite) {
  const turn = cite.closest(".turn");
  const sentence = cite.closest(".sentence");
  const numbers = [...sentence.querySelectorAll(".cite")].map((other) => other.dataset.cite);
  const cards = copies(turn, [cite.dataset.cite, ...numbers.filter((n) => n !== cite.dataset.cite)]);
  for (const card of cards) {
    const own = card.querySelector(`.passage[data-sentence="${cite.dataset.sentence}"]`);
    if (!own) continue;
    card.querySelectorAll(".passage").forEach((passage) => { passage.hidden = passage !== own; });
  }
  const all = turn.querySelectorAll(".evidence-store .card").length;
  const more = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: `All sources of this answer (${all})` });
  more.dataset.allSources = turn.dataset.turn;
  fill(cards, { more: all > cards.length ? more : null });
  unmark();
  cite.setAttribute("aria-current", "true");
  sentence.classList.add("reading");
  cards[0]?.classList.add("chosen");
  openPanel(cite, cards[0]);
}

export function showAll(turn, { focus = true, from = null } = {}) {
  const cards = copies(turn, null);
  unmark();
  fill(cards, { line: cards.length === 1 ? "The one source of this answer" : `All ${cards.length} sources of this answer` });
  if (focus) openPanel(from, cards[0]);
  else byId("evidence").scrollTop = 0;
}

export function clearPanel() {
  unmark();
  byId("cards").replaceChildren();
}

// Whether the panel is open and lies over the page, instead of standing beside it.
export function coversPage() {
  return overlay.matches && "panel" in document.body.dataset;
}

function openPanel(from, card) {
  if (from?.closest("#chat")) opener = from;
  hideTip();
  document.body.dataset.panel = "open";
  modal(overlay.matches);
  byId("evidence").scrollTop = 0;
  card?.focus({ preventScroll: true });
}

export function closePanel({ refocus = true } = {}) {
  if (!("panel" in document.body.dataset)) return;
  delete document.body.dataset.panel;
  modal(false);
  unmark();
  if (refocus && opener?.isConnected) opener.focus({ preventScroll: true });
  opener = null;
}

// Over the page the panel is a dialog: the page behind it cannot be reached until it is closed.
function modal(on) {
  const panel = byId("evidence");
  panel.setAttribute("role", on ? "dialog" : "complementary");
  if (on) panel.setAttribute("aria-modal", "true");
  else panel.removeAttribute("aria-modal");
  byId("top").inert = on;
  byId("chat").inert = on;
  document.documentElement.style.overflow = on ? "hidden" : "";
}

// Tab goes round inside the dialog.
export function keepInside(event) {
  const stops = [...byId("evidence").querySelectorAll("a[href], button")].filter((stop) => stop.offsetParent);
  const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
  const onCard = document.activeElement.matches(".card") && event.shiftKey;
  if (document.activeElement !== edge && !onCard) return;
  event.preventDefault();
  (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
}

// ---------------------------------------------------------------- the tip over a citation

export function showTip(cite) {
  const tip = byId("tip");
  tip.textContent = cite.dataset.tip;
  tip.hidden = false;
  const at = cite.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left - 16), window.innerWidth - tip.offsetWidth - 8);
  const above = at.top - tip.offsetHeight - 6;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 8 ? above : at.bottom + 6}px`;
}

export function hideTip() {
  byId("tip").hidden = true;
}
