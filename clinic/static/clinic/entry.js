// Typing faster. Without this file every page works with Tab and plain boxes; nothing here decides or stores anything.
(() => {
  "use strict";
  const changed = (box) => box.dispatchEvent(new Event("change", { bubbles: true }));
  const visible = (box) => box.getClientRects().length > 0;
  function go(box) {
    if (!box) return false;
    box.focus();
    if (box.select && box.type !== "radio") box.select();
    return true;
  }

  // What was typed and not saved is not lost by a slip on a link.
  for (const form of document.querySelectorAll("form[data-keep]")) {
    let typed = false;
    let sending = false;
    form.addEventListener("input", () => { typed = true; });
    form.addEventListener("submit", () => { sending = true; });
    addEventListener("pageshow", () => { sending = false; });
    addEventListener("beforeunload", (event) => { if (typed && !sending) event.preventDefault(); });
  }

  // ------------------------------------------------------------------------------------------ laboratory panel
  const panel = document.querySelector("form[data-panel]");
  if (panel) {
    const lines = () => [...panel.querySelectorAll("tr.line")].filter(visible);
    const valueOf = (line) => line && line.querySelector("[data-value]");
    const boxesOf = (line) => [...line.querySelectorAll("[data-value], [data-side]")];
    panel.querySelector("[data-keys]").hidden = false;
    // One Tab a value; unit and limits are reached with the arrow to the right.
    for (const box of panel.querySelectorAll("[data-side]")) box.tabIndex = -1;

    panel.addEventListener("keydown", (event) => {
      const box = event.target;
      const line = box.closest("tr.line");
      if (!line || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.key === "Enter" && box.tagName === "SELECT") { event.preventDefault(); panel.requestSubmit(); return; }
      const text = box.tagName === "INPUT" && box.type === "text";
      if (!text && box.tagName !== "SELECT") return;
      const row = boxesOf(line);
      const at = row.indexOf(box);
      const all = lines();
      const here = all.indexOf(line);
      // In a list of choices the arrows up and down choose.
      const vertical = text ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined;
      const empty = text && box.selectionStart === 0 && box.selectionEnd === box.value.length;
      const atEnd = !text || empty || (box.selectionStart === box.selectionEnd && box.selectionEnd === box.value.length);
      const atStart = !text || empty || (box.selectionStart === box.selectionEnd && box.selectionStart === 0);
      let moved = false;
      if (vertical) moved = go(valueOf(all[here + vertical]));
      else if (event.key === "ArrowRight" && atEnd) moved = go(row[at + 1]);
      else if (event.key === "ArrowLeft" && atStart) moved = go(row[at - 1]);
      if (moved) event.preventDefault();
    });

    // A column of a spreadsheet goes down from the box it is pasted into.
    panel.addEventListener("paste", (event) => {
      const start = event.target.closest("tr.line");
      if (!start || !event.target.matches("[data-value]")) return;
      const rows = event.clipboardData.getData("text/plain").replace(/\r?\n$/, "").split(/\r?\n/).map((row) => row.split("\t")[0].trim());
      if (rows.length < 2) return;
      event.preventDefault();
      const below = lines().slice(lines().indexOf(start));
      let last = event.target;
      rows.slice(0, below.length).forEach((text, index) => {
        if (!text) return;
        last = valueOf(below[index]);
        last.value = last.tagName === "SELECT" ? text.toLowerCase() : text;
        last.dispatchEvent(new Event("input", { bubbles: true }));
        changed(last);
      });
      go(last);
    });

    // Limits that the page put in belong to one laboratory and one unit.
    const known = JSON.parse(document.getElementById("printed-limits").textContent);
    const madeFor = panel.querySelector("[data-made-for]");
    const laboratory = panel.querySelector("[name=laboratory]");
    const unitOf = (line) => line.querySelector("[data-unit]");
    function fillLimits(line, keepUnit) {
      const of = known[laboratory.value.trim()] || {};
      const [unit, low, uln] = of[line.querySelector("[data-value]").name] || ["", "", ""];
      const limits = [...line.querySelectorAll("[data-limit]")];
      if (!limits.length || limits.some((box) => box.value !== box.dataset.given)) return;
      if (!keepUnit && unit && unitOf(line) && !valueOf(line).value) unitOf(line).value = unit;
      const fits = unit && unitOf(line) && unitOf(line).value === unit;
      limits.forEach((box) => { box.value = box.dataset.given = fits ? { low, uln }[box.dataset.limit] : ""; });
    }
    laboratory.addEventListener("change", () => {
      for (const line of panel.querySelectorAll("tr.line")) fillLimits(line, false);
      madeFor.value = laboratory.value.trim();
    });
    panel.addEventListener("change", (event) => {
      if (event.target.matches("[data-unit]")) fillLimits(event.target.closest("tr.line"), true);
    }, true);
  }

  // ------------------------------------------------------------------------------------------ muscle strength
  const grid = document.querySelector("[data-muscles]");
  if (grid) {
    const cells = () => [...grid.querySelectorAll("input[data-cell]")];
    const next = (box, step) => cells()[cells().indexOf(box) + step];
    function beside(box, column, row) {
      const rows = [...grid.querySelectorAll("tbody tr")];
      let at = rows.indexOf(box.closest("tr"));
      const side = box.dataset.cell;
      if (column) return [...box.closest("tr").querySelectorAll("input[data-cell]")].find((other) => other.dataset.cell === (column > 0 ? "left" : "right") && other !== box);
      at += row;
      if (!rows[at]) return null;
      const there = [...rows[at].querySelectorAll("input[data-cell]")];
      return there.find((other) => other.dataset.cell === side) || there[0];
    }
    function put(box, value) {
      box.value = value;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      changed(box);
    }
    grid.addEventListener("keydown", (event) => {
      const box = event.target;
      if (!box.matches("input[data-cell]") || event.ctrlKey || event.metaKey || event.altKey) return;
      const arrows = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
      if (arrows[event.key]) {
        event.preventDefault();
        go(beside(box, ...arrows[event.key]));
        return;
      }
      if (!/^[0-9]$/.test(event.key)) return;
      event.preventDefault();
      // A 1 may become a 10; every other digit is a whole grade and leads on.
      const ten = box.value === "1" && box.dataset.open === "yes" && event.key === "0";
      const after = box.value === "1" && box.dataset.open === "yes" && event.key !== "0";
      delete box.dataset.open;
      let target = box;
      if (after) target = next(box, 1) || box;
      put(target, ten ? "10" : event.key);
      if (event.key === "1" && !ten) {
        target.dataset.open = "yes";
        go(target);
        return;
      }
      go(next(target, 1)) || go(target);
    });
    grid.addEventListener("focusout", (event) => { delete event.target.dataset.open; });
  }

  // ------------------------------------------------------------------------------------------ questionnaire
  // A digit answers an item and leads on to the next.
  const questions = document.querySelector("[data-haq]");
  if (questions) {
    questions.addEventListener("keydown", (event) => {
      if (event.target.type !== "radio" || !/^[0-3]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      const item = event.target.closest("[data-item]");
      const answer = item.querySelector(`input[value="${event.key}"]`);
      event.preventDefault();
      answer.checked = true;
      answer.dispatchEvent(new Event("input", { bubbles: true }));
      changed(answer);
      const items = [...questions.querySelectorAll("[data-item]")];
      const following = items[items.indexOf(item) + 1];
      if (following) (following.querySelector("input:checked") || following.querySelector("input")).focus();
    });
  }
})();
