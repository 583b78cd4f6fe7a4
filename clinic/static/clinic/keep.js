// What is typed stays: when the tab is reloaded or crashes, when the server cannot be reached, when the session ends.
//
// A form with data-keep has a draft in the storage of its tab: gone when it is saved, when somebody signs out, when another
// person signs in or another centre is chosen, and with the tab. Files and passwords are never in it. It is enciphered, and the
// pages of the person who typed it alone have the key: once the session has ended and the page is gone, nobody else at the
// screen can read it. Without this file the server keeps what it is sent.
(() => {
  "use strict";
  const body = document.body;
  const whose = body.dataset.whose || "";
  const inside = document.querySelector(".shell") !== null;
  const OWN = new Set(["csrfmiddlewaretoken", "whose"]);
  const OLDEST = 12 * 3600 * 1000;

  function notice(tone, text, buttons = []) {
    const box = document.createElement("div");
    box.className = `notice notice-${tone}`;
    box.setAttribute("role", tone === "error" ? "alert" : "status");
    const inner = document.createElement("div");
    inner.className = "notice-body";
    const line = document.createElement("p");
    line.textContent = text;
    inner.append(line);
    box.append(inner);
    for (const [label, act] of buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.textContent = label;
      button.addEventListener("click", act);
      box.append(button);
    }
    return box;
  }

  // --------------------------------------------------------------------------------------------------------- drafts
  let signingOut = false;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  // Without https (or localhost) browsers encipher nothing: then there are no drafts.
  const key = body.dataset.draftKey && globalThis.crypto?.subtle
    ? crypto.subtle.importKey("raw", bytes(body.dataset.draftKey), "AES-GCM", false, ["encrypt", "decrypt"]) : null;
  async function seal(fields) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key, new TextEncoder().encode(JSON.stringify(fields)));
    return [iv, new Uint8Array(sealed)].map((part) => btoa(Array.from(part, (each) => String.fromCharCode(each)).join("")));
  }
  async function unseal([iv, sealed]) {
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv) }, await key, bytes(sealed))));
  }
  const drafts = {
    names: () => { try { return Object.keys(sessionStorage).filter((name) => name.startsWith("draft ")); } catch { return []; } },
    read: (name) => { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } },
    write: (name, draft) => { try { sessionStorage.setItem(name, JSON.stringify(draft)); } catch { /* full or closed off: the page still has it */ } },
    drop: (name) => { try { sessionStorage.removeItem(name); } catch { /* nothing there */ } },
    dropAll: () => drafts.names().forEach(drafts.drop),
  };
  const nameOf = (form, index) => `draft ${whose} ${location.pathname} ${form.id || index}`;

  function typedInto(form) {
    const secret = new Set([...form.elements].filter((box) => box.type === "password").map((box) => box.name));
    return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !OWN.has(name) && !secret.has(name));
  }

  function putBack(form, fields) {
    const left = new Map();
    for (const [name, value] of fields) left.set(name, [...(left.get(name) || []), value]);
    const all = new Map([...left].map(([name, values]) => [name, [...values]]));
    for (const box of form.elements) {
      if (!box.name || OWN.has(box.name) || ["file", "password", "submit", "button", "reset"].includes(box.type)) continue;
      const before = box.type === "checkbox" || box.type === "radio" ? box.checked : box.value;
      if (box.type === "checkbox" || box.type === "radio") box.checked = (all.get(box.name) || []).includes(box.value);
      else if (box.type === "select-multiple") for (const option of box.options) option.selected = (all.get(box.name) || []).includes(option.value);
      else if ((left.get(box.name) || []).length) box.value = left.get(box.name).shift();
      if (before === (typeof before === "boolean" ? box.checked : box.value)) continue;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  const saves = new Map(); // of each form: writes its draft, and resolves when that is done
  async function keepDraft(form, index) {
    const name = nameOf(form, index);
    const empty = JSON.stringify(typedInto(form));
    const filled = form.dataset.filled; // the server put back what it had kept
    let turn = 0;
    const drop = () => { turn += 1; drafts.drop(name); };
    const save = async () => {
      const mine = ++turn;
      const fields = typedInto(form);
      if (filled === undefined && JSON.stringify(fields) === empty) { drafts.drop(name); return; }
      const sealed = await seal(fields);
      if (mine === turn && !signingOut) drafts.write(name, { at: Date.now(), sent: false, filled, sealed });
    };
    // The page as the server sent it is nearer to the truth: it has the errors beside what was typed. Of a form that it filled,
    // what was typed since is nearer.
    const draft = drafts.read(name);
    const answered = form.querySelector("[aria-invalid=true], [data-error-summary]") || (filled !== undefined && draft?.filled !== filled);
    const fields = draft && !answered && Date.now() - draft.at <= OLDEST ? await unseal(draft.sealed).catch(() => null) : null;
    if (!fields || JSON.stringify(fields) === empty) drafts.drop(name);
    else if (filled !== undefined) putBack(form, fields);
    else {
      putBack(form, fields);
      const at = new Date(draft.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      const told = notice("info", interpolate(gettext("What you typed here at %(at)s and had not saved is back."), { at }, true), [
        [gettext("Discard it"), () => {
          putBack(form, JSON.parse(empty));
          drop();
          told.remove();
        }],
      ]);
      told.dataset.restored = "";
      form.prepend(told);
    }
    saves.set(form, save);
    if (filled !== undefined) save();
    form.addEventListener("input", save);
    form.addEventListener("change", save);
    form.addEventListener("submit", (event) => {
      const written = drafts.read(name);
      if (written && !event.defaultPrevented) drafts.write(name, { ...written, sent: true });
    });
    form.querySelector("[data-kept] [form=kept-discard]")?.addEventListener("click", drop);
    form.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt === form && event.detail.successful) drop(); });
  }

  document.addEventListener("submit", (event) => {
    if ((event.target.getAttribute("action") || "").includes("/logout/")) { signingOut = true; drafts.dropAll(); }
  });
  // After all other scripts, which may want to know of what is put back.
  addEventListener("DOMContentLoaded", () => {
    const arrived = (performance.getEntriesByType("navigation")[0] || {}).type;
    for (const name of drafts.names()) {
      const draft = drafts.read(name);
      if (!draft || (inside && !name.startsWith(`draft ${whose} `))) drafts.drop(name);
      // A page of the clinic that was arrived at from the form means that the form was taken; the sign-in page, an error, or
      // coming back after one means that it was not.
      else if (draft.sent && inside && arrived === "navigate") drafts.drop(name);
      else if (draft.sent) drafts.write(name, { ...draft, sent: false });
    }
    if (key) document.querySelectorAll("form[data-keep]").forEach(keepDraft);
  });

  // -------------------------------------------------------------------------------------------------------- network
  async function reachable() {
    try {
      const answer = await fetch(body.dataset.alive, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      return answer.ok;
    } catch {
      return false;
    }
  }

  // A form that is long to fill asks first whether anybody is there: the browser would replace it by a page of its own.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post" || form.matches("[hx-post]") || form.dataset.reached) return;
    if (!form.matches("[data-keep]") && navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.asking) return;
    form.dataset.asking = "yes";
    const [there] = await Promise.all([reachable(), saves.get(form)?.()]);
    delete form.dataset.asking;
    form.querySelector("[data-unreachable]")?.remove();
    if (there) {
      form.dataset.reached = "yes";
      form.requestSubmit(event.submitter);
      delete form.dataset.reached;
      return;
    }
    const told = notice("error", gettext("The server cannot be reached, so nothing was saved. What you typed is still here."), [
      [gettext("Try again"), () => form.requestSubmit(event.submitter)],
    ]);
    told.dataset.unreachable = "";
    // Beside the button: at the foot of a long page, where the bar that saves stays in sight, in that bar.
    const button = event.submitter || form.querySelector("button:not([type=button])");
    const bar = button && button.closest(".form-actions, .card-foot");
    if (bar && bar.matches(".card-foot")) bar.prepend(told);
    else if (bar || button) (bar || button).before(told);
    else form.append(told);
    told.querySelector("button").focus();
  }, true);

  function say(text) {
    const place = document.getElementById("messages");
    if (place) place.replaceChildren(notice("error", text));
  }
  // What htmx brings replaces what was there, the style of an element too: that is the attribute the content policy forbids,
  // and a box that somebody drew larger would be reported each time.
  if (globalThis.htmx) globalThis.htmx.config.attributesToSettle = ["class", "width", "height"];
  document.addEventListener("htmx:sendError", () => say(gettext("The server cannot be reached, so nothing was changed. Please try again.")));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) return;
    say(status >= 500
      ? gettext("Something went wrong on our side, and nothing was changed. Please try again.")
      : gettext("This is not possible any more. Reload the page to see what has changed."));
  });

  // ------------------------------------------------------------------------------------------------------- centres
  // What this page asks for is meant at the centre the page was made for: another tab may have gone on to another one.
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-Whose"] = whose;
    if (event.detail.triggeringEvent?.type === "submit") event.detail.headers["X-Submitted"] = "yes";
  });

  // ---------------------------------------------------------------------------------------------------- end of session
  try {
    if (!inside && sessionStorage.getItem("ended")) addEventListener("DOMContentLoaded", () => document.getElementById("messages")?.prepend(notice("info",
      gettext("You have been signed out, because nothing happened here for a while. What you typed is kept in this tab, where nobody else can read it: sign in, and it is back."))));
    sessionStorage.removeItem("ended");
  } catch { /* no storage, nothing kept */ }
  const dialog = document.getElementById("session-end");
  const seconds = Number(body.dataset.sessionSeconds);
  if (!dialog || !seconds) return;
  // The server counts from the last request it wrote down, which may be a minute old.
  const lasts = (seconds > 300 ? seconds - 60 : seconds) * 1000;
  const early = Math.min(180_000, lasts / 3);
  let seen = 0;
  let leaving = false;
  let waved = 0; // the end that somebody has read about and let come
  function active() {
    seen = Date.now();
    try { localStorage.setItem("seen", String(seen)); } catch { /* other tabs do not hear of it */ }
  }
  const latest = () => { try { return Math.max(seen, Number(localStorage.getItem("seen"))); } catch { return seen; } };
  active();
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.xhr.status !== 401 && event.detail.xhr.status) active(); });
  addEventListener("beforeunload", (event) => { if (leaving) event.stopImmediatePropagation(); });

  const part = (name) => dialog.querySelector(`[data-part=${name}]`);
  function show(name) {
    for (const each of dialog.querySelectorAll("[data-part]")) each.hidden = each.dataset.part !== name;
    dialog.dataset.shows = name;
    dialog.setAttribute("aria-labelledby", part(name).querySelector("h2").id);
    if (!dialog.open) dialog.showModal();
  }
  // Covered at once, and gone as soon as the sign-in page can be reached: what stands in a page can be read behind its cover.
  let tried = 0;
  async function ended() {
    const link = part("ended").querySelector("a");
    if (!dialog.open || dialog.dataset.shows !== "ended") {
      link.href = `${body.dataset.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;
      show("ended");
      link.focus();
    }
    if (leaving || Date.now() - tried < 10_000) return;
    tried = Date.now();
    await Promise.all([...saves.values()].map((save) => save()));
    if (!await reachable()) return;
    leaving = true;
    try { sessionStorage.setItem("ended", "yes"); } catch { /* it is not said, then */ }
    location.replace(link.href);
  }
  part("ended").querySelector("a").addEventListener("click", () => { leaving = true; });
  dialog.addEventListener("cancel", (event) => { if (dialog.dataset.shows === "ended") event.preventDefault(); else waved = latest() + lasts; });
  part("soon").querySelector("[data-stay]").addEventListener("click", async () => {
    try {
      const answer = await fetch(body.dataset.stay, { method: "POST", headers: { "HX-Request": "true", ...JSON.parse(body.getAttribute("hx-headers")) } });
      if (!answer.ok) { ended(); return; }
      active();
      dialog.close();
    } catch {
      part("soon").querySelector("[data-failed]").hidden = false;
    }
  });
  // What asks by itself is told here; a form that somebody sent goes to the sign-in page and comes back filled.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401) return;
    const by = event.detail.requestConfig.triggeringEvent;
    if (by && by.type === "submit" && event.detail.xhr.getResponseHeader("HX-Redirect")) { leaving = true; return; }
    event.preventDefault();
    ended();
  });

  setInterval(() => {
    const end = latest() + lasts;
    const left = end - Date.now();
    if (left <= 0) ended();
    else if (left <= early && waved !== end) {
      const minutes = Math.ceil(left / 60_000);
      const text = left > 60_000
        ? interpolate(ngettext("In %(n)s minute", "In %(n)s minutes", minutes), { n: minutes }, true)
        : gettext("In less than a minute");
      const place = part("soon").querySelector("[data-left]");
      if (place.textContent !== text) place.textContent = text;
      if (!dialog.open) { show("soon"); part("soon").querySelector("[data-stay]").focus(); }
    } else if (dialog.open && left > early) dialog.close(); // somebody went on in another tab
  }, 1000);
})();
