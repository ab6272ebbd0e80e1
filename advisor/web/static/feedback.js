// Saying whether an answer helped. The buttons come with the turn; the form is made here, when somebody asks for it, because what an
// answer's HTML may hold has no controls. A turn keeps its form and what was said when it moves up among the earlier ones.

// The words that are sent, and those that a person reads.
const REASONS = [
  ["wrong", "It is wrong"],
  ["not my question", "It does not answer my question"],
  ["not enough", "It leaves something out"],
  ["too long", "It is too long"],
  ["outdated", "It is outdated"],
  ["other", "Something else"],
];
const MOST_CHARACTERS = 1000;
const UNREACHABLE = "The server cannot be reached; try again in a moment.";

let forms = 0;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const boxOf = (element) => element.closest(".feedback");
const button = (box, rating) => box.querySelector(`[data-rate="${rating}"]`);

function reasonChoice(name, [value, words]) {
  const choice = make("input", { type: "radio", name, value, required: "" });
  return make("label", {}, choice, ` ${words}`);
}

function makeForm() {
  forms += 1;
  const name = `reason-${forms}`;
  const text = make("textarea", { rows: "3", name: "text", "aria-describedby": `${name}-line` });
  return make(
    "form", { class: "feedback-form", "aria-label": "Why was this answer not helpful?", novalidate: "", hidden: "" },
    make("fieldset", {}, make("legend", {}, "What was not right?"), ...REASONS.map((reason) => reasonChoice(name, reason))),
    make("label", { class: "wide" }, make("span", {}, "What should be different? (optional)"), text),
    make("p", { class: "form-line", id: `${name}-line` }),
    make(
      "p", { class: "form-buttons" },
      make("button", { type: "submit", class: "quiet" }, "Send"), " ",
      make("button", { type: "button", class: "quiet", "data-rate-cancel": "true" }, "Cancel"),
    ),
  );
}

function line(form, words, { wrong = false } = {}) {
  const place = form.querySelector(".form-line");
  place.textContent = words;
  place.classList.toggle("warn", wrong);
}

function open(box) {
  let form = box.querySelector("form");
  if (!form) {
    form = makeForm();
    box.append(form);
  }
  form.hidden = false;
  button(box, "not-helpful").setAttribute("aria-expanded", "true");
  count(form);
  (form.querySelector("input:checked") ?? form.querySelector("input")).focus();
}

export function closeForm(inside, { refocus = true } = {}) {
  const box = boxOf(inside);
  const form = box.querySelector("form");
  if (form) form.hidden = true;
  const opener = button(box, "not-helpful");
  opener.setAttribute("aria-expanded", "false");
  if (refocus) opener.focus();
}

function count(form) {
  const length = form.querySelector("textarea").value.trim().length;
  const over = length > MOST_CHARACTERS;
  const kept = "Stored with the answer and your questions, without your name.";
  line(form, length > 0.8 * MOST_CHARACTERS ? `${length.toLocaleString("en-US")} of 1,000 characters` : kept, { wrong: over });
  return over;
}

// Gives the server's sentence and whether it took the rating.
async function post(box, said) {
  const body = { conversation: box.closest(".turn").dataset.conversation, answer: box.dataset.answer, ...said };
  try {
    const response = await fetch("feedback", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const plain = response.headers.get("content-type")?.startsWith("text/plain");
    return { taken: response.ok, words: plain ? (await response.text()).trim() : "That could not be stored; try again later." };
  } catch {
    return { taken: false, words: UNREACHABLE };
  }
}

// Stores a rating and shows that it is stored. Returns nothing while another one of the same answer is on its way.
async function store(box, said) {
  if (box.dataset.sending) return null;
  box.dataset.sending = "true";
  const outcome = await post(box, said);
  delete box.dataset.sending;
  if (outcome.taken) {
    for (const rating of ["helpful", "not-helpful"]) button(box, rating).setAttribute("aria-pressed", String(rating === said.rating));
  }
  return outcome;
}

function say(box, outcome, announce) {
  const place = box.querySelector(".rated");
  place.textContent = outcome.words;
  place.classList.toggle("warn", !outcome.taken);
  announce(outcome.words);
}

export async function rate(pressed, announce) {
  const box = boxOf(pressed);
  const form = box.querySelector("form");
  if (pressed.dataset.rate === "not-helpful") {
    if (form && !form.hidden) closeForm(pressed);
    else open(box);
    return;
  }
  const outcome = await store(box, { rating: "helpful" });
  if (!outcome) return;
  if (outcome.taken && form) {
    form.reset();
    closeForm(pressed, { refocus: false });
  }
  say(box, outcome, announce);
}

async function send(form, announce) {
  const box = boxOf(form);
  const reason = form.querySelector("input:checked")?.value;
  const complaint = (words) => { line(form, words, { wrong: true }); announce(words); };
  if (!reason) {
    complaint("Choose the reason that fits best.");
    form.querySelector("input").focus();
    return;
  }
  if (count(form)) {
    complaint("Your text is too long: 1,000 characters are kept. Shorten it and send again.");
    form.querySelector("textarea").focus();
    return;
  }
  const outcome = await store(box, { rating: "not-helpful", reason, text: form.querySelector("textarea").value.trim() });
  if (!outcome) return;
  if (!outcome.taken) { complaint(outcome.words); return; }
  closeForm(form);
  say(box, outcome, announce);
}

export function listenToFeedback(announce) {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".feedback-form")) return;
    event.preventDefault();
    send(event.target, announce);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.(".feedback-form");
    if (form) count(form);
  });
  document.addEventListener("keydown", (event) => {
    const form = event.key === "Escape" && event.target.closest?.(".feedback-form");
    if (form) closeForm(form);
  });
}
