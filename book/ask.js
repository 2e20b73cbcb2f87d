// Search a mixed pool before and after a remedy. Ranks and measures follow xlutils.metrics.ranking.
(() => {
  const [TOLERANCE, SHOWN] = [5e-6, 10]; // scores that differ by less are equal; rows of a list, and K
  const folder = document.currentScript.src;
  const root = document.currentScript.closest(".ask");
  const form = root.querySelector("form");
  const tabs = [...root.querySelectorAll("[role=tab]")];
  const { models, languages, asked, questions, passages, gold, words } = window.askData.texts;
  const [asks, size] = [gold.length, passages.en.length];
  const spoken = [...new Set(words.map(([, code]) => code))];
  const loaded = {}; // promises of vectors by model
  const range = (length) => [...Array(length).keys()];
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1, roundingMode: "halfEven" }; // as Python rounds
  const decimal = new Intl.NumberFormat("en", digits);
  let [mode, search, before, after] = ["ask-questions"];

  // Vectors
  function dot(a, b) {
    let sum = 0;
    for (let column = 0; column < a.length; column++) sum += a[column] * b[column];
    return sum;
  }
  function unit(vector) {
    const length = Math.sqrt(dot(vector, vector)) || 1;
    return vector.map((x) => x / length);
  }
  const total = (vectors) => vectors[0].map((_, column) => vectors.reduce((sum, vector) => sum + vector[column], 0));
  const mean = (vectors) => total(vectors).map((x) => x / vectors.length);
  const minus = (vectors, middle, share) => vectors.map((vector) => unit(vector.map((x, i) => x - share * middle[i])));

  async function unpack({ steps, vectors }) {
    const deflated = Uint8Array.from(atob(vectors), (letter) => letter.charCodeAt(0));
    const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    const numbers = new Int8Array(await new Response(stream).arrayBuffer()); // dimension by dimension
    const rows = numbers.length / steps.length;
    return range(rows).map((row) => unit(Float64Array.from(steps, (step, i) => step * numbers[i * rows + row])));
  }
  function load(name) {
    loaded[name] ??= new Promise((resolve, reject) => {
      const script = make("script", "", { src: new URL(`${name}.js`, folder) });
      script.onload = () => resolve(unpack(window.askData[name]));
      script.onerror = () => reject(new Error(`${name}.js could not be loaded`));
      document.head.append(script);
    });
    return loaded[name];
  }

  // Remedies: from questions and passages of two languages to questions in the first one, and passages
  const asPublished = ([own], pools) => [own, pools];
  const REMEDIES = {
    none: asPublished,
    query([own], pools, share) {
      const all = total(own);
      const others = (vector) => all.map((x, i) => (x - vector[i]) / (own.length - 1));
      return [own.map((vector) => minus([vector], others(vector), share)[0]), pools];
    },
    both: ([own], pools, share) => [minus(own, mean(own), share), pools.map((pool) => minus(pool, mean(pool), share))],
    global([own, other], pools, share) {
      const middle = mean(pools.flat());
      return [minus(own, mean([...own, ...other]), share), pools.map((pool) => minus(pool, middle, share))];
    },
    interleave: asPublished,
  };

  // A search: what is asked, in which pool, which documents are right, and how to name them
  function searchQuestions(vectors) {
    const codes = [form.own.value, form.other.value];
    const starts = codes.map((code) => asked.indexOf(code) * (asks + size));
    const sides = starts.map((start) => vectors.slice(start, start + asks));
    const pools = starts.map((start) => vectors.slice(start + asks, start + asks + size));
    const text = (texts, code, place) => ({ code, text: texts[code][place], english: texts.en[place] });
    return {
      items: range(asks),
      apply: (remedy, share) => REMEDIES[remedy](sides, pools, share),
      golds: gold.map((place) => [place, place + size]),
      query: (item) => text(questions, codes[0], item),
      document: (place) => text(passages, codes[Math.floor(place / size)], place % size),
      names: codes.map((code) => `${languages[code]} passage`),
      all: `all ${asks} questions`,
      about: `All ${asks} questions in ${languages[codes[0]]}; ${size} passages in each of the two languages`,
      right: ["mean place of the later right passage", "both right passages in the first ten"],
    };
  }
  function searchWords(vectors) {
    const all = vectors.slice(-words.length);
    const places = spoken.map((code) => range(words.length).filter((place) => words[place][1] === code));
    const text = (place) => ({ code: words[place][1], text: words[place][2], english: words[place][0] });
    const isRight = (a, b) => a !== b && words[a][0] === words[b][0];
    return {
      items: places[spoken.indexOf(form.own.value)],
      apply(remedy, share) {
        const pools = places.map((group) => group.map((place) => all[place]));
        const moved = remedy === "none" ? pools : pools.map((pool) => minus(pool, mean(pool), share));
        return [moved.flat(), moved];
      },
      golds: range(words.length).map((word) => range(words.length).filter((place) => isRight(word, place))),
      isSelf: (item, place) => item === place,
      query: text,
      document: text,
      names: [],
      all: `all ${words.length} words`,
      about: `All ${words.length} words of ${spoken.length} languages, each among the ${words.length - 1} others`,
      right: [`mean place of the last of ${spoken.length - 1} translations`, "all translations in the first ten"],
    };
  }

  // Ranks: of each right answer, the documents above it and those level with it, itself included
  function rank(scores, golds, isIn) {
    return golds.map((right) => {
      let [above, level] = [0, 0];
      scores.forEach((score, place) => {
        if (!isIn(place, right)) return;
        if (score > scores[right] + TOLERANCE) above += 1;
        else if (score > scores[right] - TOLERANCE) level += 1;
      });
      return { above, level };
    });
  }
  // Expected place of the last right answer, and the chance that it is among the first K; any order of equals is as likely
  function last(places) {
    const above = Math.max(...places.map((place) => place.above));
    const tied = places.filter((place) => place.above === above);
    const level = Math.max(...tied.map((place) => place.level));
    const free = Math.min(Math.max(SHOWN - above, 0), level);
    const complete = range(tied.length).reduce((chance, i) => (chance * Math.max(free - i, 0)) / (level - i), 1);
    return { place: above + ((level + 1) * tied.length) / (tied.length + 1), complete };
  }
  function lastInTurn([own, other]) {
    const pairs = range(own.level).flatMap((i) =>
      range(other.level).map((j) => Math.max(2 * (own.above + i) + 1, 2 * (other.above + j) + 2)),
    );
    const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return { place: average(pairs), complete: average(pairs.map((place) => +(place <= SHOWN))) };
  }
  function evaluate(remedy, share) {
    const [queries, pools] = search.apply(remedy, share);
    const documents = pools.flat();
    const inTurn = remedy === "interleave";
    const list = (place) => Math.floor(place / size);
    const scores = queries.map((query) => documents.map((document) => dot(query, document)));
    const ends = scores.map((row, item) => {
      const isIn = (place, right) => (inTurn ? list(place) === list(right) : !search.isSelf?.(item, place));
      return (inTurn ? lastInTurn : last)(rank(row, search.golds[item], isIn));
    });
    const sum = (key) => ends.reduce((all, end) => all + end[key], 0) / ends.length;
    return { ends, maxAtR: sum("place"), complete: 100 * sum("complete"), order };
    function order(item) {
      const sorted = range(documents.length).filter((place) => !search.isSelf?.(item, place));
      sorted.sort((a, b) => scores[item][b] - scores[item][a]);
      if (!inTurn) return sorted;
      const [own, other] = [0, 1].map((number) => sorted.filter((place) => list(place) === number));
      return own.flatMap((place, i) => [place, other[i]]);
    }
  }

  // The page
  function make(tag, text, attributes = {}) {
    const element = Object.assign(document.createElement(tag), { textContent: text });
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }
  function fill(select, values, label, wanted = select.value) {
    select.replaceChildren(...values.map((value) => make("option", label(value), { value })));
    select.value = values.map(String).includes(String(wanted)) ? wanted : values[0];
  }
  function makeRow(place, number, item) {
    const { code, text, english } = search.document(place);
    const isRight = search.golds[item].includes(place);
    const row = make("li", "", { value: number, "data-key": place });
    row.className = `${code === form.own.value ? "ask-own" : "ask-other"}${isRight ? " ask-right" : ""}`;
    const texts = make("div", "");
    texts.append(make("p", text, { lang: code, dir: "auto" }));
    if (code !== "en") texts.append(make("p", english, { lang: "en", class: "ask-reading" }));
    row.append(make("span", number, { class: "ask-place" }), texts, make("span", languages[code], { class: "ask-tag", "data-code": code }));
    if (isRight) row.append(make("span", "★", { class: "ask-star", role: "img", "aria-label": "right answer" }));
    return row;
  }
  function show(list, order, item) {
    const top = (row) => row.getBoundingClientRect().top - list.getBoundingClientRect().top;
    const old = new Map([...list.children].map((row) => [row.dataset.key, top(row)]));
    const shown = order.filter((place, i) => i < SHOWN || search.golds[item].includes(place));
    list.replaceChildren(...shown.map((place) => makeRow(place, order.indexOf(place) + 1, item)));
    [...list.children].forEach((row, i) => row.classList.toggle("ask-gap", i > 0 && row.value > list.children[i - 1].value + 1));
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || !old.size) return;
    for (const row of list.children) {
      const from = old.get(row.dataset.key);
      const start = from === undefined ? { opacity: 0 } : { transform: `translateY(${from - top(row)}px)` };
      row.animate([start, { opacity: 1, transform: "none" }], { duration: 450, easing: "ease-in-out" });
    }
  }
  function draw() {
    const item = Number(form.item.value);
    const { text, code, english } = search.query(item);
    const reading = make("span", code === "en" ? "" : english, { lang: "en", class: "ask-reading" });
    root.querySelector(".ask-asked").replaceChildren(make("span", text, { lang: code, dir: "auto", class: "ask-text" }), reading);
    const orders = [before, after].map((state) => state.order(item));
    root.querySelectorAll("ol").forEach((list, i) => show(list, orders[i], item));
    const places = orders.map((order) => search.golds[item].map((right) => order.indexOf(right) + 1));
    const moves = search.names.map((name, i) => [name, places[0][i], places[1][i]]);
    if (!moves.length) moves.push(["last translation", ...places.map((some) => Math.max(...some))]);
    const [name, from, to] = moves.at(-1);
    root.querySelector(".ask-headline").textContent = `${name[0].toUpperCase()}${name.slice(1)}: place ${from} → ${to}`;
    const numbers = [before, after].map((state) => [decimal.format(state.maxAtR), `${decimal.format(state.complete)} %`]);
    root.querySelectorAll(".ask-numbers tbody tr").forEach((row, i) => {
      row.querySelector("span").textContent = search.right[i];
      numbers.forEach((state, column) => (row.cells[column + 1].textContent = state[i]));
    });
    root.querySelector("caption").textContent = search.about;
    const sentences = moves.map(([what, a, b]) => `The ${what} ${a === b ? `stays at place ${a}` : `moves from place ${a} to ${b}`}.`);
    const [max, complete] = [0, 1].map((i) => `from ${numbers[0][i]} to ${numbers[1][i]}`);
    root.querySelector(".ask-summary").textContent = `${sentences.join(" ")} For ${search.all}, mean Max@R goes ${max} and Complete@10 ${complete}.`;
  }
  function measure() {
    const remedy = mode === "ask-words" ? "both" : form.remedy.value;
    form.share.disabled = ["none", "interleave"].includes(remedy);
    form.percent.value = form.share.value;
    after = evaluate(remedy, form.share.value / 100);
  }
  function chooseHardest() {
    const gain = (item) => before.ends[item].place - after.ends[item].place;
    form.item.value = search.items.reduce((best, item) => (gain(item) > gain(best) ? item : best));
  }
  async function start(isFirst) {
    const isWords = mode === "ask-words";
    fill(form.own, isWords ? spoken : asked, (code) => languages[code], isFirst ? "zh" : form.own.value);
    fill(form.other, asked.filter((code) => code !== form.own.value), (code) => languages[code]);
    const name = form.model.value;
    const vectors = await load(name);
    if (name !== form.model.value) return; // another one was chosen meanwhile
    search = (isWords ? searchWords : searchQuestions)(vectors);
    fill(form.item, search.items, (item) => (isWords ? `${search.query(item).text} · ` : "") + search.query(item).english);
    before = evaluate("none", 1);
    measure();
    const letters = search.items.map((item) => search.query(item).text).join("");
    await document.fonts.load('1em "Book Scripts"', letters).catch(() => {}); // a text drawn before its font may keep boxes
    if (isFirst) chooseHardest();
    draw();
  }
  const begin = (isFirst) =>
    start(isFirst).catch((error) => (root.querySelector(".ask-summary").textContent = `This does not work: ${error.message}.`));
  function choose(tab) {
    mode = tab.id;
    for (const each of tabs) {
      each.ariaSelected = String(each === tab);
      each.tabIndex = each === tab ? 0 : -1;
    }
    root.querySelector("[role=tabpanel]").setAttribute("aria-labelledby", mode);
    for (const part of root.querySelectorAll("[data-mode]")) part.hidden = part.dataset.mode !== mode;
    begin(true);
  }

  fill(form.model, models, (name) => name);
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      if (!["ArrowLeft", "ArrowRight"].includes(key)) return;
      tabs[1 - i].focus();
      choose(tabs[1 - i]);
    });
  });
  form.addEventListener("input", ({ target }) => {
    if (!["item", "remedy", "share"].includes(target.name)) return begin(false);
    if (target.name !== "item") measure();
    draw();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hardest.addEventListener("click", () => {
    chooseHardest();
    draw();
  });
  begin(true);
})();
