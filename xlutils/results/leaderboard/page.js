// Sort, filter, and pick columns. The table is complete without it; this only hides and reorders.
(() => {
  const board = document.currentScript.closest(".board");
  const form = board.querySelector("form");
  const heads = [...board.querySelectorAll("thead th")];
  const body = board.querySelector("tbody");
  const rows = [...body.rows];
  const [rankColumn, modelColumn, mineColumn] = [0, 1, 2];
  let sorted = heads.findIndex((head) => head.ariaSort);
  let descending = true;

  const place = (key) => heads.findIndex((head) => head.dataset.key === key);
  const number = (row, column) => Number.parseFloat(row.cells[column].dataset.value ?? "NaN");
  const text = (row, column) => row.cells[column].textContent.trim();
  const languages = () => [...form.querySelectorAll("[name=language]:checked")].map((box) => box.value);
  // The columns of the task in my languages.
  const mine = () => languages().map((code) => place(`${form.questions.value}/${code}/${form.task.value}`)).filter((column) => column >= 0);

  function compare(one, other) {
    const [a, b] = [number(one, sorted), number(other, sorted)];
    if (Number.isNaN(a) && Number.isNaN(b)) {
      const blank = (row) => text(row, sorted) === "-";
      if (blank(one) !== blank(other)) return blank(one) ? 1 : -1;
      return text(one, sorted).localeCompare(text(other, sorted)) * (descending ? -1 : 1);
    }
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1; // what is missing comes last
    return (a - b) * (descending ? -1 : 1);
  }

  function isShown(head, column) {
    const { key, questions, language, detail } = head.dataset;
    if (column === mineColumn) return mine().length > 1;
    if (questions && questions !== form.questions.value) return false;
    if (form.task.value && "measure" in head.dataset && key.split("/").at(-1) !== form.task.value) return false;
    if (language) return languages().includes(language);
    return detail === undefined || form.words.checked;
  }

  function isWanted(row, shown) {
    const search = form.search.value.trim().toLowerCase();
    const weights = number(row, place("weights")) / 1e6;
    const seen = text(row, heads.findIndex((head, column) => head.dataset.fact === "seen" && shown[column]));
    const scored = heads.some((head, column) => "measure" in head.dataset && shown[column] && row.cells[column].dataset.value);
    return (
      scored &&
      (!search || row.textContent.toLowerCase().includes(search)) &&
      (!form.kind.value || row.dataset.kind === form.kind.value) &&
      (!form.largest.value || weights <= Number(form.largest.value)) &&
      (!form.unseen.checked || ["no", "none known"].includes(seen))
    );
  }

  // One more than the number of models surely ahead, as the rule of `ranks` in scores.py has it.
  function ranks(scores) {
    const isBetter = (a, b) => a.value - b.value > Math.hypot(a.value - a.low, b.high - b.value);
    const ahead = new Map();
    for (const score of [...scores].sort((a, b) => b.value - a.value)) {
      const better = [...ahead.keys()].filter((other) => isBetter(other, score));
      ahead.set(score, new Set(better.flatMap((other) => [other, ...ahead.get(other)])));
    }
    return scores.map((score) => 1 + ahead.get(score).size);
  }

  function fillMine() {
    const columns = mine();
    heads[mineColumn].querySelector("button").textContent =
      `Mean of ${columns.map((column) => heads[column].textContent.trim().split(", ").at(-1)).join(", ")}`;
    const scores = [];
    for (const row of rows) {
      const cells = columns.map((column) => row.cells[column].dataset);
      const mean = (name) => cells.reduce((sum, cell) => sum + Number.parseFloat(cell[name]), 0) / cells.length;
      const [value, low, high] = [mean("value"), mean("low"), mean("high")];
      const cell = row.cells[mineColumn];
      cell.removeAttribute("data-value");
      cell.removeAttribute("data-rank");
      cell.textContent = "-";
      if (Number.isNaN(value)) continue;
      const written = (number) => number.toFixed(heads[columns[0]].dataset.digits);
      cell.dataset.value = value;
      cell.replaceChildren(Object.assign(document.createElement("span"), { textContent: written(value) }));
      if (row.dataset.kind === "reported") cell.firstChild.className = "board-hollow";
      if (Number.isNaN(low)) continue;
      cell.append(Object.assign(document.createElement("small"), { textContent: `${written(low)} to ${written(high)}` }));
      if (row.dataset.kind === "measured") scores.push({ cell, value, low, high });
    }
    ranks(scores).forEach((rank, number) => (scores[number].cell.dataset.rank = rank));
  }

  function update() {
    if (mine().length > 1) fillMine();
    const shown = heads.map(isShown);
    if (!shown[sorted]) {
      sorted = heads.findIndex((head, column) => head.dataset.questions && shown[column]);
      if (sorted < 0) sorted = modelColumn;
      descending = sorted !== modelColumn;
    }
    rows.sort(compare);
    body.append(...rows);
    let count = 0;
    for (const row of rows) {
      shown.forEach((visible, column) => (row.cells[column].hidden = !visible));
      row.hidden = !isWanted(row, shown);
      row.cells[rankColumn].textContent = row.cells[sorted].dataset.rank ?? "-";
      count += !row.hidden;
    }
    heads.forEach((head, column) => {
      head.hidden = !shown[column];
      head.ariaSort = column === sorted ? (descending ? "descending" : "ascending") : null;
    });
    for (const label of board.querySelectorAll("[data-sets]")) {
      label.hidden = !label.dataset.sets.split(" ").includes(form.questions.value);
    }
    const measure = heads[sorted].textContent.trim();
    board.querySelector(".board-count").textContent =
      `${count} of ${rows.length} rows, by ${measure}. Models that share a rank cannot be told apart.`;
  }

  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const isText = rows.every((row) => row.cells[column].dataset.value === undefined);
      descending = column === sorted ? !descending : !isText;
      sorted = column;
      update();
    });
  });
  // The measure of the task: the mean of my languages, or over all languages if I chose none.
  function sortByTask() {
    const { task, questions } = form;
    const overall = [`${questions.value}/${task.value}`, task.value].map(place);
    const columns = mine().length > 1 ? [mineColumn] : [...mine(), ...overall];
    const column = columns.find((each) => each >= 0);
    if (column !== undefined) [sorted, descending] = [column, true];
  }

  form.addEventListener("input", (event) => {
    if (["task", "language", "questions"].includes(event.target.name) && form.task.value) sortByTask();
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
})();
