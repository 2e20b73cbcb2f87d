// Sort, filter, and pick columns. The table is complete without it; this only hides and reorders.
(() => {
  const board = document.currentScript.closest(".board");
  const form = board.querySelector("form");
  const heads = [...board.querySelectorAll("thead th")];
  const body = board.querySelector("tbody");
  const rows = [...body.rows];
  const [rankColumn, modelColumn] = [0, 1];
  let sorted = heads.findIndex((head) => head.ariaSort);
  let descending = true;

  const place = (key) => heads.findIndex((head) => head.dataset.key === key);
  const number = (row, column) => Number.parseFloat(row.cells[column].dataset.value ?? "NaN");
  const text = (row, column) => row.cells[column].textContent.trim();

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

  function isShown(head) {
    const { questions, language, detail } = head.dataset;
    if (questions && questions !== form.questions.value) return false;
    if (language) return Boolean(form.querySelector(`[name=language][value="${CSS.escape(language)}"]:checked`));
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

  function update() {
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
  // The measure of the task, in the first of the languages chosen, else over all languages.
  function sortByTask() {
    const { task, questions } = form;
    const language = form.querySelector("[name=language]:checked")?.value;
    const keys = [`${questions.value}/${language}/${task.value}`, `${questions.value}/${task.value}`, task.value];
    const column = keys.map(place).find((each) => each >= 0);
    if (column !== undefined) [sorted, descending] = [column, true];
  }

  form.addEventListener("input", (event) => {
    if (["task", "language", "questions"].includes(event.target.name) && form.task.value) sortByTask();
    update();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  update();
})();
