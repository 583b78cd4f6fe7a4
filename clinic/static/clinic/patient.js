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
  addEventListener("load", () => { const part = location.hash.slice(1); if (part && !document.getElementById(part)) go(part); });
})();
