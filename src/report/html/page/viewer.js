// The reader of texts: two cells side by side, prompt by prompt, what repeats marked.

// Marks of longer texts would be slow to draw and slower to read.
const LONGEST_DRAWN = 20000;
// Copies of a cycle that are set apart; the rest stands in one piece.
const MOST_COPIES = 500;

function startViewer(root, data) {
  const factors = data.factors.filter((factor) => factor !== "prompt" && factor !== "seed");
  const seeds = [...new Set(data.trials.map((trial) => trial.seed))].filter((seed) => seed !== null).sort((a, b) => a - b);
  const worst = worstTrial(data);
  const state = {
    prompt: worst.promptIndex,
    seed: String(worst.seed ?? seeds[0] ?? ""),
    sides: [worst.cell, cleanestBeside(data, worst)].map((cell) => ({ ...cell })),
  };

  const panes = [0, 1].map((side) => makePane(side));
  const prompt = make("blockquote", { class: "prompt" });
  const status = make("p", { role: "status", class: "status" });
  const promptChoices = data.prompts.map(({ id, group }, index) => [String(index), group ? `${id} (${group})` : id]);
  const promptSelect = makeSelect("prompt", promptChoices, String(state.prompt), (value) => go({ prompt: Number(value) }));
  const seedSelect = makeSelect("seed", seeds.map(String), state.seed, (value) => go({ seed: value }));

  /** Shows what the reader asked for; from then on the page's address leads to the text on the left. */
  function go(change) {
    Object.assign(state, change);
    draw();
    const shown = trialOf(state.sides[0]);
    if (shown) history.replaceState(null, "", linkTo(shown));
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
        go({});
      });
      // A factor of one level needs no choice.
      if (levels.length > 1) selects.set(factor, made);
    }
    const facts = make("p", { class: "facts" });
    const text = make("div", { class: "text", tabindex: "0", role: "region", "aria-label": `text on the ${name}`, dir: "auto" });
    const controls = make("div", { class: "controls" }, ...[...selects.values()].map(({ field }) => field));
    const copies = makeCopies(name, () => trialOf(state.sides[side]));
    const element = make("section", { class: "pane", "aria-label": `Cell on the ${name}` }, controls, facts, text, copies.element);
    return { element, selects, facts, text, copies };
  }

  function draw() {
    promptSelect.select.value = String(state.prompt);
    if (seeds.length) seedSelect.select.value = state.seed;
    prompt.textContent = visible(data.prompts[state.prompt]?.text ?? "");
    status.textContent = `Prompt ${state.prompt + 1} of ${data.prompts.length}`;
    panes.forEach((pane, side) => {
      for (const [factor, { select }] of pane.selects) select.value = state.sides[side][factor];
      const trial = trialOf(state.sides[side]);
      drawText(pane, trial, data.metrics);
      pane.copies.draw(trial);
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

  /** Shows a trial on the left and goes there; on the right stays what the reader chose, if it is of the same model. */
  function open(trial) {
    const right = state.sides[1];
    const tells = right.model === trial.cell.model && factors.some((factor) => right[factor] !== trial.cell[factor]);
    state.sides = [{ ...trial.cell }, tells ? right : { ...cleanestBeside(data, trial) }];
    go({ prompt: trial.promptIndex, seed: trial.seed === null ? state.seed : String(trial.seed) });
    panes[0].text.focus();
  }

  /** Shows the trial that the page's address names; the beginning of an id is enough. */
  function openNamed() {
    const id = /^#trial=([0-9a-f]+)$/.exec(location.hash)?.[1];
    if (!id || trialOf(state.sides[0])?.outcome.id.startsWith(id)) return;
    const trial = data.trials.find(({ outcome }) => outcome.id.startsWith(id));
    if (trial) open(trial);
    else status.textContent = `No trial of this run is called ${id}`;
  }
  addEventListener("hashchange", openNamed);
  openNamed();
  return open;
}

/** The address of a trial's text. */
function linkTo({ outcome }) {
  return `${location.href.split("#")[0]}#trial=${outcome.id}`;
}

/** Buttons that copy the trial that `shown` returns, and say whether they could. */
function makeCopies(name, shown) {
  const said = make("span", { role: "status", class: "status" });
  const button = (what, textOf) => {
    const copy = () =>
      navigator.clipboard.writeText(textOf(shown())).then(
        () => (said.textContent = `${what} copied`),
        () => (said.textContent = `The browser does not let this page copy`),
      );
    return make("button", { type: "button", onclick: copy }, `Copy ${what.toLowerCase()}`, make("span", { class: "sr" }, ` on the ${name}`));
  };
  const [link, text] = [button("Link", linkTo), button("Text", ({ outcome }) => outcome.text)];
  const element = make("div", { class: "controls" }, link, text, said);
  const draw = (trial) => {
    link.disabled = !trial;
    text.disabled = trial?.outcome.text === undefined;
    said.textContent = "";
  };
  return { element, draw };
}

function drawText({ facts, text }, trial, metrics) {
  if (!trial) {
    facts.textContent = "no such trial in the plan";
    text.replaceChildren();
    return;
  }
  const { outcome } = trial;
  facts.textContent = factsOf(outcome, metrics);
  if (outcome.text === undefined) {
    text.replaceChildren(make("em", {}, "no text"), outcome.reason ? `: ${visible(outcome.reason)}` : "");
    return;
  }
  const answer = outcome.text.trim() === "" ? [make("em", {}, outcome.thought === undefined ? "no text" : "no answer")] : marked(outcome);
  if (outcome.thought === undefined) text.replaceChildren(...answer);
  else text.replaceChildren(part("Thought", marked({ text: outcome.thought, tail: null })), part("Answer", answer));
}

/** What is known of a text beside its words. */
function factsOf(outcome, metrics) {
  if (outcome.status === "failed") return "failed: the model gave no text";
  if (outcome.status === "missing") return "missing: this trial has not been run";
  const score = outcome.scores?.[metrics.indexOf("repetition_score")] ?? null;
  const unscored = outcome.scores ? "no repetition score, as there is no word" : "censored: a server cut it, so it has no score";
  const tokens = outcome.n_tokens === null ? "" : `; ${outcome.n_tokens} tokens`;
  const loops = outcome.scores?.[metrics.indexOf("loop")] === 1;
  const inThought = loops && outcome.thought !== undefined && !outcome.tail;
  const tail = outcome.tail ? `; ends in a ${cycleOf(outcome.tail)}` : inThought ? "; loops in its thought" : "; no cycle at its end";
  return `${score === null ? unscored : `repetition score ${shown(score)}`}${tokens}, stopped by ${outcome.stop}${tail}`;
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
