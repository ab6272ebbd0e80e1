// The Batch view: a file is sent as soon as it is chosen, the server says what it holds, and once started it is asked how far it is.
// The id of the batch is kept for a reload of this tab; what is shown always comes from the server.

const byId = (id) => document.getElementById(id);
const KEPT = "batch";
const MOST_BYTES = 2 * 1024 * 1024;
const ENDINGS = [".csv", ".tsv", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".txt"];
const POLL_MS = 400;
const SLOWEST_POLL_MS = 5_000;
const TOO_LARGE = "A file may have up to 2 MB. Split it, or run seo-advisor batch in a terminal, which takes any size.";
const UNREACHABLE = "The server cannot be reached; try again in a moment.";
const PARTS = ["batch-drop", "batch-card", "batch-progress", "batch-result"];

let announce = () => {};
let quiet = false;
let saved = false;
let current = null;
let asking = 0;
let quarter = 0;

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
const inView = () => document.body.dataset.view === "batch";
const duration = (seconds) => (seconds < 90 ? count(Math.max(1, Math.round(seconds)), "second") : count(Math.round(seconds / 60), "minute"));

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function say(words) {
  if (!quiet) announce(words);
}

// ---------------------------------------------------------------- the server

const kept = {
  get id() { try { return sessionStorage.getItem(KEPT); } catch { return null; } },
  set id(value) { try { if (value) sessionStorage.setItem(KEPT, value); else sessionStorage.removeItem(KEPT); } catch { /* private mode: a reload forgets it */ } },
};

// Gives the batch as the server tells it, or the sentence of what went wrong.
async function request(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", ...options });
  } catch {
    return { words: UNREACHABLE, status: 0 };
  }
  if (response.status === 204) return { status: 204 };
  if (response.ok) return { batch: await response.json(), status: response.status };
  const plain = response.headers.get("content-type")?.startsWith("text/plain");
  const words = plain ? (await response.text()).trim() : "Something went wrong on our side. Try again.";
  return { words, status: response.status, place: response.headers.get("location") };
}

const send = (address, file, headers = {}) =>
  request(address, { method: "POST", body: file, headers: { "content-type": "application/octet-stream", "x-file-name": encodeURIComponent(file.name ?? ""), ...headers } });

// ---------------------------------------------------------------- showing

function complain(words, place = "batch-line") {
  byId(place).textContent = words;
}

function showOnly(part) {
  const had = PARTS.find((id) => !byId(id).hidden);
  const focused = byId("batch-view").contains(document.activeElement) || document.activeElement === document.body;
  for (const id of PARTS) byId(id).hidden = id !== part;
  byId("batch-drop").classList.remove("over", "reading");
  // What was pressed is gone; the keyboard goes on from what took its place.
  if (had !== part && focused && inView()) (part === "batch-drop" ? chooser() : byId(part)).focus({ preventScroll: true });
}

const chooser = () => document.querySelector('[data-batch="choose"]');

function show(batch) {
  current = batch;
  kept.id = batch.id;
  complain("");
  if (batch.state === "ready") showFile(batch);
  else if (batch.state === "waiting" || batch.state === "running") showProgress(batch);
  else if (batch.state === "done") showResult(batch);
  else fail(batch);
}

function showStart(words = "") {
  clearTimeout(asking);
  current = null;
  kept.id = null;
  showOnly("batch-drop");
  complain(words);
}

function showFile(batch) {
  byId("batch-name").textContent = batch.name;
  const note = batch.note ? ` ${batch.note[0].toUpperCase()}${batch.note.slice(1)}.` : "";
  byId("batch-facts").textContent = `${count(batch.rows, "row")}, ${count(batch.columns.length, "column")}.${note}`;
  const select = byId("batch-column");
  const unchosen = batch.chosen ? [] : [new Option("Choose the column …", "", true, true)];
  select.replaceChildren(...unchosen, ...batch.columns.map((column) => new Option(column.name, column.name, false, column.name === batch.chosen)));
  if (unchosen.length) unchosen[0].disabled = true;
  showColumn();
  showEarlier(batch);
  showOnly("batch-card");
  say(`${byId("batch-facts").textContent} ${batch.chosen ? `Questions in the column ${batch.chosen}.` : "Choose the column with the questions."}`);
}

const chosenColumn = () => current?.columns.find((column) => column.name === byId("batch-column").value);

function showColumn() {
  const column = chosenColumn();
  byId("batch-first").replaceChildren(...(column?.first ?? []).map((text) => make("li", {}, text)));
  byId("batch-first-label").textContent = column ? "The first questions" : "No column is named question. Choose the one that holds the questions.";
  const unusable = column?.unusable ?? 0;
  byId("batch-unusable").textContent = unusable ? `${count(unusable, "row")} ${unusable === 1 ? "has" : "have"} no question here and will be marked as failed.` : "";
  const questions = column ? current.rows - unusable : 0;
  byId("batch-start").textContent = column ? `Answer ${count(questions, "question")}` : "Answer the questions";
  byId("batch-start").disabled = questions === 0;
}

function showEarlier(batch) {
  byId("batch-earlier-name").textContent = batch.earlier || "optional, its .jsonl file";
  document.querySelector('[data-batch="no-earlier"]').hidden = !batch.earlier;
  complain("", "batch-earlier-line");
}

function showProgress(batch) {
  const { done, total } = batch;
  const waiting = batch.state === "waiting";
  const speed = batch.rate ? `${batch.rate < 10 ? batch.rate.toFixed(1) : Math.round(batch.rate)} a second` : "";
  const left = batch.left_s >= 1 ? `about ${duration(batch.left_s)} left` : "";
  const before = batch.ahead ? `${count(batch.ahead, "other")} before it` : "yours is next";
  byId("batch-doing").textContent = waiting ? "Waiting for its turn" : done < total ? `${done.toLocaleString("en-US")} of ${count(total, "row")}` : "Writing the answers";
  byId("batch-speed").textContent = waiting
    ? `Two batches are answered at a time; ${before}. You may leave this view.`
    : [speed, left].filter(Boolean).join(", ") || "Looking through the sources. You may leave this view.";
  const bar = byId("batch-bar");
  bar.setAttribute("aria-valuemax", total);
  bar.setAttribute("aria-valuenow", done);
  bar.setAttribute("aria-valuetext", waiting ? "waiting" : `${done} of ${count(total, "row")}`);
  bar.classList.toggle("unsure", done === 0);
  byId("batch-bar-done").style.width = `${total ? (100 * done) / total : 0}%`;
  if (byId("batch-progress").hidden) {
    quarter = Math.floor((4 * done) / total);
    showOnly("batch-progress");
    say(waiting ? byId("batch-speed").textContent : `Answering ${count(total, "row")}.`);
  } else if (Math.floor((4 * done) / total) > quarter && done < total) {
    quarter = Math.floor((4 * done) / total);
    say(`Batch: ${done} of ${total}.`);
  }
  clearTimeout(asking);
  asking = setTimeout(follow, POLL_MS);
}

const STATUSES = { answered: "answered", refused: "refused", failed: "failed" };

function showResult(batch) {
  const { statuses } = batch;
  byId("batch-done").textContent = `${count(batch.total, "row")} of ${batch.name} done`;
  byId("batch-took").textContent = batch.seconds ? `Took ${duration(batch.seconds)}.` : "";
  byId("batch-counts").replaceChildren(...Object.entries(STATUSES).map(([status, words]) =>
    make("li", { class: `count-${status}${statuses[status] ? "" : " none"}` }, make("b", {}, (statuses[status] ?? 0).toLocaleString("en-US")), make("span", {}, words))));
  const more = [
    listed("Refused because", batch.reasons),
    batch.repeated ? make("p", {}, `${count(batch.repeated, "row")} repeated an earlier question and took its answer.`) : "",
    statuses.failed ? make("p", {}, "Why a row failed stands beside it in the file.") : "",
    listed("Since the earlier run", batch.changes),
  ];
  byId("batch-more").replaceChildren(...more.filter(Boolean));
  const link = byId("batch-download");
  link.setAttribute("href", `batch/${batch.id}/answers`);
  link.setAttribute("download", batch.answers);
  link.removeAttribute("target");
  saved = false;
  const other = document.querySelector('#batch-result [data-batch="other"]');
  other.textContent = "Another file";
  delete other.dataset.sure;
  link.textContent = `Download ${batch.answers}`;
  showOnly("batch-result");
  const told = Object.keys(STATUSES).filter((status) => statuses[status]).map((status) => `${statuses[status]} ${status}`).join(", ");
  say(`Batch done: ${told}.`);
}

function listed(title, counts) {
  const entries = Object.entries(counts);
  if (!entries.length) return null;
  return make("p", {}, make("span", { class: "label" }, title), ` ${entries.map(([words, number]) => (words.endsWith("question") ? count(number, words) : `${number.toLocaleString("en-US")} ${words}`)).join(", ")}`);
}

function fail(batch) {
  const words = batch.error || "The batch stopped before its end.";
  showStart(`${batch.name}: ${words}`);
  request(`batch/${batch.id}`, { method: "DELETE" });
}

// ---------------------------------------------------------------- what a visitor does

function fits(file, endings, place) {
  const name = file.name.toLowerCase();
  if (!endings.some((ending) => name.endsWith(ending))) {
    complain(`${file.name} is not a ${endings.length > 1 ? ".csv, .tsv, .xlsx, .jsonl or .txt" : ".jsonl"} file. Save it as one and choose it again.`, place);
  } else if (file.size === 0) {
    complain(`${file.name} is empty. Choose another file.`, place);
  } else {
    return true;
  }
  return false;
}

async function bring(file) {
  if (!fits(file, ENDINGS, "batch-line")) return;
  if (file.size > MOST_BYTES) { complain(TOO_LARGE); return; }
  complain("");
  byId("batch-drop").classList.add("reading");
  say(`Reading ${file.name}.`);
  const { batch, words, place } = await send("batch", file);
  byId("batch-drop").classList.remove("reading");
  if (batch) { show(batch); return; }
  if (place) {
    // Another tab of this visitor has one under way: it is shown here too.
    const other = await request(place.replace(/^\//, ""));
    if (other.batch) show(other.batch);
  }
  complain(words);
}

async function compareWith(file) {
  complain("", "batch-earlier-line");
  if (!fits(file, [".jsonl"], "batch-earlier-line")) return;
  const packs = "CompressionStream" in window;
  const body = packs ? await new Response(file.stream().pipeThrough(new CompressionStream("gzip"))).blob() : file;
  if (body.size > MOST_BYTES) {
    complain("The earlier run is too large for this page. Compare with it in a terminal: seo-advisor batch --against.", "batch-earlier-line");
    return;
  }
  await setEarlier(body, { "x-file-name": encodeURIComponent(file.name), ...(packs ? { "x-packed": "gzip" } : {}) });
}

async function setEarlier(body, headers = {}) {
  const { batch, words, status } = await send(`batch?compare=${encodeURIComponent(current.id)}`, body, headers);
  if (batch) {
    current = batch;
    showEarlier(batch);
    say(batch.earlier ? `Compares with ${batch.earlier}.` : "Compares with no earlier run.");
  } else if (status === 404) {
    showStart(words);
  } else {
    complain(words, "batch-earlier-line");
  }
}

async function startAnswering() {
  const button = byId("batch-start");
  if (!current || button.disabled) return;
  button.disabled = true;
  const query = new URLSearchParams({ column: byId("batch-column").value, ending: byId("batch-format").value });
  const { batch, words, status } = await request(`batch/${current.id}/start?${query}`, { method: "POST" });
  button.disabled = false;
  if (batch) show(batch);
  else if (status === 404) showStart(words);
  else complain(words);
}

async function follow() {
  if (!current) return;
  const { id } = current;
  const { batch, words, status } = await request(`batch/${id}`);
  // Cancelled, or another file was brought, while the answer was on its way.
  if (current?.id !== id) return;
  if (batch) { show(batch); return; }
  if (status === 404) { showStart(words); return; }
  complain(words);
  asking = setTimeout(follow, SLOWEST_POLL_MS);
}

async function drop(words) {
  const id = current?.id;
  showStart(words);
  if (words) say(words);
  if (id) await request(`batch/${id}`, { method: "DELETE" });
}

async function resume() {
  if (!kept.id || current) return;
  const { batch, words, status } = await request(`batch/${kept.id}`);
  // A reload brings nothing new to say.
  quiet = true;
  if (batch) show(batch);
  else if (status === 404) showStart(words);
  else complain(words);
  quiet = false;
}

// Answers that were not saved are let go of only at a second press.
function another(button) {
  if (current?.state === "done" && !saved && !button.dataset.sure) {
    button.dataset.sure = "true";
    button.textContent = "Discard these answers";
    announce("The answers are not saved. Press again to discard them.");
    return;
  }
  drop("");
}

const presses = {
  choose: () => byId("batch-file").click(),
  other: (button) => another(button),
  cancel: () => drop("Cancelled. The file and its answers are removed from the server."),
  earlier: () => byId("batch-earlier-file").click(),
  "no-earlier": () => setEarlier(new Blob()),
};

function picked(input, use) {
  const [file] = input.files;
  // So that the same file can be chosen again once it is corrected.
  if (file) use(file).finally(() => { input.value = ""; });
}

function listenToDrops() {
  const zone = byId("batch-drop");
  const holdsFile = (event) => inView() && event.dataTransfer?.types.includes("Files");
  // A file that misses the zone must not replace the page in the browser.
  document.addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = zone.hidden ? "none" : "copy";
    zone.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    zone.classList.remove("over");
    if (zone.hidden || zone.classList.contains("reading")) return;
    const files = [...event.dataTransfer.files];
    if (files.length === 1) bring(files[0]);
    else complain("Drop one file at a time.");
  });
}

export function listenToBatch(announcer) {
  announce = announcer;
  byId("batch-file").accept = ENDINGS.join(",");
  byId("batch-earlier-file").accept = ".jsonl";
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-batch]");
    if (button) presses[button.dataset.batch](button);
    if (event.target === byId("batch-download")) saved = true;
  });
  document.addEventListener("change", (event) => {
    if (event.target === byId("batch-file")) picked(event.target, bring);
    else if (event.target === byId("batch-earlier-file")) picked(event.target, compareWith);
    else if (event.target === byId("batch-column")) showColumn();
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== byId("batch-form")) return;
    event.preventDefault();
    startAnswering();
  });
  listenToDrops();
  resume();
}
