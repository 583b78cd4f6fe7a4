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

  // From the day Enter leads to the first value while nothing is typed: an empty page is not saved. A day that is missing,
  // or of which a part is, is asked for beside its box.
  function leadOn(head, form, first) {
    const day = head.querySelector("input[type=date]");
    const touched = (box) => box.type === "radio" || box.type === "checkbox" ? box.checked !== box.defaultChecked : box.value !== (box.defaultValue ?? "");
    const values = () => [...form.elements].filter((box) => box.name && box.type !== "hidden" && !head.contains(box) && !("side" in box.dataset));
    const told = document.createElement("ul");
    told.className = "errorlist";
    told.id = `${day.id}_missing`;
    told.setAttribute("role", "alert");
    told.append(document.createElement("li"));
    head.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.isComposing) return;
      if (!day.value) {
        event.preventDefault();
        told.firstChild.textContent = gettext("The day is missing: day, month and year.");
        day.closest(".field").append(told);
        day.setAttribute("aria-invalid", "true");
        day.focus();
      } else if (!values().some(touched)) {
        event.preventDefault();
        go(first());
      }
    });
    day.addEventListener("input", () => { if (told.isConnected && day.value) { told.remove(); day.removeAttribute("aria-invalid"); } });
  }
  const visit = document.querySelector("[data-visit] input[type=date]");
  if (visit) leadOn(visit.closest(".field"), visit.form, () => visit.form.querySelector("[name=physician_vas], [data-cell]"));

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

    leadOn(panel.querySelector(".sample"), panel, () => valueOf(lines()[0]));

    // Cells copied from a spreadsheet. Rows that begin with the name of a test find their lines, with the value and the
    // unit behind it; a row of names finds them too, with a row of values below it and one of units between; a bare column
    // goes down from the box it is pasted into. Several days at once are taken for what they are, and none is chosen.
    const bare = (text) => text.toLowerCase().normalize("NFKC").replace(/[^\p{L}\p{N}%]/gu, "");
    const unitKey = (text) => text.toLowerCase().normalize("NFKC").replace(/[µμ]/g, "u").replace(/^×/, "").replace(/iu\b/, "u").replace(/[\s*[\]{}^]/g, "");
    const numeric = (text) => /^[<>≤≥=\s]*[+-]?\d[\d.,\s']*$/.test(text);
    function byName() {
      const found = new Map();
      for (const line of panel.querySelectorAll("tr.line")) for (const name of line.dataset.names.split("|")) if (!found.has(bare(name))) found.set(bare(name), line);
      return found;
    }
    function fill(line, text, unit) {
      const folded = line.closest("details");
      if (folded) folded.open = true;
      const box = valueOf(line);
      box.value = box.tagName === "SELECT" ? text.toLowerCase() : text;
      const units = line.querySelector("[data-unit]");
      const choices = units && (units.options ? [...units.options] : [{ value: units.value, text: units.nextElementSibling.textContent }]);
      const wanted = unit && choices && choices.find((option) => [option.value, option.text].some((each) => unitKey(each) === unitKey(unit)));
      if (wanted && units.value !== wanted.value) { units.value = wanted.value; fillLimits(line, true); }
      box.dispatchEvent(new Event("input", { bubbles: true }));
      changed(box);
      return !unit || !units || Boolean(wanted);
    }
    const said = panel.querySelector("[data-pasted]");
    function say(...texts) {
      said.textContent = texts.join(" ");
      said.hidden = false;
    }
    function tell(count, strangers) {
      const texts = [interpolate(ngettext("%(n)s value pasted.", "%(n)s values pasted.", count), { n: count }, true)];
      if (strangers.length) texts.push(interpolate(gettext("Not taken over, please look: %(names)s."), { names: strangers.join(", ") }, true));
      say(...texts);
    }
    const day = (text) => /^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b/.test(text);
    const fits = (line, text) => valueOf(line).tagName === "SELECT" ? [...valueOf(line).options].some((option) => option.value && option.value === text.toLowerCase()) : numeric(text) && !day(text);
    // A row of names: the columns they head, and the one row of values below them.
    function across([heads, ...below], names) {
      const columns = heads.map((head) => names.get(bare(head)));
      const holds = (row) => columns.some((line, at) => line && fits(line, row[at] || ""));
      const values = below.filter(holds);
      if (values.length !== 1) { say(gettext("A table with several days, or with none: nothing was taken over. Copy the row of names and the row of one day.")); return null; }
      const units = below.find((row) => !holds(row) && columns.some((line, at) => line && row[at])) || [];
      const strangers = [];
      let count = 0;
      let last = null;
      values[0].forEach((cell, at) => {
        if (!cell) return;
        const line = columns[at];
        if (!line || !fits(line, cell)) { strangers.push(heads[at] || cell); return; }
        if (!fill(line, cell, units[at] || "")) strangers.push(`${heads[at]} (${units[at]})`);
        last = valueOf(line);
        count += 1;
      });
      tell(count, strangers);
      return last;
    }
    panel.addEventListener("paste", (event) => {
      const start = event.target.closest("tr.line");
      if (!start || !event.target.matches("[data-value]")) return;
      const rows = event.clipboardData.getData("text/plain").replace(/\r?\n$/, "").split(/\r?\n/).map((row) => row.split("\t").map((cell) => cell.trim()));
      if (rows.length < 2 && rows[0].length < 2) return;
      event.preventDefault();
      const names = byName();
      if (rows[0].filter((cell) => names.has(bare(cell))).length > 1) { go(across(rows, names)); return; }
      if (rows[0].filter(day).length > 1) { say(gettext("A table with several days: nothing was taken over. Copy the column of names and the column of one day.")); return; }
      const strangers = [];
      let count = 0;
      let last = event.target;
      if (rows.some((cells) => cells.length > 1 && names.has(bare(cells[0])))) {
        for (const [name, ...cells] of rows) {
          const line = names.get(bare(name));
          const word = line && valueOf(line).tagName === "SELECT";
          const at = cells.findIndex((cell) => line ? fits(line, cell) : numeric(cell));
          // A heading, and a test without a value.
          if (at < 0) { if (line && cells.some(Boolean)) strangers.push(name); continue; }
          if (!line) { strangers.push(name); continue; }
          if (!fill(line, cells[at], word ? "" : cells[at + 1] || "")) strangers.push(`${name} (${cells[at + 1]})`);
          last = valueOf(line);
          count += 1;
        }
      } else {
        const below = lines().slice(lines().indexOf(start));
        rows.forEach((cells, index) => {
          if (!cells[0]) return;
          if (!below[index]) { strangers.push(cells[0]); return; }
          if (!fill(below[index], cells[0], cells[1] || "")) strangers.push(`${cells[0]} ${cells[1]}`);
          last = valueOf(below[index]);
          count += 1;
        });
      }
      tell(count, strangers);
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
    // A unit is chosen once: the empty lines below, of tests this person never had, follow where they were in the same.
    for (const unit of panel.querySelectorAll("select[data-unit]")) unit.dataset.was = unit.value;
    function follow(unit) {
      const was = unit.dataset.was;
      unit.dataset.was = unit.value;
      const all = [...panel.querySelectorAll("select[data-unit]")];
      for (const other of all.slice(all.indexOf(unit) + 1)) {
        const line = other.closest("tr.line");
        if ("known" in other.dataset || valueOf(line).value || other.value !== was || ![...other.options].some((option) => option.value === unit.value)) continue;
        other.value = other.dataset.was = unit.value;
        fillLimits(line, true);
      }
    }
    panel.addEventListener("change", (event) => {
      if (!event.target.matches("[data-unit]")) return;
      fillLimits(event.target.closest("tr.line"), true);
      follow(event.target);
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
    });
    // A whole grade leads on: every digit but 1, which may become a 10. + and x are a 10 of one key. By what is in the
    // box and not by the key, which the keyboards of telephones do not tell.
    grid.addEventListener("input", (event) => {
      const box = event.target;
      if (!box.matches("input[data-cell]")) return;
      if (/[+xX]$/.test(box.value)) box.value = "10";
      const two = /^1([1-9])$/.exec(box.value);
      if (two) {
        box.value = "1";
        const target = next(box, 1);
        if (target && go(target)) put(target, two[1]);
      } else if (/^([02-9]|10)$/.test(box.value)) go(next(box, 1));
    });
    grid.addEventListener("focusin", (event) => { if (event.target.matches("input[data-cell]")) event.target.select(); });
  }

  // ------------------------------------------------------------------------------------------ items of one digit
  const digits = document.querySelector("[data-digits]");
  if (digits) {
    digits.addEventListener("input", (event) => {
      const most = event.target.dataset.digit;
      if (!most || !/^\d$/.test(event.target.value) || Number(event.target.value) > Number(most)) return;
      const boxes = [...digits.querySelectorAll("[data-digit]")];
      go(boxes[boxes.indexOf(event.target) + 1]);
    });
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
