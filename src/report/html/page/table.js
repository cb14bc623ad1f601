// The table of trials: the worst first, sorted, filtered, a page of rows at a time, of each text a few words.

const ROWS_A_PAGE = 100;
// UTF-16 units of a text in its row, and how many of them stand before the cycle in which it ends.
const SNIPPET = 90;
const BEFORE_CYCLE = 15;

function startTable(root, data, openTrial) {
  const state = { sort: null, descending: false, text: "", levels: {}, page: 0, metrics: ["repetition_score", "tail_share"] };
  const varied = data.factors.filter((factor) => levelsOf(data.trials, factor).length > 1);

  // What is the same in all trials is folded above the table instead.
  const shownFactors = data.factors.filter((factor) => ["model", "chain"].includes(factor) || varied.includes(factor));
  const fixed = data.factors.filter((factor) => !shownFactors.includes(factor));
  const everywhere = fixed.map((factor) => `${factor} ${levelOf(data.trials[0], factor)}`).join(", ");

  const columns = () => [
    { name: "trial", head: "trial", value: (trial) => trial.outcome.id, text: true },
    { name: "text", head: "text", value: (trial) => snippetOf(trial.outcome), text: true, class: "snippet" },
    ...shownFactors.map((factor) => ({
      name: factor,
      head: factor,
      value: (trial) => (factor === "seed" ? trial.seed : factor === "temperature" ? Number(trial.cell.temperature) : levelOf(trial, factor)),
      text: factor !== "temperature" && factor !== "seed",
      show: (trial) => (factor === "seed" ? shown(trial.seed) : levelOf(trial, factor)),
    })),
    { name: "status", head: "status", value: (trial) => trial.outcome.status, text: true },
    ...state.metrics.map((metric) => {
      const at = data.metrics.indexOf(metric);
      const value = (trial) => trial.outcome.scores?.[at] ?? null;
      return { name: metric, head: metric.replaceAll("_", " "), value, show: (trial) => shown(value(trial)) };
    }),
  ];

  // What the text filter looks at, made once.
  const haystacks = data.trials.map((trial) =>
    [trial.outcome.id, ...data.factors.map((factor) => levelOf(trial, factor)), trial.outcome.status, trial.outcome.thought ?? "", trial.outcome.text ?? trial.outcome.reason ?? ""]
      .join("\n")
      .toLowerCase(),
  );

  function rows() {
    const needle = state.text.toLowerCase();
    const levels = Object.entries(state.levels).filter(([, level]) => level !== "");
    const kept = data.trials.filter(
      (trial) => levels.every(([factor, level]) => levelOf(trial, factor) === level) && haystacks[trial.index].includes(needle),
    );
    const column = columns().find(({ name }) => name === state.sort);
    if (!column) return kept.sort(worstFirst);
    const sign = state.descending ? -1 : 1;
    // Missing values come last either way; equal ones keep the plan's order.
    return kept.sort((a, b) => {
      const [x, y] = [column.value(a), column.value(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    });
  }

  const status = make("p", { role: "status", class: "status" });
  const head = make("tr");
  const body = make("tbody");
  const table = make("table", { class: "trials" }, make("caption", {}, "Trials, the worst first unless a column’s name is chosen to sort by"), make("thead", {}, head), body);
  const previous = make("button", { type: "button", onclick: () => turn(-1) }, "Previous rows");
  const next = make("button", { type: "button", onclick: () => turn(1) }, "Next rows");
  const worst = make("button", { type: "button", onclick: () => update({ sort: null }) }, "Worst first");

  function turn(by) {
    state.page += by;
    draw();
  }

  function sortBy(name) {
    state.descending = state.sort === name && !state.descending;
    state.sort = name;
    state.page = 0;
    draw();
    head.querySelector(`[data-column="${CSS.escape(name)}"]`)?.focus();
  }

  function draw() {
    const all = rows();
    const pages = Math.max(1, Math.ceil(all.length / ROWS_A_PAGE));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const from = state.page * ROWS_A_PAGE;
    const page = all.slice(from, from + ROWS_A_PAGE);
    const here = columns();
    head.replaceChildren(...here.map((column) => headCell(column)));
    body.replaceChildren(...page.map((trial) => row(trial, here)));
    const range = all.length ? `${from + 1} to ${from + page.length} of ` : "";
    status.textContent = `${range}${all.length} trials${all.length < data.trials.length ? `, filtered from ${data.trials.length}` : ""}`;
    worst.disabled = state.sort === null;
    previous.disabled = state.page === 0;
    next.disabled = state.page === pages - 1;
  }

  function headCell({ name, head: text }) {
    const sorted = state.sort === name ? (state.descending ? "descending" : "ascending") : null;
    const arrow = sorted ? (state.descending ? " ↓" : " ↑") : "";
    const button = make("button", { type: "button", "data-column": name, onclick: () => sortBy(name) }, text + arrow);
    return make("th", { scope: "col", "aria-sort": sorted }, button);
  }

  function row(trial, here) {
    const cells = here.slice(1).map((column) => {
      const text = column.show ? column.show(trial) : column.value(trial);
      return make("td", { class: column.class ?? (column.text ? null : "number") }, visible(text));
    });
    const open = make("a", { href: `#trial=${trial.outcome.id}`, onclick: () => openTrial(trial), title: "Read the text" }, trial.outcome.id.slice(0, 8) || "–");
    return make("tr", {}, make("th", { scope: "row" }, open), ...cells);
  }

  const filter = make("input", { type: "search", spellcheck: "false", placeholder: "id, level, words of the text" });
  filter.addEventListener("input", () => update({ text: filter.value }));
  const update = (change) => {
    Object.assign(state, change, { page: 0 });
    draw();
  };
  const selects = [...varied.filter((factor) => factor !== "seed"), "status"];
  const chooseLevel = (factor) => {
    return makeSelect(factor, [["", "all"], ...levelsOf(data.trials, factor)], "", (level) => update({ levels: { ...state.levels, [factor]: level } })).field;
  };
  const metricBoxes = data.metrics.map((metric) => {
    const box = make("input", { type: "checkbox" });
    box.checked = state.metrics.includes(metric);
    box.addEventListener("change", () =>
      update({ metrics: data.metrics.filter((name) => (name === metric ? box.checked : state.metrics.includes(name))) }),
    );
    return make("label", { class: "box" }, box, metric.replaceAll("_", " "));
  });
  root.replaceChildren(
    make("div", { class: "controls" }, make("label", { class: "field wide" }, make("span", {}, "filter"), filter), ...selects.map(chooseLevel)),
    make("details", {}, make("summary", {}, "Metrics shown"), make("fieldset", { class: "boxes" }, make("legend", {}, "Columns"), ...metricBoxes)),
    ...(everywhere ? [make("details", {}, make("summary", {}, "Settings that all trials share"), make("p", { class: "facts" }, visible(everywhere)))] : []),
    make("div", { class: "controls" }, worst, previous, next, status),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of trials" }, table),
  );
  draw();
}

/** The words that tell the most of a text: those where the cycle in which it ends begins, else its first ones. */
function snippetOf({ text, thought, tail, reason }) {
  if (text === undefined) return reason ?? "";
  const words = text.trim() === "" ? (thought ?? "") : text;
  const from = Math.max(0, (tail?.start ?? 0) - BEFORE_CYCLE);
  // Half of a pair of surrogates is no character.
  const cut = words.slice(from, from + SNIPPET).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
  return `${from > 0 ? "… " : ""}${cut.replace(/\s+/g, " ").trim()}${from + SNIPPET < words.length ? " …" : ""}`;
}
