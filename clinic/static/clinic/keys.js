// Keys. Whatever carries data-key and data-key-label says its key itself: pressing it presses the button or link, or goes into
// the box; on anything else it is only listed, because another script acts on it. "?" shows the list. Never while typing.
(() => {
  "use strict";
  const dialog = document.getElementById("keys");
  if (!dialog) return;

  // Single keys can be switched off: who speaks to the computer would press them by speaking.
  let on = true;
  try { on = localStorage.getItem("keys") !== "off"; } catch { /* storage may be closed off; keys stay on */ }
  const box = dialog.querySelector("[data-keys-on]");
  box.checked = on;
  box.addEventListener("change", () => {
    on = box.checked;
    try { localStorage.setItem("keys", on ? "on" : "off"); } catch { /* for this page only */ }
  });

  const shown = (element) => element.getClientRects().length > 0 && !element.disabled;
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable], dialog");

  function list() {
    const rows = new Map();
    for (const element of document.querySelectorAll("[data-key][data-key-label]")) {
      // A thing of the menu counts though the menu is folded on a phone; a span that only declares a key is never visible.
      if (element.disabled || element.closest("template")) continue;
      if (!rows.has(element.dataset.key)) rows.set(element.dataset.key, element.dataset.keyLabel);
    }
    // What the page can do first, where one can go afterwards.
    const sorted = [...rows].sort(([a], [b]) => a.startsWith("g ") - b.startsWith("g "));
    dialog.querySelector("[data-keys-list]").replaceChildren(...sorted.map(([keys, label]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      for (const key of keys.split(" ")) {
        const cap = document.createElement("kbd");
        cap.textContent = key;
        term.append(cap, " ");
      }
      const text = document.createElement("dd");
      text.textContent = label;
      row.append(term, text);
      return row;
    }));
  }

  function open() {
    if (document.querySelector("dialog[open]")) return;
    list();
    dialog.showModal();
    // The list is what one came for, not the button that closes it.
    dialog.querySelector("h2").focus();
  }
  dialog.querySelector("h2").tabIndex = -1;
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  // At once: the browser closes it a moment later, and a key pressed meanwhile would be lost.
  dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); dialog.close(); } });
  for (const button of document.querySelectorAll("[data-keys-open]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const menu = button.closest("details");
      if (menu) menu.open = false;
      open();
    });
  }

  // Of several things with the same key, such as one in each row, the one in the row where the focus is.
  function find(key) {
    const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(shown);
    const row = document.activeElement.closest("tr, li, article, [data-row]");
    return (row && all.find((element) => row.contains(element))) || all[0];
  }

  function press(element) {
    if (element.matches("input, textarea, select")) {
      element.focus();
      if (element.select) element.select();
      return true;
    }
    if (!element.matches("a[href], button, summary")) return false;
    element.focus();
    element.click();
    return true;
  }

  let before = "";
  let waiting = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") { event.preventDefault(); open(); return; }
    if (!on || event.key.length !== 1 || document.querySelector("dialog[open]")) return;
    const both = before ? `${before} ${event.key}` : "";
    const begins = !before && document.querySelector(`[data-key^="${CSS.escape(event.key)} "]`);
    clearTimeout(waiting);
    before = "";
    const element = (both && find(both)) || find(event.key);
    if (element && press(element)) event.preventDefault();
    else if (begins) {
      before = event.key;
      waiting = setTimeout(() => { before = ""; }, 1500);
    }
  });
})();
