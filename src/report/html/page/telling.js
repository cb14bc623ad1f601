// Which texts tell the most: the worst first, and the cleanest cell beside them. Pure.

/**
 * How much a text repeats: the higher of its repetition score, which needs words, and of the share that the cycle at
 * its end has of it, which needs none. Null where a text has neither.
 */
function repetitionOf({ scores }, metrics) {
  const known = ["repetition_score", "tail_share"].map((name) => scores?.[metrics.indexOf(name)] ?? null);
  const values = known.filter((value) => value !== null);
  return values.length ? Math.max(...values) : null;
}

/** Orders trials the worst first; texts without a score follow, then trials without a text. */
function worstFirst(a, b) {
  const rank = ({ repetition, outcome }) => repetition ?? (outcome.text === undefined ? -2 : -1);
  return rank(b) - rank(a);
}

function worstTrial({ trials }) {
  return trials.reduce((worst, next) => (worstFirst(next, worst) < 0 ? next : worst));
}

/**
 * The cell to read beside a trial: of the same model the one whose texts repeat the least, of equals the one that
 * shares the most levels; another model's where the model has no other cell with a score.
 */
function cleanestBeside({ cells, trials }, { cell, cellIndex }) {
  const sums = cells.map(() => ({ sum: 0, n: 0 }));
  for (const { cellIndex: index, repetition } of trials) {
    if (repetition === null) continue;
    sums[index].sum += repetition;
    sums[index].n += 1;
  }
  const shared = (other) => Object.keys(cell).filter((factor) => other[factor] === cell[factor]).length;
  const others = cells.flatMap((other, index) => {
    const { sum, n } = sums[index];
    return index === cellIndex || n === 0 ? [] : [{ other, ranks: [other.model === cell.model ? 0 : 1, sum / n, -shared(other)] }];
  });
  const before = (a, b) => {
    const at = a.findIndex((rank, place) => rank !== b[place]);
    return at >= 0 && a[at] < b[at];
  };
  return others.length ? others.reduce((best, next) => (before(next.ranks, best.ranks) ? next : best)).other : cell;
}
