// Builds static/vendor/ from node_modules: stylesheet, fonts, icon sprite, htmx, and the parts of ECharts we draw with.
//
// Everything is rebuilt from scratch each time, so a file that is no longer asked for does not linger and get served.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const out = join(root, "static", "vendor");

// Served stylesheets and scripts must not name a source map that is not there: the manifest storage would refuse them.
const withoutSourceMap = (text) => text.replace(/\n?(\/\*# sourceMappingURL=.*?\*\/|\/\/# sourceMappingURL=.*)\s*$/gm, "\n");

async function copyText(from, to) {
  await writeFile(join(out, to), withoutSourceMap(await readFile(join(modules, from), "utf8")));
}

// Tabler's stylesheet is ten times what we use of it: only rules whose class or element stands in a template, a script or a
// form of ours are kept. Built anew when one of those changes (see the Makefile), so that a class is there when it is named.
async function stylesheet() {
  const [{ css, rejected }] = await new PurgeCSS().purge({
    css: [{ raw: await readFile(join(modules, "@tabler/core/dist/css/tabler.min.css"), "utf8") }],
    content: ["templates", "clinic/static", "accounts", "clinic", "exchange", "research", "monitoring", "therapy", "patients", "alerts"]
      .map((folder) => `${join(root, folder)}/**/*.{html,js,py}`),
    keyframes: true,
    variables: true,
    fontFace: true,
    rejected: true,
    // What the element is in, not what a template says.
    safelist: { standard: ["html", "body", "dialog"], variables: [] },
  });
  if (rejected.length === 0) throw new Error("nothing was left out of the stylesheet: the purge found no content");
  const { code } = await transform(withoutSourceMap(css), { loader: "css", minify: true });
  await writeFile(join(out, "tabler.css"), code);
}

// One <symbol> per icon; templates show it with <use href="…/icons.svg#name">.
async function sprite() {
  const { icons } = JSON.parse(await readFile(join(root, "frontend", "icons.json"), "utf8"));
  const symbols = await Promise.all(
    Object.entries(icons).map(async ([name, tabler]) => {
      const svg = await readFile(join(modules, "@tabler/icons/icons/outline", `${tabler}.svg`), "utf8");
      const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
      return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" ` +
        `stroke-linecap="round" stroke-linejoin="round">${inner}</symbol>`;
    }),
  );
  await writeFile(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
}

// Latin and Latin extended cover the product's languages; the variable font is one file for every weight.
async function fonts() {
  const faces = [
    ["latin-ext", "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF"],
    ["latin", "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD"],
  ];
  let css = "";
  for (const [subset, range] of faces) {
    const file = `inter-${subset}-wght-normal.woff2`;
    await cp(join(modules, "@fontsource-variable/inter/files", file), join(out, file));
    css += `@font-face{font-family:"Inter";font-style:normal;font-display:swap;font-weight:100 900;` +
      `src:url("${file}") format("woff2");unicode-range:${range}}\n`;
  }
  await writeFile(join(out, "inter.css"), css);
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await Promise.all([
  stylesheet(),
  copyText("htmx.org/dist/htmx.min.js", "htmx.js"),
  sprite(),
  fonts(),
  build({
    absWorkingDir: root,
    entryPoints: ["frontend/echarts.mjs"],
    outfile: join(out, "echarts.js"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2020",
    legalComments: "eof",
    logLevel: "warning",
  }),
]);
