// The Library: its form, what it finds, and the page of a source. The place after # says what is shown, so that every view can be linked.

const byId = (id) => document.getElementById(id);
const form = () => byId("library-form");
const results = () => byId("library-results");
const PAUSE_MS = 250;

let latest = 0;
let typing = 0;
let backTo = "#/library";

async function show(address) {
  latest += 1;
  const own = latest;
  results().setAttribute("aria-busy", "true");
  let markup;
  try {
    const response = await fetch(address, { headers: { accept: "text/html" } });
    markup = response.ok ? await response.text() : `<p class="count">${response.status === 404 ? "There is no such source." : "That cannot be shown; clear the filters and try again."}</p>`;
  } catch {
    markup = '<p class="count">The server cannot be reached; try again in a moment.</p>';
  }
  if (own !== latest) return false;
  results().innerHTML = markup;
  results().removeAttribute("aria-busy");
  return true;
}

// Fills the form from the place, so that a shared address shows the same search.
function fillForm(query) {
  for (const field of form().querySelectorAll("[name]")) {
    if (document.activeElement !== field) field.value = query.get(field.name) ?? "";
  }
}

export async function showResults(query) {
  document.body.dataset.shelf = "results";
  fillForm(query);
  backTo = `#/library${query.size ? `?${query}` : ""}`;
  await show(`library?${query}`);
}

export async function showSource(id, passage) {
  document.body.dataset.shelf = "source";
  if (!(await show(`library/${encodeURIComponent(id)}`))) return;
  const back = results().querySelector(".back a");
  if (back) back.setAttribute("href", backTo);
  const place = (passage && byId(`passage-${passage}`)) || byId("source-page");
  place?.scrollIntoView({ block: passage ? "center" : "start" });
  place?.focus({ preventScroll: true });
  place?.classList.toggle("chosen", Boolean(passage));
}

function search({ replace = false } = {}) {
  const query = new URLSearchParams();
  for (const field of form().querySelectorAll("[name]")) {
    if (field.value.trim()) query.set(field.name, field.value.trim());
  }
  const place = `#/library${query.size ? `?${query}` : ""}`;
  if (place === location.hash) return;
  if (replace) {
    history.replaceState(null, "", place);
    showResults(query);
  } else {
    location.hash = place;
  }
}

export function clearLibrary() {
  for (const field of form().querySelectorAll("[name]")) field.value = "";
  search();
}

export function listenToLibrary() {
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    search();
  });
  document.addEventListener("change", (event) => { if (event.target.matches?.("#library-form select")) search(); });
  // While words are typed the results follow, without a step back for each letter.
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("#library-form input")) return;
    clearTimeout(typing);
    typing = setTimeout(() => search({ replace: true }), PAUSE_MS);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("#library-form input")) return;
    event.preventDefault();
    clearTimeout(typing);
    search();
  });
}
