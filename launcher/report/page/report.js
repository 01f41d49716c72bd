// The page of a comparison, from the JSON that the program put into it (docs/compare.md).
"use strict";
(() => {
  const {element: e, shortNumber} = ConvoyCharts;
  const report = JSON.parse(document.getElementById("report").textContent);
  const page = document.getElementById("page");
  const modes = report.modes, shown = modes.filter(mode => mode.judged);
  let colors = 0;
  for (const mode of shown) mode.color = mode.name === "single" ? "--c0" : "--c" + (colors++ % 7 + 1);
  const severalRates = new Set(modes.map(mode => mode.learning_rate)).size > 1;
  const split = {validation: "validation", train: "training"};
  const charts = [];

  // ------------------------------------------------------------------------------------------- numbers
  const fixed = (value, digits) => value.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});
  const count = value => value == null ? "–" : Math.round(value).toLocaleString("en");
  const minutes = whole => `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const seconds = value => value == null ? "–" : value < 9.995 ? fixed(value, 2) + " s" : value < 119.95 ? fixed(value, 1) + " s"
    : minutes(Math.round(value));
  const metricText = value => value == null ? "–" : fixed(value, Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 2 : 4);
  const tick = value => value == null ? "" : String(+value.toPrecision(4));
  const bytes = value => {
    if (value == null) return "–";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    for (; value >= 999.5 && unit < 4; ++unit) value /= 1000;
    return (unit ? fixed(value, 1) : String(value)) + " " + units[unit];
  };
  const percent = value => value == null ? "–" : Math.round(100 * value) + " %";
  const waited = mode => mode.workers.map(worker => worker.waited / worker.trained);
  const title = (name, of = split[report.split]) => `${of} ${name}`;

  // ------------------------------------------------------------------------------------------- head
  const themeButton = () => {
    const root = document.documentElement, dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark();
    const button = e("button", {id: "theme", title: "light or dark"}, "");
    const name = () => { button.textContent = isDark() ? "☀ light" : "☾ dark"; };
    button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); charts.forEach(chart => chart.redraw()); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { name(); charts.forEach(chart => chart.redraw()); });
    name();
    return button;
  };
  const head = () => e("header", {}, e("div", {},
    e("h1", {}, report.job + ": modes compared"),
    e("p", {class: "about"}, `${report.epochs} epoch${report.epochs === 1 ? "" : "s"} of ${count(report.epoch_examples)} examples, batch ${count(report.batch_size)}, ` +
      `${report.servers} server${report.servers === 1 ? "" : "s"} and ${report.workers} worker${report.workers === 1 ? "" : "s"} on ${report.cores} cores, ` +
      `${report.runs.length} runs one after the other`),
    e("div", {class: "badges"},
      report.target ? e("span", {class: "badge"}, `target: ${title(report.target.metric, split[report.target.split])} ${report.target.at_least ? "≥" : "≤"} ${report.target.value}`) : null,
      ...report.rehearsal.map(what => e("span", {class: "badge " + (what.startsWith("a link") ? "model" : "slow")},
        what.startsWith("a link") ? what + " (modelled)" : what)))),
    e("div", {class: "tools"}, themeButton()));

  // A number and its unit stay on one line.
  const together = text => text.replace(/(\d) (s|%|min)(?=[\s.,;:)]|$)/g, "$1\u00a0$2");
  const verdict = () => e("section", {class: "card verdict", id: "verdict"},
    e("p", {class: "headline"}, together(report.headline)),
    e("ul", {}, ...report.verdict.map(sentence => e("li", {}, together(sentence)))),
    e("details", {}, e("summary", {}, "The rule by which this follows from the numbers"), e("p", {}, report.rule)));

  const notes = () => report.notes.length ? e("section", {class: "card notes", id: "notes"},
    e("ul", {}, ...report.notes.map(note => e("li", {}, note)))) : null;

  // ------------------------------------------------------------------------------------------- table
  const spread = (value, text) => value == null ? ["–"] : [text(value.median),
    text(value.low) !== text(value.high) ? e("span", {class: "range"}, `${text(value.low)} – ${text(value.high)}`) : null];
  const best = (of, less) => {
    const values = shown.filter(mode => mode.runs && !mode.failed).map(of).filter(value => value != null);
    return values.length > 1 ? (less ? Math.min(...values) : Math.max(...values)) : null;
  };
  const name = mode => [e("i", {class: "dot", style: `background:var(${mode.color || "--line"})`}), mode.name,
    severalRates ? e("span", {class: "range"}, "rate " + mode.learning_rate) : null];

  const modeTable = () => {
    const ends = report.target && [best(mode => mode.reached === mode.runs ? mode.seconds_to_target?.median : null, true),
                                   best(mode => mode.reached === mode.runs ? mode.examples_to_target?.median : null, true)];
    const bestLast = best(mode => mode.last?.median, !report.larger_is_better), bestSpeed = best(mode => mode.examples_per_second?.median, false);
    const cell = (value, text, isBest) => e("td", {class: isBest ? "best" : ""}, ...spread(value, text));
    const reached = mode => mode.reached === 0 ? e("td", {}, mode.runs ? "not reached" : "failed")
      : e("td", {class: mode.seconds_to_target.median === ends[0] ? "best" : ""}, ...spread(mode.seconds_to_target, seconds),
          mode.reached < mode.runs ? e("span", {class: "range bad"}, `${mode.reached} of ${mode.runs} runs`) : null);
    const share = mode => {
      const all = waited(mode);
      return !all.length ? "–" : all.length === 1 ? percent(all[0]) : `${percent(Math.min(...all))} – ${percent(Math.max(...all))}`;
    };
    const drops = shown.some(mode => mode.dropped_gradients?.high > 0);
    const row = mode => e("tr", {class: mode.judged ? "" : "other"}, e("td", {}, ...name(mode)),
      ...(report.target ? [reached(mode), cell(mode.examples_to_target, count, mode.examples_to_target?.median === ends[1])] : []),
      cell(mode.last, metricText, mode.last && mode.last.median === bestLast),
      cell(mode.examples_per_second, count, mode.examples_per_second && mode.examples_per_second.median === bestSpeed),
      cell(mode.bytes && mode.bytes.high > 0 ? mode.bytes : null, bytes), cell(mode.staleness && mode.workers.length ? mode.staleness : null, value => fixed(value, 2)),
      e("td", {}, share(mode)), drops ? cell(mode.dropped_gradients, count) : null,
      e("td", {class: mode.failed ? "bad" : ""}, `${mode.runs}${mode.failed ? ` + ${mode.failed} failed` : ""}`));
    return e("section", {class: "card", id: "modes"}, e("h2", {}, "The modes"),
      e("p", {class: "hint"}, "Medians over the seeds, with their range below. Best of a column in green" + (severalRates ? "; each mode at its best learning rate, other rates in grey below." : ".")),
      e("div", {class: "scroll"}, e("table", {}, e("thead", {}, e("tr", {}, e("th", {}, "mode"),
        ...(report.target ? [e("th", {}, "time to target"), e("th", {}, "examples to it")] : []),
        e("th", {}, "last " + title(report.metric)), e("th", {}, "examples/s"), e("th", {}, "bytes moved"), e("th", {}, "staleness, mean"),
        e("th", {}, "workers waited"), drops ? e("th", {}, "gradients dropped") : null, e("th", {}, "runs"))),
        e("tbody", {}, ...shown.map(row), ...modes.filter(mode => !mode.judged).map(row)))));
  };

  // ------------------------------------------------------------------------------------------- curves
  // Means over the points around each, a fiftieth of all to either side.
  const smoothed = values => {
    const reach = Math.max(1, Math.round(values.length / 50));
    return values.map((value, i) => {
      if (value == null) return null;
      const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter(other => other != null);
      return near.reduce((sum, other) => sum + other, 0) / near.length;
    });
  };

  // Of each judged mode, the runs' columns; the run in the middle of the last values is the main one.
  const groupsOf = (part, metric, axis, smooth) => shown.map(mode => {
    const index = modes.indexOf(mode);
    const runs = report.runs.filter(run => run.mode === index).map(run => {
      const at = run[part].metrics.indexOf(metric);
      return {x: run[part][axis], y: at < 0 ? [] : smooth ? smoothed(run[part].values[at]) : run[part].values[at]};
    }).filter(run => run.x.length && run.y.length);
    const order = runs.map((run, i) => [run.y.at(-1) ?? -Infinity, i]).sort((a, b) => a[0] - b[0]);
    return {name: mode.name, color: mode.color, runs, main: order.length ? order[order.length >> 1][1] : 0};
  }).filter(group => group.runs.length);

  const metricsOf = part => {
    const names = new Set(report.runs.flatMap(run => run[part].metrics));
    return [report.metric, "loss", ...names].filter((metric, i, all) => names.has(metric) && all.indexOf(metric) === i);
  };

  const axes = [["examples", "examples", "by example", shortNumber], ["updates", "updates", "by update", shortNumber],
                ["seconds", "wall seconds", "by wall second", value => tick(value)]];

  const curves = () => {
    const parts = ["validation", "train"].filter(part => report.runs.some(run => run[part].seconds.length));
    if (!parts.length) return null;
    const state = {part: parts.includes(report.split) ? report.split : parts[0]};
    state.metric = metricsOf(state.part)[0];
    const rows = e("div"), controls = e("div", {class: "controls"});
    const hidden = new Set();

    const drawRow = metric => {
      const row = e("div", {class: "row"});
      rows.append(row);
      for (const [axis, label, how, xText] of axes) {
        const isTarget = report.target && report.target.metric === metric && report.target.split === state.part;
        const chart = ConvoyCharts.lines(row, {
          name: `${state.part}/${metric}/${axis}`, title: `${title(metric, split[state.part])} ${how}`, xLabel: label, xText, yText: tick,
          xUnit: axis === "seconds" ? "s" : axis, groups: groupsOf(state.part, metric, axis, state.smooth && state.part === "train"), target: isTarget ? report.target.value : null, sync: axis});
        hidden.forEach(name => chart.setVisible(name, false));
        charts.push(chart);
      }
    };
    const draw = () => {
      charts.splice(0).forEach(chart => chart.plot.destroy());
      rows.replaceChildren();
      drawRow(state.metric);
      if (state.metric !== "loss" && metricsOf(state.part).includes("loss")) drawRow("loss");
    };
    const toggleSmooth = event => {
      state.smooth = event.target.checked;
      draw();
    };
    const choice = (text, on, act) => e("button", {class: "choice", "aria-pressed": String(on), onclick: act}, text);
    const drawControls = () => controls.replaceChildren(...[
      e("div", {class: "group"}, ...parts.map(part => choice(split[part], part === state.part, () => {
        state.part = part;
        if (!metricsOf(part).includes(state.metric)) state.metric = metricsOf(part)[0];
        drawControls();
        draw();
      }))),
      e("label", {class: "group"}, "metric ", e("select", {id: "metric", onchange: event => { state.metric = event.target.value; draw(); }},
        ...metricsOf(state.part).map(metric => e("option", {value: metric, selected: metric === state.metric ? "" : null}, metric)))),
      state.part === "train" ? e("label", {class: "group", title: "means over neighbouring points; extremes are no longer drawn then"},
        e("input", {type: "checkbox", id: "smooth", checked: state.smooth ? "" : null, onchange: toggleSmooth}), "smooth") : null,
      e("div", {class: "group legend"}, ...shown.map(mode => e("button", {class: "chip", "data-mode": mode.name, "aria-pressed": String(!hidden.has(mode.name)),
        onclick: event => {
          const on = hidden.has(mode.name);
          if (on) hidden.delete(mode.name); else hidden.add(mode.name);
          event.currentTarget.setAttribute("aria-pressed", String(on));
          charts.forEach(chart => chart.setVisible(mode.name, on));
        }}, e("i", {class: "dot", style: `background:var(${mode.color})`}), mode.name)))].filter(part => part));
    drawControls();
    const section = e("section", {class: "card", id: "curves"}, e("h2", {}, "Curves"),
      e("p", {class: "hint"}, "The same runs against three rulers: what they learn from an example, from an update, and in a second. Bold: the seed in the middle; thin: the other seeds. " +
        "Hover for values, drag to zoom, double-click to go back, click a mode to hide it."), controls, rows);
    return [section, draw];
  };

  // ------------------------------------------------------------------------------------------- bars
  const bars = () => {
    const grid = e("div", {class: "bars"});
    const item = (mode, value, text) => ({name: mode.name, color: mode.color, value: value?.median, low: value?.low, high: value?.high, text: value ? text(value.median) : "–"});
    if (report.target) {
      ConvoyCharts.bars(grid, {title: "seconds to the target", items: shown.map(mode => mode.seconds_to_target ? item(mode, mode.seconds_to_target, seconds) : {...item(mode, null), text: "not reached"})});
      ConvoyCharts.bars(grid, {title: "examples to the target", items: shown.map(mode => mode.examples_to_target ? item(mode, mode.examples_to_target, count) : {...item(mode, null), text: "not reached"})});
    }
    ConvoyCharts.bars(grid, {title: "examples per second", items: shown.map(mode => item(mode, mode.examples_per_second, count))});
    ConvoyCharts.bars(grid, {title: "bytes moved between workers and servers", items: shown.map(mode => item(mode, mode.bytes, bytes))});
    return e("section", {class: "card", id: "bars"}, e("h2", {}, "Time, speed and traffic"),
      e("p", {class: "hint"}, "Medians over the seeds; the dark line is their range."), grid);
  };

  const waits = () => {
    const withWorkers = shown.filter(mode => mode.workers.length);
    if (!withWorkers.length) return null;
    const grid = e("div", {class: "bars"});
    for (const mode of withWorkers) {
      ConvoyCharts.bars(grid, {title: mode.name, most: 1, items: mode.workers.map(worker => ({
        name: "worker " + worker.rank, color: mode.color, value: worker.waited / worker.trained, slept: worker.delayed / worker.trained,
        text: percent(worker.waited / worker.trained) + (worker.delayed > 0 ? ` + ${percent(worker.delayed / worker.trained)}` : "")}))});
    }
    return e("section", {class: "card", id: "waits"}, e("h2", {}, "How long each worker waited"),
      e("p", {class: "hint"}, "Share of its training time in which a worker waited for servers, other workers or the next data task" +
        (modes.some(mode => mode.workers.some(worker => worker.delayed > 0)) ? "; pale red: in which it slept, because it is slowed on purpose." : ".")), grid);
  };

  const staleness = () => {
    const stale = shown.filter(mode => mode.staleness_histogram.length);
    if (!stale.length) return null;
    const grid = e("div", {class: "small"});
    for (const mode of stale) {
      const total = mode.staleness_histogram.reduce((sum, bar) => sum + bar.count, 0);
      const last = Math.max(...mode.staleness_histogram.map(bar => bar.from));
      const all = [];
      for (let from = 0; from <= last; from = from < 15 ? from + 1 : from < 16 ? 16 : 2 * from) {
        const bar = mode.staleness_histogram.find(one => one.from === from) || {from, to: from < 16 ? from : 2 * from - 1, count: 0};
        const range = bar.from === bar.to ? String(bar.from) : `${bar.from}–${bar.to}`;
        all.push({name: bar.from === bar.to ? range : bar.from + "+", share: bar.count / total, tip: `${range} updates old: ${count(bar.count)} (${fixed(100 * bar.count / total, 1)} %)`});
      }
      ConvoyCharts.columns(grid, {title: mode.name, color: mode.color, columns: all, note: `mean ${fixed(mode.staleness.median, 2)} updates`});
    }
    return e("section", {class: "card", id: "staleness"}, e("h2", {}, "How old gradients were"),
      e("p", {class: "hint"}, "Updates that the servers applied to the same weights between the pull and the push of a gradient, over all runs. Modes that are not here apply no stale gradients."), grid);
  };

  // ------------------------------------------------------------------------------------------- facts
  const facts = () => e("section", {class: "card", id: "facts"}, e("h2", {}, "What is equal and what is not"),
    e("p", {class: "hint"}, "Equal for all: examples, data and their split, initial weights and order of the examples of a seed. What differs is how many examples stand behind an update, " +
      "and how old the weights are from which a gradient was computed; so a learning rate does not mean the same in each mode."),
    e("div", {class: "scroll"}, e("table", {}, e("thead", {}, e("tr", {}, e("th", {}, "mode"), e("th", {}, "learning rate"), e("th", {}, "examples of an update"),
      e("th", {}, "updates an epoch"), e("th", {class: "text"}, "weights are behind by"), e("th", {class: "text"}, "rule for the rate"))),
      e("tbody", {}, ...shown.map(mode => e("tr", {}, e("td", {}, ...name(mode)), e("td", {}, String(mode.learning_rate)), e("td", {}, count(mode.facts.examples_per_update)),
        e("td", {}, mode.facts.updates_per_epoch ? count(mode.facts.updates_per_epoch) : "–"), e("td", {class: "text"}, mode.facts.weights_behind),
        e("td", {class: "text"}, mode.facts.rate_rule)))))));

  const runs = () => e("section", {class: "card", id: "runs"}, e("h2", {}, "The runs"), e("div", {class: "scroll"}, e("table", {},
    e("thead", {}, e("tr", {}, e("th", {}, "mode"), e("th", {}, "seed"), e("th", {}, "wall time"), report.target ? e("th", {}, "to target") : null,
      e("th", {}, "last " + title(report.metric)), e("th", {}, "examples"), e("th", {}, "updates"), e("th", {class: "text"}, "run directory"))),
    e("tbody", {}, ...report.runs.map(run => e("tr", {}, e("td", {}, ...name(modes[run.mode])), e("td", {}, String(run.seed)), e("td", {}, seconds(run.wall_seconds)),
      report.target ? e("td", {}, seconds(run.seconds_to_target)) : null, e("td", {}, metricText(run.last)), e("td", {}, count(run.examples)), e("td", {}, count(run.updates)),
      e("td", {class: "text"}, e("code", {}, run.directory), run.failure ? e("div", {class: "bad"}, "did not end as planned: " + run.failure.split("\n")[0]) : null,
        run.damaged_lines ? e("div", {class: "bad"}, `${run.damaged_lines} damaged line${run.damaged_lines === 1 ? "" : "s"} of events.jsonl left out: ${run.first_damage}`) : null)))))));

  const foot = () => {
    const points = report.runs.reduce((sum, run) => sum + run.points, 0);
    const drawn = report.runs.reduce((sum, run) => sum + run.train.seconds.length + run.validation.seconds.length, 0);
    return e("footer", {}, `Convoy ${report.convoy}. `, drawn < points ? `Of ${count(points)} measured points ${count(drawn)} are drawn: of each stretch those in which a value is smallest or largest; ` +
      "curves.csv beside this page has them all. " : `All ${count(points)} measured points are drawn. `, "Numbers: report.json, runs.csv.");
  };

  const [curveSection, drawCurves] = curves() || [null, () => {}];
  page.append(...[head(), verdict(), notes(), modeTable(), curveSection, bars(), waits(), staleness(), facts(), runs(), foot()].filter(part => part));
  drawCurves();
  // Paper is white: what is printed is light.
  let before = null;
  addEventListener("beforeprint", () => { before = document.documentElement.dataset.theme || ""; document.documentElement.dataset.theme = "light"; charts.forEach(chart => chart.redraw()); });
  addEventListener("afterprint", () => {
    if (before) document.documentElement.dataset.theme = before; else delete document.documentElement.dataset.theme;
    charts.forEach(chart => chart.redraw());
  });
  window.convoyReport = {report, charts};
})();
