// Light or dark, decided before anything is painted: by the reader's earlier choice, else by the system.
(() => {
  "use strict";

  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
  const stored = {
    get theme() { try { return localStorage.getItem("theme"); } catch { return null; } },
    set theme(value) { try { localStorage.setItem("theme", value); } catch { /* private mode: the choice lasts for this page */ } },
  };

  const wanted = () => stored.theme ?? (systemDark.matches ? "dark" : "light");

  function paint(theme = wanted()) {
    document.documentElement.dataset.theme = theme;
    // Gradio's own parts go by this class, and Gradio sets it when it starts.
    document.body?.classList.toggle("dark", theme === "dark");
  }

  paint();
  systemDark.addEventListener("change", () => paint());
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    new MutationObserver(() => paint(document.documentElement.dataset.theme)).observe(document.body, { attributeFilter: ["class"] });
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    stored.theme = theme;
    paint(theme);
  });
})();
