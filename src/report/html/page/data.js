// The page's data: read once, indices resolved. Knows the shape that data.rs writes, nothing of the page.

/** Every trial with its cell, prompt and outcome in place of their indices, and how much it repeats. */
function readData(json) {
  const raw = JSON.parse(json);
  const trials = raw.trials.map(([cell, prompt, seed, outcome], index) => ({
    index,
    cell: raw.cells[cell],
    cellIndex: cell,
    prompt: raw.prompts[prompt],
    promptIndex: prompt,
    seed,
    outcome: raw.outcomes[outcome],
    repetition: repetitionOf(raw.outcomes[outcome], raw.metrics),
  }));
  return { ...raw, trials };
}

/** The level of a factor of a trial, as text. */
function levelOf(trial, factor) {
  if (factor === "prompt") return trial.prompt.id;
  if (factor === "status") return trial.outcome.status;
  if (factor === "seed") return trial.seed === null ? "none" : String(trial.seed);
  return trial.cell[factor];
}

/** The levels of a factor in the order in which the plan first names them. */
function levelsOf(trials, factor) {
  return [...new Set(trials.map((trial) => levelOf(trial, factor)))];
}

/** A number as people read it; missing is a dash and never 0. */
function shown(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3);
}
