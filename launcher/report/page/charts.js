// Charts for reports and dashboards, on uPlot: curves in which each group of series is one thing with
// several runs, and bars. Nothing here knows what a report is.
//
//   const chart = ConvoyCharts.lines(element, {
//     title: "validation accuracy", xLabel: "examples", xText, yText,
//     groups: [{name: "sync", color: "--c1", runs: [{x: [...], y: [...]}, ...]}, ...],
//     target: 0.87, sync: "examples"});
//   chart.setGroups(groups)      new data, also while people look at it: a zoom stays
//   chart.setVisible(name, on)   shows or hides a group
//   chart.redraw()               after the colours have changed
"use strict";
const ConvoyCharts = (() => {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "style") made.style.cssText = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...children.filter(child => child != null));
    return made;
  };

  // 1234567 -> "1.23 M".
  const shortNumber = value => {
    if (value == null) return "";
    const size = Math.abs(value);
    const [unit, by] = size >= 1e9 ? [" G", 1e9] : size >= 1e6 ? [" M", 1e6] : size >= 1e4 ? [" k", 1e3] : ["", 1];
    return String(+(value / by).toPrecision(4)) + unit;
  };

  // The last of the ascending `xs` that is not above x; -1: none.
  const lastAt = (xs, x) => {
    let low = -1, high = xs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (xs[middle] <= x) low = middle; else high = middle - 1;
    }
    return low;
  };

  const median = values => {
    const sorted = [...values].sort((a, b) => a - b), n = sorted.length;
    return (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
  };

  // What a group measures at x: the median of its runs, and their range.
  const valueAt = (group, x) => {
    const values = [];
    for (const run of group.runs) {
      const i = lastAt(run.x, x);
      if (i >= 0 && run.y[i] != null) values.push(run.y[i]);
    }
    return values.length ? {median: median(values), low: Math.min(...values), high: Math.max(...values), runs: values.length} : null;
  };

  function lines(parent, options) {
    const plotElement = element("div", {class: "plot"}), tip = element("div", {class: "tip", hidden: ""});
    const root = element("div", {class: "chart", "data-chart": options.name || options.title},
                         element("h3", {}, options.title), plotElement, tip);
    parent.append(root);
    const hidden = new Set();
    const xText = options.xText || shortNumber, yText = options.yText || shortNumber;
    let groups = options.groups, plot = null;

    const seriesOf = () => groups.flatMap(group => group.runs.map((run, i) => ({
      label: group.name, show: !hidden.has(group.name), stroke: () => css(group.color),
      width: i === (group.main || 0) ? 2.2 : 1, alpha: i === (group.main || 0) ? 1 : .4, spanGaps: false,
      points: {show: run.x.length <= 60, size: i === (group.main || 0) ? 5 : 3.5, fill: () => css(group.color)},
    })));

    const dataOf = () => {
      const tables = groups.flatMap(group => group.runs.map(run => [run.x, run.y]));
      return tables.length ? uPlot.join(tables) : [[]];
    };

    const showTip = u => {
      const {left, top} = u.cursor;
      if (left == null || left < 0 || !u.over.matches(":hover")) { tip.hidden = true; return; }
      const x = u.posToVal(left, "x");
      const rows = groups.filter(group => !hidden.has(group.name)).map(group => [group, valueAt(group, x)]).filter(([, at]) => at);
      if (!rows.length) { tip.hidden = true; return; }
      tip.replaceChildren(element("b", {}, xText(x) + (options.xUnit ? " " + options.xUnit : "")), ...rows.map(([group, at]) =>
        element("div", {class: "line"},
          element("span", {}, element("i", {class: "dot", style: `background:var(${group.color})`}), group.name),
          element("span", {}, yText(at.median) + (at.runs > 1 && at.low !== at.high ? ` (${yText(at.low)} – ${yText(at.high)})` : "")))));
      tip.hidden = false;
      const box = root.getBoundingClientRect(), over = u.over.getBoundingClientRect();
      const x0 = over.left - box.left + left;
      const fits = over.left + left + 14 + tip.offsetWidth < document.documentElement.clientWidth - 8;
      tip.style.left = Math.max(8 - box.left, fits ? x0 + 14 : x0 - tip.offsetWidth - 14) + "px";
      tip.style.top = over.top - box.top + Math.min(top, Math.max(0, over.height - tip.offsetHeight)) + "px";
    };

    const drawTarget = u => {
      if (options.target == null) return;
      const y = u.valToPos(options.target, "y", true);
      if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
      const context = u.ctx, ratio = devicePixelRatio || 1;
      context.save();
      context.strokeStyle = context.fillStyle = css("--soft");
      context.setLineDash([5 * ratio, 4 * ratio]);
      context.lineWidth = ratio;
      context.beginPath();
      context.moveTo(u.bbox.left, y);
      context.lineTo(u.bbox.left + u.bbox.width, y);
      context.stroke();
      context.font = `${11 * ratio}px system-ui, sans-serif`;
      context.textAlign = "left";
      context.fillText("target " + yText(options.target), u.bbox.left + 4 * ratio, y - 4 * ratio);
      context.restore();
    };

    const axis = (label, text, size) => ({
      stroke: () => css("--soft"), grid: {stroke: () => css("--grid"), width: 1}, ticks: {show: false},
      font: "11.5px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", label, labelSize: label ? 18 : 0, size, gap: 4,
      values: (u, splits) => splits.map(text),
    });

    const size = () => ({width: Math.max(200, plotElement.clientWidth), height: options.height || 230});

    const draw = () => {
      const zoom = plot && plot.zoomed ? {min: plot.scales.x.min, max: plot.scales.x.max} : null;
      if (plot) plot.destroy();
      plot = new uPlot({
        ...size(),
        series: [{}, ...seriesOf()],
        scales: {x: {time: false}, y: {range: options.yRange || ((u, low, high) => {
          if (low == null) return [0, 1];
          const room = (high - low || Math.abs(high) || 1) * .06;
          return [low - room, high + room];
        })}},
        axes: [axis(options.xLabel, xText, 22), axis(null, yText, 52)],
        legend: {show: false},
        cursor: {drag: {x: true, y: false, uni: 8}, points: {show: false}, focus: {prox: 24},
                 sync: options.sync ? {key: options.sync, setSeries: false} : undefined},
        focus: {alpha: .45},
        hooks: {
          setCursor: [showTip], draw: [drawTarget],
          setSelect: [u => { if (u.select.width > 0) u.zoomed = true; }],
          ready: [u => u.over.addEventListener("dblclick", () => { u.zoomed = false; })],
        },
      }, dataOf(), plotElement);
      if (zoom) { plot.setScale("x", zoom); plot.zoomed = true; }
      root.dataset.series = plot.series.length - 1;
    };

    draw();
    new ResizeObserver(() => { if (plotElement.clientWidth && plot.width !== size().width) plot.setSize(size()); }).observe(plotElement);
    return {
      root,
      get plot() { return plot; },
      setGroups(next) {
        // New points of the same series need no new chart: the pointer stays where it is.
        const shape = all => all.map(group => [group.name, group.color, ...group.runs.map(run => run.x.length <= 60)].join("|")).join("/");
        const same = shape(groups) === shape(next);
        groups = next;
        if (!same) { draw(); return; }
        plot.setData(dataOf(), !plot.zoomed);
        if (plot.zoomed) plot.redraw();
      },
      setVisible(name, on) {
        if (on) hidden.delete(name); else hidden.add(name);
        plot.batch(() => plot.series.forEach((series, i) => { if (i > 0 && series.label === name) plot.setSeries(i, {show: on}); }));
      },
      redraw() { plot.redraw(false, true); },
    };
  }

  // One bar for each item {name, color, value, low, high, slept, text}, all from 0 on one scale; `value`
  // null: no bar. `most`: the end of the scale.
  function bars(parent, {title, items, most}) {
    const end = most || Math.max(1e-12, ...items.map(item => Math.max(item.value || 0, item.high || 0)));
    const percent = value => 100 * Math.min(1, value / end);
    parent.append(element("div", {"data-bars": title}, element("h3", {}, title), ...items.map(item => element("div", {class: "bar"},
      element("span", {class: "name", title: item.name}, element("i", {class: "dot", style: `background:var(${item.color})`}), item.name),
      element("span", {class: "track"},
        item.value == null ? null : element("i", {class: "fill", style: `width:${percent(item.value)}%;background:var(${item.color})`}),
        item.slept ? element("i", {class: "slept", style: `left:${percent(item.value || 0)}%;width:${percent(item.slept)}%;background:var(--c5)`}) : null,
        item.high > item.low ? element("i", {class: "range", style: `left:${percent(item.low)}%;width:${percent(item.high) - percent(item.low)}%`}) : null),
      element("span", {class: "value"}, item.text)))));
  }

  // Columns with a name below each: {title, color, columns: [{name, share, tip}]}.
  function columns(parent, {title, color, columns: all, note}) {
    const most = Math.max(1e-12, ...all.map(column => column.share));
    parent.append(element("div", {"data-columns": title}, element("h3", {}, element("i", {class: "dot", style: `background:var(${color})`}), title),
      element("div", {class: "columns"}, ...all.map(column =>
        element("div", {style: `height:${100 * column.share / most}%;background:var(${color})`, title: column.tip}))),
      element("div", {class: "ticks"}, ...all.map(column => element("span", {}, column.name))),
      note ? element("div", {class: "hint"}, note) : null));
  }

  return {lines, bars, columns, element, shortNumber};
})();
