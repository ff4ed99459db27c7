// Draws charts from the tables and curves of the page, and keeps the page Now up to date. No other host, nothing kept.
"use strict";
(() => {
  const body = document.body, words = JSON.parse(body.dataset.words), zone = body.dataset.zone;
  const language = document.documentElement.lang;
  document.documentElement.classList.add("js");
  const clock = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const exact = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, hour: "numeric", minute: "numeric", hourCycle: "h23" });
  const ago = new Intl.RelativeTimeFormat(language);
  const colour = (name) => getComputedStyle(body).getPropertyValue("--" + name).trim();
  const number = (value, decimals) =>
    new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
      .format(value).replace("-", "\u2212");
  // The hour is written as on a wall clock, also where a language has a habit of its own (da: 14.05).
  const at = (format, seconds) => format.format(seconds * 1000).replace(/[.h]/g, ":").replace(/\s/g, "");

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  // A line below the chart: what stands under the cursor, as text with a colour before each number.
  function tell(readout, title, items, note, link) {
    readout.replaceChildren(element("b", title + "  "));
    for (const item of items) {
      const key = element("span", undefined, "key"), box = element("i");
      box.style.backgroundColor = item.colour;
      key.append(box, element("span", item.title), element("b", item.text));
      readout.append(key);
    }
    if (note) readout.append(element("small", note));
    if (link) {
      const deeper = element("a", words["chart.open"]);
      deeper.href = link;
      readout.append(" ", deeper);
    }
  }

  function hatch(context) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const brush = tile.getContext("2d");
    brush.strokeStyle = colour("card");
    brush.lineWidth = 2.5;
    for (const shift of [-8, 0, 8]) { brush.moveTo(shift, 8); brush.lineTo(shift + 8, 0); }
    brush.stroke();
    return context.createPattern(tile, "repeat");
  }

  const axes = () => ({ stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, gap: 6, font: "13px system-ui, sans-serif" });
  const decimalsOf = (steps) => {
    const step = steps.length > 1 ? Math.abs(steps[1] - steps[0]) : 1;
    return Math.max(0, Math.min(3, -Math.floor(Math.log10(step) + 1e-9)));
  };
  const valueAxis = () => ({
    ...axes(), space: 32, size: (_, values) => 14 + 8 * Math.max(2, ...(values || []).map((value) => value.length)),
    values: (_, steps) => steps.map((step) => number(step, decimalsOf(steps))),
  });
  const span = (low, high) => {
    low = Math.min(0, low); high = Math.max(0, high);
    if (low === high) high = 1;
    const room = (high - low) * 0.06;
    return [low && low - room, high && high + room];
  };

  // At the upper edge: something happened here, which the remark tells.
  function point(chart, middle) {
    const context = chart.ctx, size = 5 * devicePixelRatio, top = chart.bbox.top;
    context.fillStyle = colour("problem");
    context.beginPath();
    context.moveTo(middle - size, top); context.lineTo(middle + size, top); context.lineTo(middle, top + 1.6 * size);
    context.fill();
  }

  // What both kinds of chart have: size, cursor by pointer and by keys, colours again when they change.
  function mount(figure, options, data, show, open) {
    const plot = figure.querySelector(".plot");
    const size = () => ({ width: Math.max(200, plot.clientWidth), height: 224 });
    let chart;
    const make = () => {
      if (chart) chart.destroy();
      chart = new uPlot({ ...options(), ...size(), padding: [8, 22, 0, 0], legend: { show: false } }, data(), plot);
    };
    const move = (index) => {
      const last = data()[0].length - 1;
      index = Math.max(0, Math.min(last, index));
      chart.setCursor({ left: chart.valToPos(data()[0][index], "x"), top: 10 });
      show(index);
      return index;
    };
    let chosen = null;
    plot.addEventListener("keydown", (event) => {
      const last = data()[0].length - 1, from = chosen ?? last;
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, PageUp: from - 10, PageDown: from + 10, Home: 0, End: last }[event.key];
      if (to !== undefined) {
        chosen = move(to);
        event.preventDefault();
      } else if (event.key === "Enter" && chosen !== null && open) open(chosen);
    });
    // Read aloud what somebody moves to, and not what comes every second.
    const readout = figure.querySelector(".readout");
    plot.addEventListener("blur", () => readout.removeAttribute("aria-live"));
    plot.addEventListener("focus", () => { readout.setAttribute("aria-live", "polite"); });
    plot.addEventListener("focus", () => { if (chosen === null && !figure.querySelector(".readout").textContent) figure.querySelector(".readout").textContent = words["chart.keys"]; });
    make();
    const pick = (index) => { if (index !== null && index !== undefined) { chosen = index; show(index); } };
    plot.addEventListener("pointermove", () => pick(chart.cursor.idx));
    plot.addEventListener("click", (event) => {
      if (chart.cursor.idx === null || event.pointerType === "touch") return pick(chart.cursor.idx);
      if (open) open(chart.cursor.idx);
    });
    new ResizeObserver(() => { if (plot.clientWidth && plot.clientWidth !== chart.width) chart.setSize(size()); }).observe(plot);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", make);
    return { redraw: () => chart.setData(data()), move, first: () => show(data()[0].length - 1) };
  }

  function bars(figure) {
    const heads = [...figure.querySelectorAll("thead th[data-role]")];
    const rows = [...figure.querySelectorAll("tbody tr")].map((row) => ({
      title: row.cells[0].textContent, short: row.cells[0].dataset.short,
      link: row.cells[0].querySelector("a")?.getAttribute("href"),
      values: [...row.querySelectorAll("td[data-v]")].map((cell) => (cell.dataset.v === "" ? null : Number(cell.dataset.v))),
      texts: [...row.querySelectorAll("td[data-v]")].map((cell) => cell.textContent),
      note: row.querySelector("td.note")?.textContent, estimated: row.classList.contains("estimated"), marked: "marked" in row.dataset,
    }));
    if (!rows.length) return;
    const counts = {};
    const columns = heads.map((head) => {
      const role = head.dataset.role, place = (counts[role] = (counts[role] ?? -1) + 1);
      const title = head.textContent;
      const paint = role === "mark" ? ["export-0", "stack-0", "before"][place % 3] : role === "before" ? role : role + "-" + place % (role === "export" ? 2 : 4);
      return { title, role, place, colour: paint };
    });
    const drawn = columns.map((column, index) => ({ ...column, kind: column.place, place: index })).filter((column) => column.role !== "none");
    const compared = drawn.some((column) => column.role === "before");
    const sums = (role, sign) => rows.map((row) => drawn.reduce((sum, column) => sum + (column.role === role ? sign * (row.values[column.place] ?? 0) : 0), 0));
    const up = sums("stack", 1), down = sums("export", -1), before = sums("before", 1);
    const indexes = rows.map((_, index) => index);
    const marks = rows.flatMap((row) => drawn.filter((column) => column.role === "mark").map((column) => row.values[column.place])).filter((value) => value !== null);
    const low = Math.min(...up, ...down), high = Math.max(...up, ...before);
    const range = () => (marks.length ? [Math.min(...marks) - 2, Math.max(...marks) + 2] : span(low, high));

    function paint(chart) {
      const context = chart.ctx, wide = Math.abs(chart.valToPos(1, "x", true) - chart.valToPos(0, "x", true));
      const room = Math.max(1, wide * (rows.length > 60 ? 0.9 : 0.75)), pattern = hatch(context);
      const rect = (left, width, from, to) => {
        const top = chart.valToPos(to, "y", true), bottom = chart.valToPos(from, "y", true);
        context.fillRect(left, Math.min(top, bottom), width, Math.max(Math.abs(bottom - top), to === from ? 0 : 1));
      };
      context.save();
      rows.forEach((row, index) => {
        const middle = chart.valToPos(index, "x", true);
        const width = compared ? room * 0.58 : room, left = compared ? middle + room / 2 - width : middle - width / 2;
        if (compared) {
          context.fillStyle = colour("before");
          rect(middle - room / 2, room * 0.42, 0, before[index]);
        }
        let above = 0, below = 0;
        for (const column of drawn) {
          const value = row.values[column.place];
          if (value === null || column.role === "before") continue;
          context.fillStyle = colour(column.colour);
          if (column.role === "mark") {
            // Each kind has a height of its own, so that they differ without colours as well.
            const height = [6, 6, 2][column.kind % 3] * devicePixelRatio, thin = column.kind === 1 ? 0.55 : 1;
            for (const fill of row.estimated ? [context.fillStyle, pattern] : [context.fillStyle]) {
              context.fillStyle = fill;
              context.fillRect(middle - room * thin / 2, chart.valToPos(value, "y", true) - height / 2, room * thin, height);
            }
            continue;
          }
          if (column.role === "export") { rect(left, width, below, below - value); below -= value; }
          else { rect(left, width, above, above + value); above += value; }
        }
        if (row.estimated) { context.fillStyle = pattern; rect(left, width, below, above); }
        if (row.marked) point(chart, middle);
      });
      context.restore();
    }

    const show = (index) => {
      const row = rows[index];
      if (!row) return;
      tell(figure.querySelector(".readout"), row.title,
        drawn.map((column) => ({ title: column.title.replace(/ \([^(]*\)$/, ""), text: row.texts[column.place] + (figure.dataset.unit ? "\u00a0" + figure.dataset.unit : ""), colour: colour(column.colour) })),
        row.note, row.link);
    };
    const longest = Math.max(...rows.map((row) => row.short.length));
    const mounted = mount(figure, () => ({
      scales: { x: { time: false, range: [-0.6, rows.length - 0.4] }, y: { range } },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [{
        ...axes(), size: 28, grid: { show: false },
        splits: (chart) => {
          const most = Math.max(1, Math.floor(chart.width / devicePixelRatio * devicePixelRatio / (14 + 8 * longest)));
          const step = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 48].find((each) => rows.length / each <= most) ?? Math.ceil(rows.length / most);
          return indexes.filter((index) => index % step === 0);
        },
        values: (_, steps) => steps.map((step) => rows[step]?.short ?? ""),
      }, valueAxis()],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      hooks: { draw: [paint] },
    }), () => [indexes, up], show, (index) => { const link = rows[index]?.link; if (link) location.href = link; });
    const known = rows.findLastIndex((row) => (row.values[drawn[0]?.place] ?? null) !== null);
    if (known >= 0) show(known);
    return mounted;
  }

  function curve(figure) {
    const told = JSON.parse(figure.dataset.curve), times = told.times, curves = told.curves;
    if (!times.length) return;
    const sign = (line) => (line.role === "export" ? -1 : 1);
    const paint = (index) => colour(curves[index].role === "export" ? "export-0" : "stack-" + index);
    // Where nothing came for long the line is broken.
    const steps = times.slice(1).map((time, index) => time - times[index]).sort((one, other) => one - other);
    const longest = Math.max(60, 6 * (steps[Math.floor(steps.length / 2)] || 0));
    const data = () => {
      const along = [], lines = curves.map(() => []);
      times.forEach((time, index) => {
        if (index && time - times[index - 1] > longest) { along.push((time + times[index - 1]) / 2); lines.forEach((line) => line.push(null)); }
        along.push(time);
        curves.forEach((line, place) => lines[place].push(line.values[index] === null ? null : sign(line) * line.values[index]));
      });
      return [along, ...lines];
    };
    // What happened since the reading before; after the newest one it is told with that.
    const happened = (now, index) => {
      const since = times.findLast((time) => time < now[0][index]) ?? -Infinity;
      const until = index === now[0].length - 1 ? Infinity : now[0][index];
      return told.marks.filter((mark) => since < mark.time && mark.time <= until).map((mark) => mark.text).join(" ");
    };
    const show = (index) => {
      const now = data(), time = now[0][index];
      if (time === undefined || now.slice(1).every((line) => line[index] === null)) return;
      tell(figure.querySelector(".readout"), at(exact, time), curves.map((line, place) => ({
        title: line.title, colour: paint(place),
        text: now[place + 1][index] === null ? "–" : number(Math.abs(now[place + 1][index]), line.decimals) + "\u00a0" + line.unit,
      })), happened(now, index));
    };
    const splits = (chart, _, low, high) => {
      const wish = (high - low) / Math.max(2, chart.width / 56);
      const step = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].find((each) => each >= wish) ?? 86400;
      const found = [], grain = Math.min(step, 900);
      // Whole hours of the house, whatever its offset is, also where that changes.
      for (let time = Math.ceil(low / grain) * grain; time <= high; time += grain) {
        const told = Object.fromEntries(parts.formatToParts(time * 1000).map((part) => [part.type, Number(part.value)]));
        if ((told.hour * 3600 + told.minute * 60) % step === 0) found.push(time);
      }
      return found;
    };
    const values = () => curves.flatMap((line) => line.values.filter((value) => value !== null).map((value) => sign(line) * value));
    const mounted = mount(figure, () => ({
      scales: {
        x: { time: false, range: () => { const end = times.at(-1); return [Math.min(times[0], end - told.seconds), end]; } },
        y: { range: () => span(Math.min(...values()), Math.max(...values())) },
      },
      series: [{}, ...curves.map((line, index) => ({ stroke: paint(index), width: 2, dash: index ? [6, 3] : undefined, points: { show: times.length < 3 } }))],
      axes: [{ ...axes(), size: 28, splits, values: (_, steps) => steps.map((time) => at(clock, time)) }, valueAxis()],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { draw: [(chart) => {
        const { min, max } = chart.scales.x;
        for (const mark of told.marks) if (mark.time >= min) point(chart, chart.valToPos(Math.min(mark.time, max), "x", true));
      }] },
    }), data, show, null);
    mounted.first();
    const newest = (measurements, time) => {
      if (time <= times.at(-1)) return;
      times.push(time);
      for (const line of curves) line.values.push(measurements[line.quantity] ? Number(measurements[line.quantity].value) : null);
      while (times.length > 2 && times[0] < time - told.seconds) { times.shift(); curves.forEach((line) => line.values.shift()); }
      mounted.redraw();
      if (!figure.matches(":focus-within, :hover")) show(data()[0].length - 1);
    };
    figure.newest = newest;
  }

  function draw(root) {
    for (const figure of root.querySelectorAll("figure.chart")) {
      const button = figure.querySelector(".toggle");
      button.addEventListener("click", () => button.setAttribute("aria-expanded", String(figure.classList.toggle("open"))));
      const box = figure.querySelector(".table");
      if (figure.dataset.curve) curve(figure); else bars(figure);
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", figure.querySelector("caption").textContent);
    }
  }

  // The page Now.
  const live = document.querySelector("[data-live]");
  const cards = () => [...document.querySelectorAll("[data-meter]")];
  const shift = Date.now() / 1000 - Date.parse(document.querySelector("footer time").dateTime) / 1000;
  const houseNow = () => Date.now() / 1000 - shift;

  function age() {
    for (const told of document.querySelectorAll("[data-time]")) {
      const seconds = Math.max(0, houseNow() - Number(told.dataset.time));
      const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, each]) => seconds >= 2 * each) ?? ["second", 1];
      const text = ago.format(-Math.floor(seconds / size), unit);
      if (told.textContent !== text) told.textContent = text;
    }
  }

  let fetching = false, again = 0;
  async function renew() {
    if (fetching || Date.now() < again) return;
    fetching = true;
    again = Date.now() + 2000;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const place = document.querySelector("[data-live]"), other = fresh.querySelector("[data-live]");
      if (place && other) { place.replaceChildren(...other.childNodes); draw(place); }
    } catch { /* the stream says that the service is away */ } finally { fetching = false; }
  }

  function take(told) {
    const card = cards().find((each) => each.dataset.meter === told.meter);
    const export_ = told.measurements.active_power_export;
    const feeding = export_ && Number(export_.value) > 0 ? "yes" : "no";
    if (!card || card.dataset.state !== `${told.state} ${told.reason}` || card.dataset.feeding !== feeding
      || (!card.dataset.value && Object.keys(told.measurements).length)) return renew();
    for (const place of card.querySelectorAll("[data-quantity]")) {
      const measurement = told.measurements[place.dataset.quantity];
      if (!measurement) continue;
      const text = typeof measurement.value === "number" ? number(measurement.value, Number(place.dataset.decimals)) : String(measurement.value);
      if (place.textContent !== text) place.textContent = text;
    }
    const read = houseNow() - (told.age_seconds ?? 0), line = card.querySelector("[data-time]"), wall = card.querySelector(".age time");
    if (line) line.dataset.time = String(read);
    if (wall) { wall.textContent = at(exact, read); wall.dateTime = new Date(read * 1000).toISOString(); }
    card.querySelector("figure.curve")?.newest?.(told.measurements, Math.round(read));
    age();
  }

  function listen() {
    const lost = document.querySelector(".lost");
    const stream = new EventSource(live.dataset.live);
    let since = null;
    stream.addEventListener("meter", (event) => take(JSON.parse(event.data)));
    stream.addEventListener("open", () => { since = null; lost.hidden = true; });
    stream.addEventListener("error", () => {
      since ??= houseNow();
      lost.textContent = words["live.lost"].replace("{time}", at(exact, since));
      lost.hidden = false;
      // A browser gives up after a refusal, and tries again by itself after an end.
      if (stream.readyState === EventSource.CLOSED) { stream.close(); setTimeout(listen, 10000); }
    });
    addEventListener("pagehide", () => stream.close(), { once: true });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); }, { once: true });
  }

  // A request for a reading shows its answer where it was made.
  for (const form of document.querySelectorAll("form[data-read]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const told = form.querySelector("[role=status]");
      try {
        const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
        const reply = await answer.json();
        told.textContent = reply.told || reply.error || words["read_now.failed"];
      } catch { told.textContent = words["read_now.failed"]; }
    });
  }

  if (window.uPlot) draw(document);
  if (live) { age(); setInterval(age, 1000); listen(); }
})();
