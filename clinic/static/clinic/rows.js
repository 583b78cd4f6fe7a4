// j and k move through the rows of a list; what a, s, o and p do belongs to the row with the focus (keys.js). After an
// answer has replaced the list, the focus stands where the row was that is gone, so that the next key meets the next row.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")];
  const current = () => document.activeElement.closest("[data-row]");
  let place = -1;

  function go(to) {
    const all = rows();
    const row = all[Math.max(0, Math.min(to, all.length - 1))];
    if (!row) return;
    row.tabIndex = -1;
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    let off = false;
    try { off = localStorage.getItem("keys") === "off"; } catch { /* storage may be closed off; keys stay on */ }
    if (off || document.querySelector("dialog[open]")) return;
    const here = rows().indexOf(current());
    // With no row chosen, a key that acts on one chooses the first: nothing is acknowledged that nobody looked at.
    if (here < 0 && rows().length && ["a", "s", "o", "p", "x"].includes(event.key)) {
      event.preventDefault();
      go(0);
      return;
    }
    if (event.key === "j") go(here + 1);
    else if (event.key === "k") go(here < 0 ? 0 : here - 1);
    else if (event.key === "x") {
      const box = current()?.querySelector(".row-check");
      if (!box) return;
      box.click();
    } else return;
    event.preventDefault();
  }, true);  // before keys.js, which would take the first row's

  // A row's own panel, such as the one for a snooze, stands in the row below it.
  document.body.addEventListener("htmx:beforeRequest", () => {
    place = rows().indexOf(current() || document.activeElement.closest(".list-act")?.previousElementSibling);
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id === "worklist") {
      if (place >= 0) go(place);
    } else {
      const box = event.detail.target.querySelector("select, input:not([type=hidden])");
      if (box && event.detail.target.id.startsWith("act-")) box.focus();
    }
  });
})();
