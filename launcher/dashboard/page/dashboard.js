// The page of a running job: asks its coordinator once a second what is new (docs/watching.md).
"use strict";
(() => {
  const {element: e, shortNumber} = ConvoyCharts;
  const page = document.getElementById("page");
  const MOST_SERIES = 32, MOST_POINTS = 6000;

  // ------------------------------------------------------------------------------------------- numbers
  const fixed = (value, digits) => value.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});
  const count = value => value == null ? "–" : Math.round(value).toLocaleString("en");
  const percent = value => value == null ? "–" : Math.round(100 * value) + " %";
  const metricText = value => value == null ? "–" : fixed(value, Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 2 : 4);
  const tick = value => value == null ? "" : String(+value.toPrecision(4));
  const bytes = value => {
    if (value == null) return "–";
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    for (; value >= 999.5 && unit < 4; ++unit) value /= 1000;
    return (unit ? fixed(value, 1) : String(Math.round(value))) + " " + units[unit];
  };
  const perSecond = value => value == null ? "–" : bytes(value) + "/s";
  const clock = value => {
    if (value == null) return "–";
    const all = Math.ceil(value), two = number => String(number).padStart(2, "0");
    return all >= 3600 ? `${Math.floor(all / 3600)}:${two(Math.floor(all / 60) % 60)}:${two(all % 60)}` : `${Math.floor(all / 60)}:${two(all % 60)}`;
  };
  const percentTick = value => value == null ? "" : Math.round(100 * value) + " %";
  const bytesTick = value => value == null ? "" : bytes(value).replace(/\.0 /, " ");

  // ------------------------------------------------------------------------------------------- what came so far
  const seen = {events: 0, samples: 0, thinned: 0};
  const curves = {train: new Map(), validation: new Map(), validation_old: new Map()};  // metric -> {x, y}
  let samples = [];

  const addPoint = (split, name, x, y) => {
    if (!curves[split].has(name)) curves[split].set(name, {x: [], y: []});
    const curve = curves[split].get(name);
    // What an earlier life of the job said of later steps did not happen.
    while (curve.x.length && curve.x.at(-1) >= x) { curve.x.pop(); curve.y.pop(); }
    curve.x.push(x);
    curve.y.push(y);
    if (curve.x.length < MOST_POINTS) return;
    for (const values of [curve.x, curve.y]) values.splice(0, values.length, ...values.filter((_, i) => i % 2 === 0 || i === values.length - 1));
  };
  const METRICS = ["loss", "accuracy", "rmse"];
  const addEvent = line => {
    let event;
    try { event = JSON.parse(line); } catch { return; }
    if (!(event.kind in curves) || typeof event.examples !== "number") return;
    for (const name of METRICS) if (name in event) addPoint(event.kind, name, event.examples, event[name]);
    for (const [name, value] of Object.entries(event.own || {})) addPoint(event.kind, name, event.examples, value);
  };

  // ------------------------------------------------------------------------------------------- parts of the page
  const charts = [];
  const themeButton = () => {
    const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
    const button = e("button", {id: "theme", title: "light or dark"});
    const name = () => { button.textContent = isDark() ? "☀ light" : "☾ dark"; };
    const redraw = () => { name(); charts.forEach(({chart}) => chart.redraw()); };
    button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; redraw(); });
    dark.addEventListener("change", redraw);
    name();
    return button;
  };
  const parts = {};
  const part = (name, tag = "div", attributes = {}) => parts[name] = e(tag, {id: name, ...attributes});
  page.append(
    e("header", {}, e("div", {}, part("job", "h1"), part("about", "p", {class: "about"})), e("div", {class: "tools"}, themeButton())),
    part("gone", "section", {class: "card gone", hidden: ""}),
    e("section", {class: "card"}, part("state", "div", {class: "state"}), e("div", {class: "progress"}, part("bar", "i", {style: "width:0"})), part("figures", "dl", {class: "figures"})),
    part("warnings", "section", {class: "card notes", hidden: ""}),
    e("section", {class: "card"}, e("h2", {}, "Curves"), e("div", {class: "about"}, ...[["training", "--c1"], ["validation", "--c2"], ["validation of old data", "--c3"]].map(([name, hue]) =>
      e("span", {class: "legend"}, e("i", {class: "dot", style: `background:var(${hue})`}), name))), part("curves", "div", {class: "row many"})),
    e("section", {class: "card"}, e("h2", {}, "Workers"), part("workersNote", "p", {class: "hint"}), e("div", {class: "scroll"}, part("workers", "table")), part("workerCharts", "div", {class: "row many"})),
    part("serverCard", "section", {class: "card"}),
    e("section", {class: "card"}, e("h2", {}, "What happened"), part("events", "ul", {class: "events"})),
    e("footer", {}, "The page asks once a second, and changes nothing. Charts: drag to zoom, double click to see all. Rates are means over five seconds."));
  parts.serverCard.append(e("h2", {}, "Servers"), e("div", {class: "scroll"}, part("servers", "table")), part("serverCharts", "div", {class: "row many"}));

  const color = i => "--c" + (i % 7 + 1);
  const addChart = (parent, options, groupsOf) => {
    const chart = ConvoyCharts.lines(parent, {groups: groupsOf(), height: 200, ...options});
    charts.push({chart, groupsOf});
  };
  // A group of each process; `which`: position in a sample, `column`: in its numbers.
  const sampleGroups = (which, column, name) => () => {
    const most = Math.min(MOST_SERIES, Math.max(0, ...samples.slice(-1).map(sample => sample[which].length)));
    const x = samples.map(sample => sample[0]);
    return Array.from({length: most}, (_, rank) => ({name: `${name} ${rank}`, color: color(rank),
      runs: [{x, y: samples.map(sample => sample[which][rank]?.[column] ?? null)}]}));
  };
  const time = {xLabel: "since the training began", xText: clock, sync: "time"};
  const fromZero = (u, low, high) => [0, (high || 1) * 1.06];
  addChart(parts.workerCharts, {...time, name: "step", title: "step", yText: shortNumber}, sampleGroups(1, 0, "worker"));
  addChart(parts.workerCharts, {...time, name: "examples_per_second", title: "examples per second", yRange: fromZero}, sampleGroups(1, 1, "worker"));
  addChart(parts.workerCharts, {...time, name: "waiting", title: "share of time waiting", yText: percentTick, yRange: () => [0, 1]}, sampleGroups(1, 2, "worker"));
  addChart(parts.workerCharts, {...time, name: "staleness", title: "staleness, updates", yText: tick, yRange: fromZero}, sampleGroups(1, 3, "worker"));
  addChart(parts.serverCharts, {...time, name: "received", title: "received per second", yText: bytesTick, yRange: fromZero}, sampleGroups(2, 0, "server"));
  addChart(parts.serverCharts, {...time, name: "sent", title: "sent per second", yText: bytesTick, yRange: fromZero}, sampleGroups(2, 1, "server"));
  addChart(parts.serverCharts, {...time, name: "parked", title: "parked pulls", yText: tick, yRange: fromZero}, sampleGroups(2, 2, "server"));

  // The metrics of a model are known when the first report has come.
  const drawn = new Set();
  const addCurves = () => {
    for (const name of [...curves.train.keys(), ...curves.validation.keys()]) {
      if (drawn.has(name)) continue;
      drawn.add(name);
      addChart(parts.curves, {name: "curve-" + name, title: name, xLabel: "examples", yText: metricText, sync: "examples", height: 230},
        () => [["train", "training", "--c1"], ["validation", "validation", "--c2"], ["validation_old", "validation of old data", "--c3"]].filter(([split]) => curves[split].has(name))
          .map(([split, title, hue]) => ({name: title, color: hue, runs: [curves[split].get(name)]})));
    }
  };

  const table = (target, names, rows) => target.replaceChildren(
    e("thead", {}, e("tr", {}, ...names.map(name => e("th", {}, name)))),
    e("tbody", {}, ...rows.map(row => e("tr", {}, ...row.map(cell => e("td", {}, cell))))));
  const doing = process => process.silent != null ? `silent for ${Math.round(process.silent)} s` : process.finished ? "done"
    : process.activity === "training" ? "" : process.activity;
  const dot = (name, rank) => e("span", {}, e("i", {class: "dot", style: `background:var(${color(rank)})`}), `${name} ${rank}`);

  // ------------------------------------------------------------------------------------------- the present
  const show = view => {
    document.title = `${Math.floor(100 * view.fraction)} % ${view.job} – Convoy`;
    parts.job.textContent = view.job;
    parts.about.textContent = `mode ${view.mode}, ${view.servers.length} server${view.servers.length === 1 ? "" : "s"}, ${view.workers.length} worker${view.workers.length === 1 ? "" : "s"}`;
    parts.state.textContent = view.state + (view.waiting_for ? ", waiting for " + view.waiting_for : "");
    parts.state.classList.toggle("failed", view.state.startsWith("failed"));
    parts.bar.style.width = 100 * view.fraction + "%";
    const last = (split, name) => metricText(curves[split].get(name)?.y.at(-1));
    const figures = [["epoch", view.epochs ? `${view.epoch} of ${view.epochs}` : "–"], ["step", view.steps ? `${count(view.step)} of ${count(view.steps)}` : count(view.step)],
      ["examples per second", count(view.examples_per_second)], ["time", clock(view.seconds)], ["left", view.ended ? "–" : clock(view.left)],
      ...[...curves.train.keys()].slice(0, 2).map(name => ["training " + name, last("train", name)]),
      ...[...curves.validation.keys()].slice(0, 2).map(name => ["validation " + name, last("validation", name)]),
      ["checkpoints", view.checkpoints ? `${view.checkpoints}, step ${count(view.newest_checkpoint)}` : "none yet"],
      ...(view.skipped ? [["skipped gradients", count(view.skipped)]] : []), ...(view.dropped ? [["late slices", count(view.dropped)]] : [])];
    parts.figures.replaceChildren(...figures.map(([name, value]) => e("div", {}, e("dt", {}, name), e("dd", {}, value))));
    parts.warnings.hidden = !view.warnings.length;
    parts.warnings.replaceChildren(e("ul", {}, ...view.warnings.map(text => e("li", {}, text))));
    parts.workersNote.textContent = view.workers.length > MOST_SERIES ? `The charts show the first ${MOST_SERIES} of ${view.workers.length} workers.` : "";
    table(parts.workers, ["worker", "step", "examples/s", "waiting", "staleness", "received", "sent", "memory", "CPU", ""], view.workers.map(worker => [
      dot("worker", worker.rank), count(worker.step), count(worker.examples_per_second), percent(worker.waiting), worker.staleness == null ? "–" : fixed(worker.staleness, 1),
      perSecond(worker.received_per_second), perSecond(worker.sent_per_second), bytes(worker.memory), percent(worker.cpu), doing(worker)]));
    parts.serverCard.hidden = !view.servers.length;
    table(parts.servers, ["server", "received", "sent", "in all", "rows", "parked pulls", "early gradients", "memory", "CPU", ""], view.servers.map(server => [
      dot("server", server.rank), perSecond(server.received_per_second), perSecond(server.sent_per_second), bytes(server.received + server.sent),
      server.rows ? count(server.rows) : "–", count(server.parked), bytes(server.stored), bytes(server.memory), percent(server.cpu), doing(server)]));
    parts.events.replaceChildren(...view.lines.slice().reverse().map(text => e("li", {}, text)));
    addCurves();
    charts.forEach(({chart, groupsOf}) => chart.setGroups(groupsOf()));
  };

  const gone = text => {
    parts.gone.hidden = !text;
    parts.gone.textContent = text;
  };

  // ------------------------------------------------------------------------------------------- asking
  let ended = false, answered = 0, coordinator = "";
  const ask = async () => {
    let again = 1000;
    try {
      const response = await fetch(`data?events=${seen.events}&samples=${seen.samples}&thinned=${seen.thinned}`, {cache: "no-store", signal: AbortSignal.timeout(5000)});
      const view = await response.json();
      // Another coordinator on the same port, e.g. after a restart: begin anew.
      if (coordinator && view.coordinator !== coordinator) { location.reload(); return; }
      coordinator = view.coordinator;
      view.events.forEach(addEvent);
      seen.events = view.events_seen;
      samples = samples.slice(0, view.samples_from).concat(view.samples);
      seen.samples = samples.length;
      seen.thinned = view.thinned;
      show(view);
      gone("");
      ended = view.ended;
      ++answered;
      if (view.events.length > 500) again = 0;
    } catch {
      gone(ended ? "The job has ended, and its coordinator is gone. convoy report RUN_DIR makes a page of what it left behind."
        : answered ? "The coordinator does not answer: the job has ended or was stopped, or the connection is lost. This is what it said last."
        : "The coordinator does not answer.");
    }
    setTimeout(ask, again);
  };
  ask();
  window.convoyDashboard = {charts, curves, get samples() { return samples; }, get answered() { return answered; }};
})();
