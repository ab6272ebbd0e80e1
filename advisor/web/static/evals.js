// The Evals view: the stored report, read inside the page, and the pictures out of it. Both are fetched when they are wanted.

// The report is a document of its own, in a frame that runs no scripts.
export function toggleReport(button) {
  const place = document.getElementById("eval-report");
  const opens = !place.firstChild;
  button.textContent = opens ? "Close the report" : "Read the report";
  button.setAttribute("aria-expanded", String(opens));
  if (!opens) {
    place.replaceChildren();
    return;
  }
  const address = button.dataset.evalReport;
  const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", rel: "noopener", textContent: "Open it in a new tab" });
  const frame = document.createElement("iframe");
  // What is forbidden must be said before the address.
  frame.setAttribute("sandbox", "");
  frame.title = "Eval report";
  frame.src = address;
  place.append(frame, link);
}

function showPicture(details) {
  const suite = details.dataset.evalPicture;
  for (const theme of ["light", "dark"]) {
    const alt = `Bars of the figures of ${suite} with their 95 % intervals; the tables hold the same numbers.`;
    details.append(Object.assign(document.createElement("img"), { src: `/evals/${suite}-${theme}.svg`, alt, className: `only-${theme}` }));
  }
}

export function listenToEvals() {
  document.addEventListener("toggle", (event) => {
    const details = event.target;
    if (details.matches?.("[data-eval-picture]") && details.open && !details.querySelector("img")) showPicture(details);
  }, true);
}
