// What the page does by itself: the evidence panel, clicked questions, copying, light and dark, and what a screen reader hears.
// Gradio replaces the HTML of a turn at each step, so events are handled on the document and nothing is bound to a turn's elements.
import { listenToBatch } from "./batch.js";
import { clearPanel, closePanel, coversPage, hideTip, keepInside, overlay, showAll, showCitation, showTip } from "./evidence.js";
import { listenToEvals, toggleReport } from "./evals.js";
import { closeForm, listenToFeedback, rate } from "./feedback.js";
import { clearLibrary, listenToLibrary, showResults, showSource } from "./library.js";

const phone = window.matchMedia("(max-width: 700px)");
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
// The server refuses larger requests; a paste of megabytes should not even leave the page.
const MOST_BYTES = 60_000;
const byId = (id) => document.getElementById(id);
const currentTurn = () => document.querySelector("#turn .turn");
const box = () => document.querySelector("#question textarea");

// ---------------------------------------------------------------- saying things

function announce(text) {
  byId("announcer").textContent = text;
}

let hintTimer = 0;

function hint(text, { warn = false, seconds = 4 } = {}) {
  const line = byId("hint");
  line.dataset.usual ??= line.textContent;
  clearTimeout(hintTimer);
  line.textContent = text || line.dataset.usual;
  line.classList.toggle("warn", warn);
  line.classList.toggle("said", Boolean(text) && !warn);
  if (text) announce(text);
  if (text && seconds) hintTimer = setTimeout(() => hint(""), seconds * 1000);
}

function flash(button, text) {
  button.dataset.usual ??= button.textContent;
  button.textContent = text;
  announce(text);
  setTimeout(() => { button.textContent = button.dataset.usual; }, 2000);
}

// ---------------------------------------------------------------- asking

let discardTurn = false;
let focusAnswer = false;
let sendingTimer = 0;

// When Gradio shows an error (the queue is full, the connection is lost), no turn will come for what was sent.
const wasRefused = () => document.querySelector(".toast-body.error") !== null;

function isBusy() {
  if (wasRefused()) sending(false);
  return "busy" in document.body.dataset || "sending" in document.body.dataset;
}

function sending(on) {
  clearTimeout(sendingTimer);
  if (on) {
    document.body.dataset.sending = "true";
    // A refused request brings no turn; Gradio says why, and the page must not stay locked.
    sendingTimer = setTimeout(() => sending(false), 10_000);
  } else {
    delete document.body.dataset.sending;
  }
}

// Asks what is given instead of what stands in the box.
function pick(question) {
  setPicked(question);
  focusAnswer = true;
  sending(true);
  // Gradio takes the new value over in a microtask; the press must come after it.
  setTimeout(() => byId("pick").click(), 0);
}

function setPicked(question) {
  const field = document.querySelector("#picked :is(textarea, input)");
  if (field.value === question) return;
  field.value = question;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function ask(question) {
  if (isBusy()) return;
  go("#/chat");
  pick(question);
}

function retry() {
  if (isBusy()) return;
  discardTurn = true;
  pick("/retry");
}

function startOver() {
  discardTurn = true;
  byId("past").replaceChildren();
  clearPanel();
  closePanel({ refocus: false });
  byId("start-over").click();
  hint("A new conversation has begun.");
  box().focus();
}

// Whether what stands in the box may be sent; says why if not.
function maySend() {
  const text = box().value;
  if (isBusy() || !text.trim()) return false;
  if (new TextEncoder().encode(text).length > MOST_BYTES) {
    hint(`Too long to send: ${text.length.toLocaleString("en-US")} characters, and the limit is ${limit().toLocaleString("en-US")}.`, { warn: true, seconds: 0 });
    return false;
  }
  return true;
}

const limit = () => Number(byId("hint").dataset.max);

function count() {
  const length = box().value.length;
  if (length > 0.9 * limit()) {
    hint(`${length.toLocaleString("en-US")} of ${limit().toLocaleString("en-US")} characters`, { warn: length > limit(), seconds: 0 });
  } else {
    hint("");
  }
}

function guardSend(event) {
  if (maySend()) {
    // A click whose request was refused would otherwise still stand there and be asked instead.
    setPicked("");
    sending(true);
    hint("");
  } else {
    event.preventDefault();
    event.stopPropagation();
  }
}

// ---------------------------------------------------------------- turns as they are written

// Gradio holds only the latest turn; those before it are kept here, with what the reader folded or opened in them.
function keep(turn) {
  const replaced = currentTurn()?.dataset.turn === turn.dataset.turn;
  if (replaced || turn.dataset.state === "writing") return;
  if (!discardTurn) byId("past").append(turn);
  discardTurn = false;
}

function onTurnChange(records) {
  for (const record of records) {
    for (const node of record.removedNodes) {
      if (!(node instanceof Element)) continue;
      const turn = node.matches(".turn") ? node : node.querySelector(".turn");
      if (turn) keep(turn);
    }
  }
  const turn = currentTurn();
  const state = turn?.dataset.state ?? "";
  const step = `${turn?.dataset.turn} ${state}`;
  if (byId("turn").dataset.step === step) return;
  byId("turn").dataset.step = step;
  sending(false);
  document.body.toggleAttribute("data-busy", state === "writing");
  if (state === "writing") begun(turn);
  else if (turn) settled(turn);
  else discardTurn = false;
}

function begun(turn) {
  announce("Looking through the sources.");
  turn.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
}

function settled(turn) {
  const said = turn.querySelector(".bottom-line, .notice");
  const sources = turn.querySelectorAll(".evidence-store .card").length;
  announce(`${said ? spoken(said) : "Done."} ${sources ? `${sources} sources.` : ""}`);
  if (sources && !overlay.matches) showAll(turn, { focus: false });
  if (!sources) clearPanel();
  if (focusAnswer) {
    turn.tabIndex = -1;
    turn.focus({ preventScroll: true });
  }
  focusAnswer = false;
}

// The words of an element without citation numbers.
function spoken(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".cite, .mark").forEach((cite) => cite.remove());
  return copy.textContent.replace(/\s+/g, " ").trim();
}

// ---------------------------------------------------------------- copying and saving

async function copy(button) {
  const text = JSON.parse(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context (another machine's address over http) only the old way works.
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  flash(button, "Copied");
}

function save() {
  const turns = document.querySelectorAll("#chat .turn[data-conversation]");
  const id = turns[turns.length - 1]?.dataset.conversation;
  if (!id) {
    hint("There is nothing to export yet.");
    return;
  }
  const link = Object.assign(document.createElement("a"), { href: `conversations/${id}.md`, download: "seo-advisor-conversation.md" });
  document.body.append(link);
  link.click();
  link.remove();
  hint("The conversation is being saved as Markdown.");
}

// ---------------------------------------------------------------- views

function showView(name) {
  document.body.dataset.view = name;
  document.querySelectorAll("[data-view].view").forEach((button) => {
    if (button.dataset.view === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  });
}

function showDispute(id) {
  showView("disputes");
  const dispute = byId(`dispute-${id}`);
  dispute?.scrollIntoView({ block: "start" });
  dispute?.focus({ preventScroll: true });
}

// What stands after # is a place on this page: #/chat, #/library?q=clicks, #/source/id/passage, #/disputes, #/dispute/id, #/batch, #/evals.
function goToPlace() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/").map(decodeURIComponent);
  closePanel({ refocus: false });
  if (view === "library" || view === "source") {
    showView("library");
    if (view === "library") showResults(new URLSearchParams(query));
    else showSource(rest[0] ?? "", rest[1]);
  } else if (view === "disputes") {
    showView("disputes");
    window.scrollTo(0, 0);
  } else if (view === "batch") {
    showView("batch");
    window.scrollTo(0, 0);
  } else if (view === "evals" && byId("view-evals")) {
    showView("evals");
    window.scrollTo(0, 0);
  } else if (view === "dispute") {
    showDispute(rest[0] ?? "");
  } else {
    showView("chat");
  }
}

function go(place) {
  if (location.hash === place) goToPlace();
  else location.hash = place;
}

// ---------------------------------------------------------------- events

const actions = {
  ask: (button) => ask(button.dataset.ask),
  allSources: (button) => showAll(turnOf(button), { from: button }),
  close: () => closePanel(),
  copy: (button) => copy(button),
  clearLibrary: () => clearLibrary(),
  dispute: (button) => go(`#/dispute/${button.dataset.dispute}`),
  evalReport: (button) => toggleReport(button),
  export: () => save(),
  rate: (button) => rate(button, announce),
  rateCancel: (button) => closeForm(button),
  retry: () => retry(),
  skip: () => box().focus(),
  startOver: () => startOver(),
  view: (button) => { go(`#/${button.dataset.view}`); window.scrollTo(0, 0); },
};

function turnOf(button) {
  return button.closest(".turn") ?? document.querySelector(`.turn[data-turn="${button.dataset.allSources}"]`);
}

function onClick(event) {
  const place = event.target.closest('a[href^="#/"]');
  if (place && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(place.getAttribute("href"));
    return;
  }
  const button = event.target.closest("button");
  if (button?.matches(".cite")) { showCitation(button); return; }
  const action = button && Object.keys(actions).find((name) => name in button.dataset);
  if (action) { actions[action](button); return; }
  if (coversPage() && !event.target.closest("#evidence")) closePanel();
}

function onKey(event) {
  if (event.key === "Escape") { hideTip(); closePanel(); }
  const typing = event.target === box();
  if (typing && event.key === "Enter" && !event.shiftKey && !event.isComposing) guardSend(event);
  // While a word is being composed (accents, other scripts) Enter belongs to that and does not send.
  if (typing && event.key === "Enter" && event.isComposing) event.stopPropagation();
  if (event.key === "Tab" && coversPage()) keepInside(event);
}

function listen() {
  document.addEventListener("click", onClick);
  document.addEventListener("click", (event) => { if (event.target.closest("#send")) guardSend(event); }, true);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("input", (event) => { if (event.target === box()) count(); });
  document.addEventListener("mouseover", (event) => { if (event.target.matches?.(".cite")) showTip(event.target); });
  // Only when it is the keyboard that moves: after a tap the number gets the focus back too, and a tip would be in the way.
  document.addEventListener("focusin", (event) => { if (event.target.matches?.(".cite:focus-visible")) showTip(event.target); });
  for (const leaving of ["mouseout", "focusout"]) {
    document.addEventListener(leaving, (event) => { if (event.target.matches?.(".cite")) hideTip(); });
  }
  document.addEventListener("scroll", hideTip, { passive: true, capture: true });
  overlay.addEventListener("change", () => closePanel({ refocus: false }));
  window.addEventListener("hashchange", goToPlace);
  listenToBatch(announce);
  listenToEvals();
  listenToLibrary();
  listenToFeedback(announce);
}

function add(id, attributes) {
  const element = document.createElement("div");
  element.id = id;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  document.body.append(element);
}

// On a phone the whole invitation takes two lines; the label that a screen reader says stays.
function shorten(field) {
  field.placeholder = "Ask a question …";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function start() {
  add("announcer", { class: "unseen", role: "status", "aria-live": "polite" });
  add("tip", { hidden: "", "aria-hidden": "true" });
  const panel = byId("evidence");
  panel.setAttribute("role", "complementary");
  panel.setAttribute("aria-labelledby", "panel-title");
  byId("past").setAttribute("role", "region");
  byId("past").setAttribute("aria-label", "Earlier in this conversation");
  new MutationObserver(onTurnChange).observe(byId("turn"), { childList: true, subtree: true });
  listen();
  if (phone.matches) shorten(box());
  if (location.hash) goToPlace();
  document.body.dataset.ready = "true";
}

// Gradio builds the page after the document has loaded.
const waiting = new MutationObserver(() => {
  const parts = [
    "#top .top", "#turn .welcome", "#past", "#question textarea", "#send", "#hint", "#cards", "#disputes .disputes-list", "#library-form",
    "#batch-view",
    "#picked :is(textarea, input)", "#pick", "#start-over",
  ];
  if (!parts.every((part) => document.querySelector(part))) return;
  waiting.disconnect();
  start();
});
waiting.observe(document, { childList: true, subtree: true });
