// Runs before the first paint, so that a dark room is not lit up by a white flash. Light is what a page without it shows.
(() => {
  "use strict";
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* storage may be closed off; the system's wish stands */ }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    document.documentElement.dataset.bsTheme = chosen || (dark.matches ? "dark" : "light");
    document.dispatchEvent(new CustomEvent("theme:changed"));
  };
  show();
  dark.addEventListener("change", show);
  globalThis.setTheme = (name) => {
    chosen = name;
    try { localStorage.setItem("theme", name); } catch { /* shown now, forgotten later */ }
    show();
  };
})();

// The words of scripts are written in English; another language brings its catalogue, which replaces these.
globalThis.gettext ??= (text) => text;
globalThis.ngettext ??= (one, many, count) => (count === 1 ? one : many);
globalThis.pgettext ??= (context, text) => text;
globalThis.interpolate ??= (format, values, named) => (named
  ? format.replace(/%\((\w+)\)s/g, (all, name) => String(values[name]))
  : format.replace(/%s/g, () => String(values.shift())));
