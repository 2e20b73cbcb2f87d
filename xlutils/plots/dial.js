// The dial: a curve per language from no map to the whole map, and a dot that moves along one of them.
(() => {
  const root = document.currentScript.closest(".dial");
  const models = JSON.parse(root.querySelector("[type='application/json']").textContent);
  const [form, svg, status, dial] = ["form", "svg", "[role=status]", "b"].map((part) => root.querySelector(part));
  const [names, facts] = ["dt", "dd"].map((part) => [...root.querySelectorAll(part)]);
  const ENDS = new Map([[0, "no map"], [1, "whole map"]]); // labels by share
  const SIDES = [[-1, 1], [1, -1], [-1, -1], [1, 1]]; // of a point where its label may be: right and down are 1
  const GAPS = [10, 28]; // pixels between a point and its label
  const LINE = 17; // height of a label
  const TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
  let share = 0; // of the map that is applied

  const current = () => {
    const model = models[form.model.value];
    return { model, curve: model.curves.find(({ tag }) => tag === form.language.value), step: Number(form.step.value) };
  };
  const percent = (share) => `${Number((100 * share).toFixed(1))} %`;

  function estimate([middle, low, high] = [null]) {
    if (middle === null) return "not measured";
    return `${middle.toFixed(3)}${low === null || high === null ? "" : ` (${low.toFixed(3)} to ${high.toFixed(3)})`}`;
  }
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text; // else screen readers repeat what did not change
  }
  function fill(select, entries) {
    const wanted = select.value;
    select.replaceChildren(...entries.map(([key, text]) => new Option(text, key)));
    if (entries.some(([key]) => String(key) === wanted)) select.value = wanted;
  }
  function add(tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, content] of Object.entries(attributes)) element.setAttribute(name, content);
    element.textContent = text;
    svg.append(element);
    return element;
  }

  // An axis that just holds all numbers of a measure: where a value is, in pixels, and the round numbers on it
  function axis(curves, measure, [start, end], room) { // pixels: ends of the axis, and from tick to tick
    const values = curves.flatMap(({ steps }) => steps.flatMap((step) => step?.[measure] ?? [])).filter((value) => value !== null);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const margin = 0.06 * (most - least) || 0.05;
    const [low, high] = [least - margin, most + margin];
    const size = TICKS.find((tick) => ((high - low) / tick) * room <= Math.abs(end - start)) ?? TICKS.at(-1);
    const ticks = [];
    for (let count = Math.ceil(Math.max(low, 0) / size); count * size <= Math.min(high, 1) + 1e-9; count++) ticks.push(count * size);
    const name = (tick) => tick.toFixed(String(size).length - 2); // as many digits as 0.05 has
    return { at: (value) => start + ((value - low) / (high - low)) * (end - start), ticks: ticks.map((tick) => [tick, name(tick)]) };
  }

  // Write labels into the frame where they cover neither each other nor, if possible, the curves
  function label(ends, crowd, frame) {
    const taken = [];
    for (const [text, x, y] of ends) {
      const element = add("text", { class: "dial-label" }, text);
      const width = element.getComputedTextLength();
      const boxes = GAPS.flatMap((gap) => SIDES.map(([right, down]) => {
        const [left, top] = [right > 0 ? x + gap : x - gap - width, down > 0 ? y + gap : y - gap - LINE];
        return { left, top, right: left + width, bottom: top + LINE, gap };
      }));
      const cost = (box) => {
        const isInside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
        const isFree = taken.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
        const covered = crowd.filter(([a, b]) => a > box.left && a < box.right && b > box.top && b < box.bottom).length;
        return covered + box.gap / 7 + (isInside ? 0 : 1e6) + (isFree ? 0 : 1e6);
      };
      const best = boxes.reduce((one, other) => (cost(other) < cost(one) ? other : one));
      taken.push(best);
      element.setAttribute("x", best.left);
      element.setAttribute("y", best.bottom - 4);
    }
  }

  function draw() {
    const { model: { curves, shares }, curve, step } = current();
    const { width, height } = svg.getBoundingClientRect();
    const frame = { left: 44, right: width - 4, top: 26, bottom: height - 46 };
    const x = axis(curves, "within", [frame.left, frame.right], 48);
    const y = axis(curves, "across", [frame.bottom, frame.top], 40);
    const place = ({ within, across }) => [x.at(within[0]), y.at(across[0])];
    const measured = ({ steps }) => steps.filter((one) => one !== null).map(place);
    const path = (points) => (points.length ? `M${points.map((point) => point.map((number) => number.toFixed(1))).join(" ")}` : "");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    for (const [tick, name] of x.ticks) {
      add("line", { x1: x.at(tick), x2: x.at(tick), y1: frame.bottom, y2: frame.bottom + 5 });
      add("text", { class: "dial-x", x: x.at(tick), y: frame.bottom + 20, "text-anchor": "middle" }, name);
    }
    for (const [tick, name] of y.ticks) {
      add("line", { x1: frame.left - 5, x2: frame.left, y1: y.at(tick), y2: y.at(tick) });
      add("text", { class: "dial-y", x: frame.left - 8, y: y.at(tick) + 5, "text-anchor": "end" }, name);
    }
    add("path", { d: `M${frame.left},${frame.top} V${frame.bottom} H${frame.right}` });
    add("text", { x: 0, y: 14 }, "translations found");
    add("text", { x: frame.right, y: height - 6, "text-anchor": "end" }, "neighbours kept within the language");

    for (const other of curves) if (other.tag && other !== curve) add("path", { class: "dial-other", d: path(measured(other)) });
    add("path", { class: "dial-curve", d: path(measured(curve)) });
    for (const [cx, cy] of measured(curve)) add("circle", { class: "dial-step", cx, cy, r: 3 });
    const now = curve.steps[step];
    if (now) {
      const [cx, cy] = place(now);
      const [[left, right], [low, high]] = [now.within, now.across].map((numbers) => numbers.slice(1));
      if (left !== null && right !== null) add("line", { class: "dial-whisker", x1: x.at(left), x2: x.at(right), y1: cy, y2: cy });
      if (low !== null && high !== null) add("line", { class: "dial-whisker", x1: cx, x2: cx, y1: y.at(low), y2: y.at(high) });
      add("circle", { class: "dial-now", cx, cy, r: 7 });
    }
    const ends = curve.steps.flatMap((one, number) => (one && ENDS.has(shares[number]) ? [[ENDS.get(shares[number]), ...place(one)]] : []));
    label(ends, [...curves.flatMap(measured), ...measured(curve)], frame);
  }
  function tell() {
    const { model: { name, curves, shares }, curve, step } = current();
    const [languages, now] = [curves.length - 1, curve.steps[step]];
    const all = curve.count === languages ? `all languages (${languages})` : `the languages measured at every step (${curve.count} of ${languages})`;
    const rest = curve.tag ? `Grey: other languages (${languages - 1}). Whiskers: 95% intervals.` : "Grey: single languages.";
    write(status, `${name}. Strong curve: ${curve.tag ? curve.name : `mean of ${all}`}. ${rest}`);
    write(names.at(-1), curve.tag ? "Best share of this language" : "Best share of the mean");
    const best = curve.best === null ? "not measured" : percent(curve.best);
    [percent(shares[step]), estimate(now?.across), estimate(now?.within), best].forEach((text, number) => write(facts[number], text));
    write(dial, percent(shares[step]));
    form.step.setAttribute("aria-valuetext", percent(shares[step]));
    svg.setAttribute("aria-label", `${curve.name}, with ${percent(shares[step])} of the map: `
      + `translations found ${estimate(now?.across)}, neighbours kept within the language ${estimate(now?.within)}`);
  }
  function choose() { // a model: the dial stays as near as possible to its share
    const { curves, shares } = models[form.model.value];
    const distance = (number) => Math.abs(shares[number] - share);
    fill(form.language, curves.map(({ tag, name }) => [tag, name]));
    form.step.max = shares.length - 1;
    form.step.value = [...shares.keys()].reduce((one, other) => (distance(other) < distance(one) ? other : one));
  }

  if (!models.length) {
    write(status, "Nothing to draw: this was not measured.");
    return;
  }
  fill(form.model, models.map(({ name }, number) => [number, name]));
  form.model.disabled = models.length === 1;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target === form.model) choose();
    share = models[form.model.value].shares[form.step.value];
    tell();
    draw();
  });
  new ResizeObserver(draw).observe(svg);
  choose();
  tell();
  draw();
})();
