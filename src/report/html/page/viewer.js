// The reader of texts: two cells side by side, prompt by prompt, what repeats marked.

// Marks of longer texts would be slow to draw and slower to read.
const LONGEST_DRAWN = 20000;
// Copies of a cycle that are set apart; the rest stands in one piece.
const MOST_COPIES = 500;

function startViewer(root, data) {
  const factors = data.factors.filter((factor) => factor !== "prompt" && factor !== "seed");
  const state = { prompt: 0, seed: "", sides: mostTelling(data).map((cell) => ({ ...cell })) };
  const seeds = [...new Set(data.trials.map((trial) => trial.seed))].filter((seed) => seed !== null).sort((a, b) => a - b);
  state.seed = String(seeds[0] ?? "");

  const panes = [0, 1].map((side) => makePane(side));
  const prompt = make("blockquote", { class: "prompt" });
  const status = make("p", { role: "status", class: "status" });
  const promptChoices = data.prompts.map(({ id, group }, index) => [String(index), group ? `${id} (${group})` : id]);
  const promptSelect = makeSelect("prompt", promptChoices, "0", (value) => go({ prompt: Number(value) }));
  const seedSelect = makeSelect("seed", seeds.map(String), state.seed, (value) => go({ seed: value }));

  function go(change) {
    Object.assign(state, change);
    draw();
  }

  function step(by) {
    const count = data.prompts.length;
    go({ prompt: (state.prompt + by + count) % count });
  }

  /** The trial of a side's cell for the prompt shown: the chosen seed's, or the only one of a chain without draws. */
  function trialOf(cell) {
    const here = data.trials.filter(
      (trial) => trial.promptIndex === state.prompt && factors.every((factor) => trial.cell[factor] === cell[factor]),
    );
    return here.find((trial) => String(trial.seed ?? "") === state.seed) ?? here.find((trial) => trial.seed === null);
  }

  function makePane(side) {
    const name = side === 0 ? "left" : "right";
    const selects = new Map();
    for (const factor of factors) {
      const levels = levelsOf(data.trials, factor);
      const made = makeSelect(factor, levels, state.sides[side][factor], (level) => {
        state.sides[side][factor] = level;
        draw();
      });
      // A factor of one level needs no choice.
      if (levels.length > 1) selects.set(factor, made);
    }
    const facts = make("p", { class: "facts" });
    const text = make("div", { class: "text", tabindex: "0", role: "region", "aria-label": `text on the ${name}`, dir: "auto" });
    const controls = make("div", { class: "controls" }, ...[...selects.values()].map(({ field }) => field));
    const element = make("section", { class: "pane", "aria-label": `Cell on the ${name}` }, controls, facts, text);
    return { element, selects, facts, text };
  }

  function draw() {
    promptSelect.select.value = String(state.prompt);
    if (seeds.length) seedSelect.select.value = state.seed;
    prompt.textContent = visible(data.prompts[state.prompt]?.text ?? "");
    status.textContent = `Prompt ${state.prompt + 1} of ${data.prompts.length}`;
    panes.forEach((pane, side) => {
      for (const [factor, { select }] of pane.selects) select.value = state.sides[side][factor];
      drawText(pane, trialOf(state.sides[side]), data.metrics);
    });
  }

  root.replaceChildren(
    make(
      "div",
      { class: "controls" },
      make("button", { type: "button", onclick: () => step(-1), "aria-keyshortcuts": "k" }, "Previous prompt (k)"),
      make("button", { type: "button", onclick: () => step(1), "aria-keyshortcuts": "j" }, "Next prompt (j)"),
      promptSelect.field,
      ...(seeds.length > 1 ? [seedSelect.field] : []),
      status,
    ),
    prompt,
    make("div", { class: "panes" }, ...panes.map(({ element }) => element)),
  );
  // Single letters only while the focus is here (WCAG 2.2, 2.1.4): speech input types them.
  root.addEventListener("keydown", (event) => {
    if (event.target.closest("select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
  draw();

  /** Shows a trial on the left and goes there. */
  return (trial) => {
    state.sides[0] = { ...trial.cell };
    go({ prompt: trial.promptIndex, seed: trial.seed === null ? state.seed : String(trial.seed) });
    panes[0].text.focus();
  };
}

/** To begin with: the cell of the highest mean score, and the same under another chain. */
function mostTelling({ cells, trials, metrics }) {
  const at = metrics.indexOf("repetition_score");
  const sums = cells.map(() => ({ sum: 0, n: 0 }));
  for (const { cellIndex, outcome } of trials) {
    const score = outcome.scores?.[at] ?? null;
    if (score === null) continue;
    sums[cellIndex].sum += score;
    sums[cellIndex].n += 1;
  }
  const mean = ({ sum, n }) => (n ? sum / n : -1);
  const best = sums.reduce((best, next, index) => (mean(next) > mean(sums[best]) ? index : best), 0);
  const same = (cell) => Object.keys(cell).every((factor) => factor === "chain" || cell[factor] === cells[best][factor]);
  return [cells[best], cells.find((cell) => same(cell) && cell.chain !== cells[best].chain) ?? cells.at(-1)];
}

function drawText({ facts, text }, trial, metrics) {
  const outcome = trial?.outcome;
  if (outcome?.status !== "scored") {
    facts.textContent = outcome ? outcome.status : "no such trial in the plan";
    text.replaceChildren(visible(outcome?.reason ?? ""));
    return;
  }
  const score = outcome.scores[metrics.indexOf("repetition_score")];
  const loops = outcome.scores[metrics.indexOf("loop")] === 1;
  const inThought = loops && outcome.thought !== undefined && !outcome.tail;
  const tail = outcome.tail ? `; ends in a ${cycleOf(outcome.tail)}` : inThought ? "; loops in its thought" : "; no cycle at its end";
  const tokens = outcome.n_tokens === null ? "" : `; ${outcome.n_tokens} tokens`;
  facts.textContent = `repetition score ${shown(score)}${tokens}, stopped by ${outcome.stop}${tail}`;
  const answer = outcome.text.trim() === "" ? [make("em", {}, outcome.thought === undefined ? "no text" : "no answer")] : marked(outcome);
  if (outcome.thought === undefined) text.replaceChildren(...answer);
  else text.replaceChildren(part("Thought", marked({ text: outcome.thought, tail: null })), part("Answer", answer));
}

/** A part of a text under its name. */
function part(name, nodes) {
  return make("div", { class: "part", role: "group", "aria-label": name }, make("span", { class: "part-name" }, name), make("div", {}, ...nodes));
}

function cycleOf({ tokens, period, copies }) {
  const unit = tokens === null ? `${period} characters` : `${tokens} tokens`;
  return `cycle of ${unit}, ${shown(copies)} copies`;
}

/** A text as nodes: `mark` around repeated trigrams, an outline around the cycle and its copies. */
function marked(outcome) {
  const text = outcome.text.slice(0, LONGEST_DRAWN);
  const stretches = repeatedStretches(text);
  const inside = (from, to) => {
    const nodes = [];
    let at = from;
    for (const { start, end, times } of stretches) {
      const [low, high] = [Math.max(start, from), Math.min(end, to)];
      if (low >= high) continue;
      nodes.push(visible(text.slice(at, low)));
      nodes.push(make("mark", { title: `in a trigram that occurs ${times} times` }, visible(text.slice(low, high))));
      at = high;
    }
    nodes.push(visible(text.slice(at, to)));
    return nodes;
  };
  const tail = outcome.tail;
  const onset = tail?.start ?? text.length;
  const nodes = inside(0, Math.min(onset, text.length));
  if (tail && onset < text.length) {
    const copies = [];
    for (let at = onset; at < text.length; ) {
      const to = copies.length < MOST_COPIES ? Math.min(at + tail.period, text.length) : text.length;
      copies.push(make("span", { class: "copy" }, ...inside(at, to)));
      at = to;
    }
    const title = `the text ends in a ${cycleOf(tail)}`;
    nodes.push(make("span", { class: "cycle", title, role: "group", "aria-label": title }, ...copies));
  }
  if (text.length < outcome.text.length) nodes.push(make("em", {}, ` … ${outcome.text.length - text.length} characters more are in trials.jsonl`));
  return nodes;
}
