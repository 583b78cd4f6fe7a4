// Small comforts. Every page works without this file; nothing here decides or stores anything.
(() => {
  "use strict";

  // Light and dark.
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => globalThis.setTheme(document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark"));
  }

  // The first box with an error gets the focus, also in a fragment that htmx brought.
  function focusFirstError(root) {
    const box = root.querySelector("[aria-invalid='true']") || root.querySelector("[data-error-summary]");
    if (box) box.focus();
  }
  focusFirstError(document);
  document.addEventListener("htmx:afterSettle", (event) => focusFirstError(event.detail.elt));

  // Pop-up menus close on Escape, on a click elsewhere, and by their own Cancel button.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = event.target.closest("details.menu[open], details.confirm[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const cancel = event.target.closest("[data-close-details]");
    if (cancel) cancel.closest("details").open = false;
    // Opened here and not by the browser afterwards, so that the next key already meets the box.
    const details = event.target.closest("details.confirm > summary")?.parentElement;
    if (details) {
      event.preventDefault();
      details.open = !details.open;
      if (details.open) details.querySelector("form input:not([type=hidden]), form button").focus();
    }
  });

  // What the search of the top bar found goes away on Escape and on a click elsewhere.
  const found = document.getElementById("search-found");
  if (found) {
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") found.replaceChildren(); });
    document.addEventListener("click", (event) => { if (!event.target.closest(".search")) found.replaceChildren(); });
  }

  // One box ticks them all: <input type="checkbox" data-check-all="name-of-the-others">.
  document.addEventListener("change", (event) => {
    const name = event.target.dataset && event.target.dataset.checkAll;
    if (!name) return;
    for (const box of event.target.closest("form, table").querySelectorAll(`input[name="${CSS.escape(name)}"]`)) box.checked = event.target.checked;
  });

  // A form is sent once, however often the button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
  addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });
})();
