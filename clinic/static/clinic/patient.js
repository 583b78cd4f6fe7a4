// The page of a patient: what stands further down is brought when it is wanted; without this file its links lead there.
(() => {
  "use strict";

  const history = () => document.querySelector("#history[hx-get]");
  let wanted = "";

  function go(part) {
    const target = document.getElementById(part);
    if (target) { target.scrollIntoView(); globalThis.history.replaceState(null, "", `#${part}`); return true; }
    if (!history() || !globalThis.htmx) return false;
    wanted = part;
    globalThis.htmx.trigger(history(), "wanted");
    return true;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-part]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (go(link.dataset.part)) event.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", () => { if (wanted && document.getElementById(wanted)) { go(wanted); wanted = ""; } });
  // The table of results by keyboard: one stop for Tab, arrows from value to value, Home and End along a test.
  function ready(root) {
    for (const table of root.querySelectorAll("table[data-grid]:not([data-ready])")) {
      table.dataset.ready = "yes";
      const links = table.querySelectorAll("td a");
      for (const link of links) link.tabIndex = -1;
      if (links.length) links[0].tabIndex = 0;
    }
  }

  function step(cell, key) {
    const row = cell.parentElement;
    const table = row.closest("table");
    const rows = [...table.querySelectorAll("tbody tr:not(.results-panel)")];
    const here = rows.indexOf(row), column = cell.cellIndex;
    const along = [...row.cells].filter((other) => other.querySelector("a"));
    const down = rows.map((other) => other.cells[column]).filter((other) => other && other.querySelector("a"));
    const at = down.indexOf(cell);
    return {
      ArrowRight: () => along.find((other) => other.cellIndex > column),
      ArrowLeft: () => along.filter((other) => other.cellIndex < column).pop(),
      ArrowDown: () => down[at + 1] || rows.slice(here + 1).map((other) => other.querySelector("td a")).filter(Boolean).map((link) => link.closest("td"))[0],
      ArrowUp: () => down[at - 1] || rows.slice(0, here).map((other) => other.querySelector("td a")).filter(Boolean).map((link) => link.closest("td")).pop(),
      Home: () => along[0],
      End: () => along[along.length - 1],
      PageDown: () => down[Math.min(at + 10, down.length - 1)],
      PageUp: () => down[Math.max(at - 10, 0)],
    }[key];
  }

  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest && event.target.closest("table[data-grid] td");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = step(cell, event.key);
    if (!move) return;
    event.preventDefault();
    const next = move();
    if (!next) return;
    const link = next.querySelector("a"), table = next.closest("table"), row = next.parentElement;
    const flag = next.querySelector(".visually-hidden");
    link.setAttribute("aria-label", [row.cells[0].textContent.trim(), table.tHead.rows[0].cells[next.cellIndex].textContent, link.textContent, flag ? flag.textContent.trim() : ""].filter(Boolean).join(", "));
    event.target.tabIndex = -1;
    link.tabIndex = 0;
    link.focus();
  });
  ready(document);
  document.addEventListener("htmx:afterSettle", () => ready(document));

  addEventListener("load", () => { const part = location.hash.slice(1); if (part && !document.getElementById(part)) go(part); });
})();
