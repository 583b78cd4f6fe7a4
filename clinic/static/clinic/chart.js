// Draws the story of one patient (monitoring/story.py says what is in it) with ECharts: six lanes on one time axis.
//
// Markup: templates/components/story_chart.html. The numbers drawn here stand in tables on the same page, so this
// file may fail without anything being lost. No inline style or script: tooltips are built as elements with classes.
(() => {
  "use strict";

  const DAY = 86400000;
  const LANE_GAP = 30;
  const KINDS = { glucocorticoid: "--chart-bar-3", conventional: "--chart-bar-1", infusion: "--chart-bar-2", other: "--chart-grid" };
  const LEVELS = {
    URGENT: { colour: "--urgent", symbol: "diamond", size: 14, word: gettext("Urgent") },
    ACTION: { colour: "--action", symbol: "triangle", size: 13, word: gettext("Action") },
    TASK: { colour: "--task", symbol: "rect", size: 10, word: gettext("Task") },
    INFO: { colour: "--info", symbol: "circle", size: 10, word: gettext("Info") },
  };
  const RANKS = ["INFO", "TASK", "ACTION", "URGENT"];
  // A line is told apart by its marker as well as by its colour. Unknown keys take the last entry.
  const STYLES = {
    mmt8: { colour: "--chart-mmt", symbol: "circle" },
    haq_di: { colour: "--chart-vas-1", symbol: "diamond" },
    tis: { colour: "--chart-tis", symbol: "circle" },
    physician_vas: { colour: "--chart-vas-1", symbol: "rect" },
    patient_vas: { colour: "--chart-vas-2", symbol: "triangle" },
    extramuscular_vas: { colour: "--chart-vas-3", symbol: "diamond" },
    fvc: { colour: "--chart-fvc", symbol: "circle" },
    dlco: { colour: "--chart-dlco", symbol: "rect" },
    other: { colour: "--ink-2", symbol: "circle" },
  };

  const time = (iso) => Date.UTC(+iso.slice(0, 4), +iso.slice(5, 7) - 1, +iso.slice(8, 10));
  const LANGUAGE = document.documentElement.lang || "en-GB";
  const say = (text, values) => interpolate(text, values, true);
  const dayText = (ms) => new Date(ms).toLocaleDateString(LANGUAGE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const number = (value, digits = 3) => value.toLocaleString(LANGUAGE, { maximumFractionDigits: Number.isInteger(value) ? 0 : digits });
  // A tick of the time axis: the year where one begins, else the month, else the day.
  const axisDay = (ms) => {
    const day = new Date(ms), ticks = { timeZone: "UTC" };
    if (day.getUTCDate() > 1) return day.toLocaleDateString(LANGUAGE, { day: "numeric", month: "short", ...ticks });
    return day.getUTCMonth() ? day.toLocaleDateString(LANGUAGE, { month: "short", ...ticks }) : String(day.getUTCFullYear());
  };
  const styleOf = (key) => STYLES[key] || STYLES.other;

  function element(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // The newest item on or before a day, by binary search: a story may hold thousands of points.
  function latest(items, ms) {
    let low = 0, high = items.length;
    while (low < high) { const mid = (low + high) >> 1; if (items[mid].at <= ms) low = mid + 1; else high = mid; }
    return low ? items[low - 1] : null;
  }

  // 1, 2, 5, 10, 20, … between two positive numbers; only powers of ten when the range is wide.
  function logTicks(low, high) {
    const steps = Math.log10(high / low) > 2.2 ? [1] : [1, 2, 5];
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const step of steps) { const tick = step * 10 ** power; if (tick >= low && tick <= high) ticks.push(tick); }
    }
    return ticks;
  }

  function read(raw) {
    const dated = (list, key = "day") => list.map((item) => ({ ...item, at: time(item[key]) }));
    const lines = (list) => list.map((series) => ({ ...series, points: dated(series.points) }));
    const asOf = time(raw.as_of);
    return {
      asOf, start: time(raw.start), end: time(raw.end),
      treatments: raw.treatments.map((t) => ({ ...t, at: time(t.start), until: t.end ? time(t.end) : asOf })),
      steroid: raw.steroid.map((s) => ({ ...s, at: time(s.start), until: s.end ? time(s.end) : asOf })),
      plan: dated(raw.steroid_plan),
      ck: dated(raw.ck.points), ckUnit: raw.ck.unit,
      bands: raw.ck.bands.map((b) => ({ ...b, at: time(b.start), until: time(b.end) })),
      strength: lines(raw.strength), scores: lines(raw.scores), lung: lines(raw.lung),
      // The worst is drawn last, on top of what happened on the same days.
      alerts: dated(raw.alerts).sort((a, b) => RANKS.indexOf(a.level) - RANKS.indexOf(b.level) || a.at - b.at),
    };
  }

  // Dose by day as corners of a step line. A stretch ends at the end of its last day, and a gap falls to zero.
  function steps(story) {
    const points = [];
    story.steroid.forEach((dose, index) => {
      const before = story.steroid[index - 1];
      if (!before || dose.at > before.until + DAY) points.push([dose.at, 0]);
      points.push([dose.at, dose.mg_per_day]);
      const next = story.steroid[index + 1];
      const stop = Math.min(dose.until + DAY, next ? next.at : Infinity);
      points.push([stop, dose.mg_per_day]);
      if ((!next && dose.end) || (next && next.at > dose.until + DAY)) points.push([stop, 0]);
    });
    return points;
  }

  class StoryChart {
    constructor(root) {
      this.root = root;
      this.canvas = root.querySelector("[data-story-canvas]");
      this.story = read(JSON.parse(document.getElementById(root.dataset.story).textContent));
      this.hidden = new Set();
      this.marked = null;
      this.timesUln = false;
      this.zoom = { start: 0, end: 100 };
      this.days = this.allDays();
      this.cursor = Math.max(0, this.days.filter((day) => day <= this.story.asOf).length - 1);
      root.classList.add("is-live");
      root.querySelector(".story-live").hidden = false;
      this.chart = globalThis.echarts.init(this.canvas, null, { renderer: "canvas" });
      this.listen();
      this.legend();
      this.draw();
    }

    allDays() {
      const s = this.story;
      const days = new Set([...s.ck, ...s.alerts, ...s.treatments, ...s.steroid, ...s.plan].map((item) => item.at));
      for (const series of [...s.strength, ...s.scores, ...s.lung]) for (const point of series.points) days.add(point.at);
      return [...days].sort((a, b) => a - b);
    }

    colour(token) { return getComputedStyle(document.documentElement).getPropertyValue(token).trim(); }

    // ---- the option ----

    option() {
      const s = this.story, colour = (token) => this.colour(token), width = this.canvas.clientWidth, narrow = width < 560;
      const ink2 = colour("--ink-2"), ink3 = colour("--ink-3"), grid = colour("--chart-grid"), lineStrong = colour("--line-strong");
      const left = narrow ? 46 : 64, right = narrow ? 34 : 52;
      const rows = [...new Set(s.treatments.map((t) => t.drug))];
      const shown = (key) => !this.hidden.has(key);
      const o = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
      let top = 8;

      const font = { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11, fontWeight: 400, color: ink3 };
      const lane = (title, note, height, empty, left_axis, right_axis) => {
        const index = o.grid.length;
        o.title.push({ text: note ? `{t|${title}}  {n|${note}}` : `{t|${title}}`, left: 8, top, padding: 0, textStyle: { ...font, rich: { t: { ...font, fontSize: 12, fontWeight: 600, color: colour("--ink") }, n: font } } });
        top += 20;
        const at = { top, height: empty ? 16 : height };
        o.grid.push({ left, right, top: at.top, height: at.height, show: false });
        o.xAxis.push({
          type: "time", gridIndex: index, min: s.start, max: s.end, axisLabel: { show: false }, axisTick: { show: false },
          axisLine: { show: true, onZero: false, lineStyle: { color: lineStrong } }, splitLine: { show: true, lineStyle: { color: grid } },
          axisPointer: { show: true, type: "line", snap: false, label: { show: false }, lineStyle: { color: ink3, width: 1, type: "solid" } },
        });
        const base = { type: "value", gridIndex: index, axisLine: { show: false }, axisTick: { show: false }, axisLabel: { ...font, showMaxLabel: true, formatter: (v) => number(v) }, splitLine: { lineStyle: { color: grid } }, axisPointer: { show: false } };
        const yIndex = o.yAxis.length;
        o.yAxis.push({ ...base, ...(empty ? { min: 0, max: 1, axisLabel: { show: false }, splitLine: { show: false } } : left_axis) });
        if (right_axis && !empty) o.yAxis.push({ ...base, position: "right", splitLine: { show: false }, ...right_axis });
        if (empty) o.title.push({ text: gettext("Nothing recorded"), left, top: top - 1, padding: 0, textStyle: { ...font, fontStyle: "italic", fontWeight: 400 } });
        top += at.height + LANE_GAP - 18;
        // An empty lane still needs a series, or the pointer would skip it.
        o.series.push({ type: "line", xAxisIndex: index, yAxisIndex: yIndex, data: [[s.start, empty ? 0 : null], [s.end, empty ? 0 : null]], silent: true, symbol: "none", lineStyle: { opacity: 0 } });
        return { index, yIndex, today: { silent: true, symbol: "none", animation: false, label: { show: false }, lineStyle: { color: ink3, type: [2, 3], width: 1 }, data: [{ xAxis: s.asOf }, ...(this.marked === null ? [] : [{ xAxis: this.marked, lineStyle: { color: colour("--accent"), type: "solid", width: 1.5 } }])] } };
      };

      // Alerts
      let at = lane(gettext("Alerts"), "", 22, !s.alerts.length, { min: -1, max: 1, axisLabel: { show: false }, splitLine: { show: false } });
      if (s.alerts.length) {
        o.series.push({
          type: "scatter", id: "alerts", xAxisIndex: at.index, yAxisIndex: at.yIndex, cursor: "pointer", z: 5,
          data: s.alerts.map((a) => ({ value: [a.at, 0], url: a.url, symbol: LEVELS[a.level].symbol, symbolSize: LEVELS[a.level].size, itemStyle: { color: a.closed_on ? colour("--surface") : colour(LEVELS[a.level].colour), borderColor: colour(LEVELS[a.level].colour), borderWidth: 1.75 } })),
          markLine: at.today,
        });
      }

      // Treatment bars
      const rowHeight = 20;
      at = lane(gettext("Treatment"), "", Math.max(1, rows.length) * rowHeight, !rows.length, { min: 0, max: rows.length, inverse: true, axisLabel: { show: false }, splitLine: { show: false } });
      if (rows.length) {
        o.series.push({
          type: "custom", id: "treatments", silent: true, emphasis: { disabled: true }, xAxisIndex: at.index, yAxisIndex: at.yIndex, clip: true, encode: { x: [0, 1], y: 2 },
          data: s.treatments.map((t, i) => [t.at, t.until + DAY, rows.indexOf(t.drug) + 0.5, i]),
          renderItem: (params, api) => {
            const t = s.treatments[api.value(3)];
            const [x0, y] = api.coord([api.value(0), api.value(2)]);
            const [x1] = api.coord([api.value(1), api.value(2)]);
            const area = params.coordSys, from = Math.max(x0, area.x), to = Math.min(x1, area.x + area.width);
            if (to < area.x || from > area.x + area.width) return null;
            const single = t.start === t.end, w = single ? 7 : Math.max(3, to - from), h = rowHeight - 4;
            const mark = { type: "rect", emphasisDisabled: true, shape: { x: single ? from - 3 : from, y: y - h / 2, width: w, height: h, r: 3 }, style: { fill: colour(KINDS[t.kind]), stroke: t.ongoing ? "none" : lineStrong, lineWidth: t.ongoing ? 0 : 0.75 } };
            const text = t.dose ? `${t.drug}  ${t.dose}` : t.drug;
            const label = { type: "text", emphasisDisabled: true, x: from + 6, y, silent: true, style: { text, fill: colour("--ink"), font: `500 11px ${font.fontFamily}`, textVerticalAlign: "middle", width: Math.max(0, w - 10), overflow: "truncate", ellipsis: "…" } };
            if (w > 34) return { type: "group", emphasisDisabled: true, children: [mark, label] };
            // A drug given on single days has no room in its marks: it is named once, before the first or after the last.
            const own = s.treatments.filter((x) => x.drug === t.drug), before = from - area.x > t.drug.length * 7 + 8;
            if (!own.every((x) => x.start === x.end) || t !== (before || own.length === 1 ? own[0] : own[own.length - 1])) return mark;
            if (!before && api.coord([own[0].at, 0])[0] - area.x > t.drug.length * 7 + 8) return mark;
            Object.assign(label, { x: before ? from - 8 : from + 10 });
            Object.assign(label.style, { text: t.drug, width: undefined, textAlign: before ? "right" : "left" });
            return { type: "group", emphasisDisabled: true, children: [mark, label] };
          },
          markLine: at.today,
        });
      }

      // Steroid dose
      const stepData = steps(s);
      const dosing = stepData.length || s.plan.length;
      at = lane(gettext("Glucocorticoid"), gettext("prednisone-equivalent, mg/day"), 78, !dosing, { min: 0, splitNumber: 3 });
      if (dosing && shown("steroid")) {
        const style = { color: colour("--chart-steroid"), width: 1.75 };
        const shared = { type: "line", xAxisIndex: at.index, yAxisIndex: at.yIndex, showSymbol: false, symbol: "none", animation: false };
        o.series.push({ ...shared, id: "steroid", data: stepData, lineStyle: style, itemStyle: { color: style.color }, areaStyle: { color: style.color, opacity: 0.12 }, markLine: at.today });
        if (s.plan.length) {
          const from = latest(s.steroid, s.asOf);
          const dashed = from && s.plan[0].at > s.asOf && from.until + DAY >= s.asOf ? [[s.asOf, from.mg_per_day]] : [];
          o.series.push({ ...shared, id: "plan", step: "end", data: [...dashed, ...s.plan.map((p) => [p.at, p.mg_per_day])], lineStyle: { ...style, type: [4, 4] }, itemStyle: { color: style.color } });
        }
      }

      // CK, log scale. The axis is linear in log10, so that its ticks may be 1, 2, 5 and its thinning sees what the eye sees.
      const value = (p) => (this.timesUln ? (p.uln ? p.value / p.uln : null) : p.value);
      const ck = s.ck.map((p) => [p.at, value(p)]);
      const limits = s.ck.filter((p) => p.uln).map((p) => [p.at, this.timesUln ? 1 : p.uln]);
      const bands = s.bands.map((b) => {
        const near = latest(s.ck.filter((p) => p.uln), b.until);
        const by = this.timesUln ? (near ? near.uln : null) : 1;
        return by ? { ...b, low: b.low / by, high: b.high / by } : null;
      }).filter(Boolean);
      const positive = [...ck.map((p) => p[1]), ...limits.map((p) => p[1]), ...bands.flatMap((b) => [b.low, b.high])].filter((v) => v > 0);
      const low = positive.length ? positive.reduce((a, b) => Math.min(a, b)) / 1.25 : 1, high = positive.length ? positive.reduce((a, b) => Math.max(a, b)) * 1.25 : 10;
      const ticks = logTicks(low, high);
      const log = (v) => (v === null ? null : Math.log10(Math.max(v, low)));
      at = lane("CK", say(gettext("%(unit)s, log scale"), { unit: this.timesUln ? gettext("multiple of the upper limit") : s.ckUnit }), 140, !s.ck.length, {
        min: Math.log10(low), max: Math.log10(high), splitLine: { show: false },
        axisLabel: { ...font, customValues: ticks.map(Math.log10), formatter: (v) => { const n = 10 ** v; return n >= 1000 ? `${number(n / 1000, 1)}k` : String(+n.toPrecision(2)); } },
      });
      if (s.ck.length) {
        // Grid lines at our own ticks, beneath everything else.
        Object.assign(o.series[o.series.length - 1], { z: 0, markLine: { z: 0, silent: true, symbol: "none", animation: false, label: { show: false }, lineStyle: { color: grid, type: "solid", width: 1 }, data: ticks.map((t) => ({ yAxis: Math.log10(t) })) } });
        const many = s.ck.length > 400;
        o.series.push({
          type: "line", id: "ck-limit", xAxisIndex: at.index, yAxisIndex: at.yIndex, data: shown("ck-limit") ? limits.map(([x, v]) => [x, log(v)]) : [], step: "end", symbol: "none", sampling: "lttb", animation: false, silent: true,
          lineStyle: { color: colour("--chart-limit"), width: 1.25, type: [5, 4] }, itemStyle: { color: colour("--chart-limit") },
          markLine: at.today,
          markArea: { silent: true, animation: false, itemStyle: { color: colour("--chart-band"), opacity: 0.9 }, data: shown("ck-band") ? bands.map((b) => [{ coord: [b.at, log(b.low)] }, { coord: [b.until + DAY, log(b.high)] }]) : [] },
          z: 1,
        });
        if (shown("ck")) {
          o.series.push({
            type: "line", id: "ck", xAxisIndex: at.index, yAxisIndex: at.yIndex, data: ck.map(([x, v]) => [x, log(v)]), sampling: "lttb", connectNulls: false, animation: false,
            symbol: "circle", symbolSize: 5.5, showSymbol: !many, showAllSymbol: !many, lineStyle: { color: colour("--chart-ck"), width: many ? 1.25 : 1.75 }, itemStyle: { color: colour("--chart-ck") }, z: 3,
          });
        }
      }

      // Lanes of ordinary lines
      const ordinary = (title, note, list, height, limit) => {
        const used = list.filter((series) => series.points.length);
        const top_of = (axis) => used.filter((x) => x.axis === axis).reduce((most, x) => Math.max(most, x.maximum, ...x.points.map((p) => p.value)), 0);
        const rights = top_of("right");
        const leftAxis = top_of("left") ? { min: 0, max: top_of("left"), interval: top_of("left") / 2 } : { min: 0, max: 1, axisLabel: { show: false } };
        const place = lane(title, note, height, !used.length, leftAxis, rights ? { min: 0, max: rights, interval: rights / 2 } : null);
        used.forEach((series, index) => {
          const style = styleOf(series.key), many = series.points.length > 400;
          o.series.push({
            type: "line", id: series.key, xAxisIndex: place.index, yAxisIndex: place.yIndex + (series.axis === "right" && rights ? 1 : 0), sampling: "lttb", animation: false,
            data: shown(series.key) ? series.points.map((p) => [p.at, p.value]) : [], symbol: style.symbol, symbolSize: style.symbol === "circle" ? 6 : 7, showSymbol: !many, showAllSymbol: !many,
            lineStyle: { color: colour(style.colour), width: 1.75, type: series.axis === "right" ? [5, 3] : "solid" }, itemStyle: { color: colour(style.colour) },
            ...(index === 0 && { markLine: { ...place.today, data: [...place.today.data, ...(limit ? [{ yAxis: limit, lineStyle: { color: colour("--chart-limit"), type: [5, 4] } }] : [])] } }),
          });
        });
      };
      const axisNote = (list) => {
        const on = (axis) => list.filter((x) => x.axis === axis && x.points.length).map((x) => x.label).join(", ");
        if (!on("right")) return on("left");
        const right = say(gettext("%(lines)s (right)"), { lines: on("right") });
        return on("left") ? `${say(gettext("%(lines)s (left)"), { lines: on("left") })} · ${right}` : right;
      };
      ordinary(gettext("Strength and function"), narrow ? "" : axisNote(s.strength), s.strength, 84);
      ordinary(gettext("Scores"), narrow ? "" : axisNote(s.scores), s.scores, 84);
      ordinary(gettext("Lung function"), gettext("% predicted, dashed at 80"), s.lung, 84, 80);

      // Only the lowest lane names the days.
      const foot = o.xAxis[o.xAxis.length - 1];
      foot.axisLabel = { ...font, show: true, hideOverlap: true, formatter: axisDay };
      foot.axisTick = { show: true, lineStyle: { color: lineStrong } };
      this.height = top + 52;
      const all = o.xAxis.map((_, i) => i);
      return {
        ...o, animation: false, backgroundColor: "transparent", textStyle: font,
        axisPointer: { link: [{ xAxisIndex: "all" }], triggerOn: "mousemove|click" },
        tooltip: {
          trigger: "axis", confine: true, transitionDuration: 0, backgroundColor: colour("--surface"), borderColor: colour("--line-strong"), borderWidth: 1, padding: [8, 12],
          textStyle: { color: colour("--ink"), fontFamily: font.fontFamily }, formatter: () => this.tip(this.focusDay ?? this.nearest(this.pointer ?? s.asOf)),
        },
        dataZoom: [
          { type: "inside", xAxisIndex: all, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, moveOnMouseWheel: false, ...this.zoom, minValueSpan: 14 * DAY },
          { type: "slider", xAxisIndex: all, filterMode: "none", bottom: 8, left, right, height: 18, showDetail: false, brushSelect: false, ...this.zoom, minValueSpan: 14 * DAY, borderColor: colour("--line"), backgroundColor: colour("--surface-sunken"), fillerColor: colour("--accent-soft"), handleStyle: { color: colour("--surface"), borderColor: ink2 }, moveHandleStyle: { color: lineStrong }, dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } }, selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } } },
        ],
      };
    }

    draw() {
      const option = this.option();
      this.canvas.style.height = `${this.height}px`;
      this.chart.resize();
      this.chart.setOption(option, { notMerge: true });
    }

    // ---- what is said of a day ----

    nearest(ms) {
      let best = this.days[0], low = 0, high = this.days.length;
      if (best === undefined) return ms;
      while (low < high) { const mid = (low + high) >> 1; if (this.days[mid] < ms) low = mid + 1; else high = mid; }
      best = [this.days[low - 1], this.days[low]].filter((d) => d !== undefined).reduce((a, b) => (Math.abs(a - ms) <= Math.abs(b - ms) ? a : b));
      // Far from any fact the day under the pointer is the better answer.
      const shownSpan = (this.story.end - this.story.start) * (this.zoom.end - this.zoom.start) / 100;
      return Math.abs(best - ms) < shownSpan / 60 ? best : Math.floor(ms / DAY) * DAY;
    }

    // [name, value, note, style] for every line on a day: that day's value, or the newest before it with its own day.
    facts(ms) {
      const s = this.story, rows = [];
      const when = (item) => (item.at === ms ? "" : dayText(item.at));
      for (const alert of s.alerts.filter((a) => a.at === ms)) rows.push([null, `${LEVELS[alert.level].word}: ${alert.closed_on ? say(gettext("%(title)s (closed)"), { title: alert.title }) : alert.title}`]);
      for (const t of s.treatments.filter((x) => x.at <= ms && ms <= x.until)) rows.push([t.drug, t.dose || gettext("in use"), ""]);
      if (s.steroid.length) {
        const dose = latest(s.steroid, ms);
        if (ms <= s.asOf && !this.hidden.has("steroid")) rows.push([gettext("Glucocorticoid"), say(gettext("%(amount)s mg/day"), { amount: number(dose && ms <= dose.until ? dose.mg_per_day : 0) }), "", "--chart-steroid"]);
      }
      const planned = ms > s.asOf ? latest(s.plan, ms) : null;
      if (planned) rows.push([gettext("Planned dose"), say(gettext("%(amount)s mg/day"), { amount: number(planned.mg_per_day) }), when(planned), "--chart-steroid"]);
      const ck = this.hidden.has("ck") ? null : latest(s.ck, ms);
      if (ck) rows.push(["CK", `${ck.comparator}${number(ck.value)} ${s.ckUnit}${ck.uln ? ` · ${number(ck.value / ck.uln, 2)} × ULN ${number(ck.uln)}` : ` · ${gettext("limit unknown")}`}`, when(ck), "--chart-ck"]);
      for (const series of [...s.strength, ...s.scores, ...s.lung]) {
        const point = this.hidden.has(series.key) ? null : latest(series.points, ms);
        if (point) rows.push([series.label, `${number(point.value)}${series.unit ? ` ${series.unit}` : ""}${point.note ? ` (${point.note})` : ""}`, when(point), styleOf(series.key).colour]);
      }
      return rows;
    }

    tip(ms) {
      const box = element("div", "story-tip");
      box.append(element("div", "story-tip-day", dayText(ms)));
      const list = element("dl");
      for (const [name, text, note, token] of this.facts(ms)) {
        if (name === null) { list.append(element("dd", "story-tip-wide", text)); continue; }
        const label = element("dt");
        if (token) { const dot = element("span", "swatch"); dot.style.color = this.colour(token); label.append(dot); }
        label.append(name);
        const value = element("dd", "", text);
        if (note) value.append(" ", element("small", "", note));
        list.append(label, value);
      }
      box.append(list);
      return box;
    }

    sentence(ms) {
      return `${dayText(ms)}. ${this.facts(ms).map(([name, text, note]) => `${name ? `${name} ` : ""}${text}${note ? `, ${note}` : ""}`).join(". ")}`;
    }

    // ---- hands ----

    legend() {
      const box = this.root.querySelector("[data-story-legend]");
      const entries = [];
      if (this.story.steroid.length || this.story.plan.length) entries.push(["steroid", gettext("Glucocorticoid"), "--chart-steroid", "line"]);
      if (this.story.ck.length) entries.push(["ck", "CK", "--chart-ck", "circle"], ["ck-limit", gettext("Upper limit"), "--chart-limit", "dash"]);
      if (this.story.bands.length) entries.push(["ck-band", this.story.bands[0].label, "--good-line", "rect"]);
      for (const s of [...this.story.strength, ...this.story.scores, ...this.story.lung]) if (s.points.length) entries.push([s.key, s.label, styleOf(s.key).colour, styleOf(s.key).symbol]);
      const shapes = { circle: '<circle cx="6" cy="6" r="4.5"/>', rect: '<rect x="2" y="2" width="8" height="8"/>', triangle: '<path d="M6 1.5 11 10.5H1z"/>', diamond: '<path d="M6 .8 11.2 6 6 11.2.8 6z"/>', line: '<rect x="0" y="5" width="12" height="2.5"/>', dash: '<path d="M0 5h5v2H0zM7 5h5v2H7z"/>' };
      for (const [key, label, token, shape] of entries) {
        const button = element("button");
        button.type = "button";
        button.setAttribute("aria-pressed", "true");
        button.innerHTML = `<svg class="story-key" viewBox="0 0 12 12" fill="currentColor" aria-hidden="true">${shapes[shape]}</svg>`;
        button.firstChild.style.color = `var(${token})`;
        button.append(label);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(key)) this.hidden.add(key);
          button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
          this.draw();
        });
        box.append(button);
      }
    }

    // The first day asked for is marked; a second one is compared with it.
    mark(day) {
      const page = this.root.dataset.storyCompare;
      if (!page || day === undefined) return;
      const ms = Math.min(day, this.story.asOf);  // what is planned was not measured yet
      const iso = (day) => new Date(day).toISOString().slice(0, 10);
      if (this.marked !== null && this.marked !== ms) { globalThis.location.assign(`${page}?a=${iso(this.marked)}&b=${iso(ms)}`); return; }
      this.marked = this.marked === ms ? null : ms;
      this.root.querySelector("[data-story-readout]").textContent = this.marked === null ? gettext("No day is marked.") : say(gettext("%(day)s is marked. Mark another day to compare the two."), { day: dayText(ms) });
      this.draw();
    }

    setZoom(start, end) {
      this.zoom = { start: Math.max(0, start), end: Math.min(100, end) };
      this.chart.dispatchAction({ type: "dataZoom", ...this.zoom });
    }

    go(index) {
      if (!this.days.length) return;
      this.cursor = Math.max(0, Math.min(this.days.length - 1, index));
      const ms = this.days[this.cursor];
      const where = ((ms - this.story.start) / (this.story.end - this.story.start || 1)) * 100;
      const span = this.zoom.end - this.zoom.start;
      if (where < this.zoom.start || where > this.zoom.end) { const from = Math.max(0, Math.min(100 - span, where - span / 2)); this.setZoom(from, from + span); }
      this.focusDay = ms;
      const x = this.chart.convertToPixel({ xAxisIndex: 0 }, ms);
      this.chart.dispatchAction({ type: "updateAxisPointer", currTrigger: "mousemove", x, y: 40 });
      this.chart.dispatchAction({ type: "showTip", x, y: 40 });
      this.root.querySelector("[data-story-readout]").textContent = this.sentence(ms);
    }

    listen() {
      // The library snaps to the nearest point of each line; what is said is of the day under the pointer or the keyboard.
      this.chart.getZr().on("mousemove", (event) => { this.focusDay = null; this.pointer = this.chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX); });
      this.chart.on("datazoom", () => { const { start, end } = this.chart.getOption().dataZoom[0]; this.zoom = { start, end }; this.ranges(null); });
      this.chart.on("click", (event) => { if (event.data && event.data.url && !event.event.event.shiftKey) globalThis.location.assign(event.data.url); });
      this.chart.getZr().on("click", (event) => { if (event.event.shiftKey) this.mark(this.nearest(this.chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX))); });
      new ResizeObserver(() => { if (this.canvas.clientWidth !== this.width) { this.width = this.canvas.clientWidth; this.draw(); } }).observe(this.canvas);
      document.addEventListener("theme:changed", () => this.draw());
      const uln = this.root.querySelector("[data-story-uln]");
      if (!this.story.ck.some((p) => p.uln)) uln.hidden = true;
      uln.addEventListener("click", () => { this.timesUln = !this.timesUln; uln.setAttribute("aria-pressed", String(this.timesUln)); this.draw(); });
      for (const button of this.root.querySelectorAll("[data-story-range]")) {
        button.addEventListener("click", () => {
          const days = button.dataset.storyRange, whole = (this.story.end - this.story.start) / DAY || 1;
          this.setZoom(days === "all" ? 0 : 100 - (Number(days) / whole) * 100, 100);
          this.ranges(button);
        });
      }
      this.canvas.addEventListener("keydown", (event) => {
        const span = this.zoom.end - this.zoom.start, middle = (this.zoom.start + this.zoom.end) / 2;
        const keys = {
          ArrowLeft: () => this.go(this.cursor - 1), ArrowRight: () => this.go(this.cursor + 1),
          PageUp: () => this.go(this.cursor - 10), PageDown: () => this.go(this.cursor + 10),
          Home: () => this.setZoom(0, 100), End: () => this.go(this.days.length - 1),
          "+": () => this.setZoom(middle - span / 4, middle + span / 4), "=": () => this.setZoom(middle - span / 4, middle + span / 4),
          "-": () => this.setZoom(middle - span, middle + span),
          Escape: () => this.chart.dispatchAction({ type: "hideTip" }),
          c: () => this.mark(this.days[this.cursor]),
          Enter: () => { const alert = this.story.alerts.find((a) => a.at === this.days[this.cursor] && a.url); if (alert) globalThis.location.assign(alert.url); },
        };
        if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
        event.preventDefault();
        keys[event.key]();
      });
      this.canvas.addEventListener("blur", () => this.chart.dispatchAction({ type: "hideTip" }));
    }

    ranges(chosen) { for (const button of this.root.querySelectorAll("[data-story-range]")) button.setAttribute("aria-pressed", String(button === chosen)); }
  }

  function start(root) {
    for (const story of root.querySelectorAll("[data-story]:not(.is-live)")) if (globalThis.echarts) story.storyChart = new StoryChart(story);
  }
  start(document);
  document.addEventListener("htmx:afterSettle", (event) => start(event.detail.elt));
})();
