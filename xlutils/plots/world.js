// The interactive atlas: a dot per language, coloured by how often translations are found first.
(() => {
  const root = document.currentScript.closest(".atlas");
  const { models, languages, regions, shades, pivot } = JSON.parse(root.querySelector("[type='application/json']").textContent);
  const [form, svg, box, ring, tip, facts] = ["form", "svg", "g", ".atlas-ring", ".atlas-tip", "dl"].map((part) => root.querySelector(part));
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const REACH = 25; // pixels between the pointer and a dot that it points at
  const people = new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });
  const dots = new Map(); // circles by language
  let [shown, current] = [[], null];

  const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
  const nearest = (some, point) => some.reduce((best, one) => (best && distance(best, point) <= distance(one, point) ? best : one), null);
  const measures = (language) => models[form.model.value]?.[1][language.tag];
  const value = (language, state = form.state.value) => measures(language)?.[state][0] ?? null;
  const onMap = () => shown.filter((language) => dots.has(language));
  const counted = (values) => values.reduce((counts, one) => counts.set(one, (counts.get(one) ?? 0) + 1), new Map());

  function make(tag, text, attributes = {}, ...children) {
    const isDrawn = ["circle", "text", "title"].includes(tag);
    const element = isDrawn ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    element.textContent = text;
    for (const [name, content] of Object.entries(attributes)) element.setAttribute(name, content);
    element.append(...children);
    return element;
  }
  function fill(select, entries) {
    const wanted = select.value;
    select.replaceChildren(...entries.map(([key, text]) => make("option", text, { value: key })));
    if (entries.some(([key]) => String(key) === wanted)) select.value = wanted;
  }
  function estimate([middle, low, high]) {
    if (middle === null) return "not measured";
    return `${middle.toFixed(3)}${low === null ? "" : ` (${low.toFixed(3)} to ${high.toFixed(3)})`}`;
  }

  const describe = (name, text) => make("div", "", {}, make("dt", name), make("dd", text));

  // Which languages are drawn, and in which colours
  function choose() {
    const measured = languages.filter((language) => value(language) !== null);
    const scripts = counted(measured.map((language) => language.script));
    const sizes = [...scripts].sort(([a, many], [b, more]) => more - many || a.localeCompare(b));
    fill(form.script, [["", `all scripts (${measured.length})`], ...sizes.map(([name, count]) => [name, `${name} (${count})`])]);
    shown = measured.filter((language) => !form.script.value || language.script === form.script.value);
    fill(form.language, [["", "choose one"], ...shown.map((language) => [language.tag, language.name])]);
    for (const [language, dot] of dots) if (!shown.includes(language)) dot.remove();
    for (const language of onMap().sort((a, b) => value(b) - value(a))) { // the worst are drawn last
      const dot = dots.get(language);
      dot.setAttribute("fill", shades[Math.round(value(language) * (shades.length - 1))]);
      dot.setAttribute("aria-label", `${language.name}: ${value(language).toFixed(2)}`);
      box.append(dot);
    }
    const verdicts = counted(shown.map((language) => measures(language).verdict));
    const parts = ["known", "partly", "unknown"].map((name) => `${verdicts.get(name) ?? 0} ${name === "partly" ? "partly known" : name}`);
    const absent = shown.length - onMap().length;
    const hint = absent ? `; not on the map, only in the list: ${absent}` : "";
    root.querySelector(".atlas-count").textContent = `${shown.length} languages: ${parts.join(", ")}${hint}.`;
    show(shown.includes(current) ? current : null);
  }
  function zoom() {
    const [left, top, width, height] = regions[form.region.value][1];
    svg.setAttribute("viewBox", [left, top, width, height].join(" "));
    svg.style.aspectRatio = `${width} / ${height}`;
    const frame = svg.getBoundingClientRect();
    const scale = Math.min(frame.width / width, frame.height / height) || 1; // pixels per unit of the map
    const size = (5 * scale ** 0.4) / scale; // dots grow less than the map
    for (const dot of [...dots.values(), ring]) dot.setAttribute("r", size);
    svg.querySelector("text")?.setAttribute("font-size", 4 * size);
    point();
  }

  // One language
  function show(language, hasFocus = false) {
    current = language;
    form.language.value = language?.tag ?? "";
    const next = dots.has(language) ? language : onMap()[0];
    for (const [one, dot] of dots) {
      dot.setAttribute("tabindex", one === next ? 0 : -1); // one stop of the Tab key
      dot.setAttribute("aria-selected", one === language);
    }
    if (hasFocus) dots.get(language)?.focus();
    facts.replaceChildren();
    if (language) {
      const { raw, centred, control, verdict, learned } = measures(language);
      const rows = { Language: `${language.name} (${language.tag})`, Script: language.script };
      rows.Speakers = language.speakers === null ? "number not known" : people.format(language.speakers);
      Object.assign(rows, { "Accuracy, raw vectors": estimate(raw), "Accuracy, centred": estimate(centred), Control: estimate(control) });
      rows.Verdict = verdict === "partly" ? "partly known" : verdict ?? "none";
      rows["Model card lists it"] = learned === null ? "no list" : learned ? "yes" : "no";
      facts.append(...Object.entries(rows).map((row) => describe(...row)));
    } else facts.append(describe("Language", "point at a dot, move on with the arrow keys, or choose from the list"));
    point();
  }
  function point() {
    const isDrawn = current !== null && dots.has(current);
    ring.style.display = isDrawn ? "" : "none";
    tip.hidden = !isDrawn;
    if (!isDrawn) return;
    ring.setAttribute("cx", current.x);
    ring.setAttribute("cy", current.y);
    tip.textContent = `${current.name} ${value(current).toFixed(2)}`;
    const { x, y } = new DOMPoint(current.x, current.y).matrixTransform(svg.getScreenCTM());
    const frame = svg.getBoundingClientRect();
    tip.hidden = x < frame.left || x > frame.right || y < frame.top || y > frame.bottom;
    const half = tip.offsetWidth / 2;
    tip.style.left = `${Math.min(Math.max(x - frame.left, half), frame.width - half)}px`;
    tip.style.top = `${y - frame.top}px`;
  }
  function pointAt({ clientX, clientY }) {
    const matrix = svg.getScreenCTM();
    const place = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    const language = nearest(onMap(), place);
    if (language && language !== current && distance(language, place) * matrix.a < REACH) show(language);
  }
  function move(event) {
    const [dx, dy] = STEPS[event.key] ?? [];
    if (dx === undefined || !dots.has(current)) return;
    event.preventDefault();
    const next = nearest(onMap().filter(({ x, y }) => {
      const [right, down] = [x - current.x, y - current.y];
      const along = right * dx + down * dy;
      return along > 0 && Math.abs(right * dy) + Math.abs(down * dx) <= along;
    }), current);
    if (next) show(next, true);
  }

  fill(form.model, models.map(([name], number) => [number, name]));
  fill(form.region, regions.map(([name], number) => [number, name]));
  for (const language of languages.filter(({ tag, x }) => tag !== pivot && x !== null)) {
    const dot = make("circle", "", { cx: language.x, cy: language.y, role: "option" });
    dot.addEventListener("focus", () => current === language || show(language));
    dots.set(language, dot);
  }
  for (const { x, y, name } of languages.filter(({ tag }) => tag === pivot)) {
    svg.append(make("text", "\u2605", { x, y, "aria-hidden": true }, make("title", `${name}, the pivot`)));
  }
  root.querySelector(".atlas-scale i").style.background = `linear-gradient(to right, ${shades.join()})`;
  for (const kind of ["pointermove", "click"]) svg.addEventListener(kind, pointAt);
  box.addEventListener("keydown", move);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target.name === "language") show(shown.find(({ tag }) => tag === target.value) ?? null);
    else if (target.name === "region") zoom();
    else choose();
  });
  addEventListener("resize", zoom);
  choose();
  zoom();
})();
