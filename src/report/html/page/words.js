// Which words of a text repeat: the repetition score's own definition. Pure.

// Python's str.split(): Unicode's White_Space and the separators U+001C to U+001F (crates/score/src/metrics/words.rs).
const WORD = /[^\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;

/** The words of a text: where each begins and ends, in UTF-16 units. */
function wordsOf(text) {
  return Array.from(text.matchAll(WORD), (match) => ({ start: match.index, end: match.index + match[0].length, word: match[0] }));
}

/**
 * Stretches of words that lie in a trigram which occurs more than once, with how often
 * the most frequent of a stretch's trigrams does.
 */
function repeatedStretches(text) {
  const words = wordsOf(text);
  const ids = new Map();
  const id = words.map(({ word }) => ids.get(word) ?? (ids.set(word, ids.size), ids.size - 1));
  const key = (at) => `${id[at]} ${id[at + 1]} ${id[at + 2]}`;
  const counts = new Map();
  for (let at = 0; at + 2 < words.length; at++) counts.set(key(at), (counts.get(key(at)) ?? 0) + 1);
  const times = new Array(words.length).fill(1);
  for (let at = 0; at + 2 < words.length; at++) {
    const count = counts.get(key(at));
    if (count > 1) for (let word = at; word < at + 3; word++) times[word] = Math.max(times[word], count);
  }
  const stretches = [];
  words.forEach(({ start, end }, index) => {
    if (times[index] === 1) return;
    const last = stretches.at(-1);
    if (last && last.to === index - 1 && last.times === times[index]) {
      last.to = index;
      last.end = end;
    } else {
      stretches.push({ start, end, to: index, times: times[index] });
    }
  });
  return stretches;
}
