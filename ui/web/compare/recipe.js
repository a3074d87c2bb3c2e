// What differs between recipes: settings with other values, and the words of prompts that not all of them have.

/**
 * A picture's setting, in words.
 * @typedef {{ key: string, label: string, value: string }} Setting
 */

/**
 * @typedef {object} Differences
 * @property {{ key: string, label: string, values: (string | null)[] }[]} different null where one lacks it
 * @property {Setting[]} same
 */

/** The order in which they are printed; what is not named here comes before the time. */
const ORDER = ['prompt', 'style', 'strength', 'guidance_scale', 'seed', 'steps', 'backend', 'model', 'reference'];
const LAST = ['size', 'time', 'cost'];

/**
 * @param {readonly (readonly Setting[])[]} columns one for each picture
 * @returns {Differences}
 */
export function differences(columns) {
  /** @type {Map<string, string>} */
  const labels = new Map();
  for (const column of columns) for (const { key, label } of column) if (!labels.has(key)) labels.set(key, label);
  /** @type {Differences} */
  const found = { different: [], same: [] };
  for (const [key, label] of [...labels].sort(([one], [other]) => rank(one) - rank(other))) {
    const values = columns.map((column) => column.find((each) => each.key === key)?.value ?? null);
    const [first = null] = values;
    if (first !== null && values.every((value) => value === first)) found.same.push({ key, label, value: first });
    else found.different.push({ key, label, values });
  }
  return found;
}

/** @param {string} key */
function rank(key) {
  const at = ORDER.indexOf(key);
  if (at >= 0) return at;
  return ORDER.length + 1 + LAST.indexOf(key);
}

/**
 * A part of a text, and whether all the texts have it.
 * @typedef {{ text: string, same: boolean }} Part
 */

/**
 * Return texts in parts: what the first has in common with all of the others, and what is their own.
 * @param {readonly string[]} texts
 * @returns {Part[][]}
 */
export function wordDifferences(texts) {
  const all = texts.map((text) => text.match(/\s*[\p{L}\p{N}]+|\s*[^\s\p{L}\p{N}]/gu) ?? []);
  const [first = [], ...others] = all;
  const shared = others.map((words) => common(first, words));
  // A word of the first is the same where every other one has it; theirs, where the first has it.
  const everywhere = first.map((_, at) => shared.every((pairs) => pairs.has(at)));
  return all.map((words, number) => {
    const pairs = shared[number - 1];
    const theirs = pairs && new Set([...pairs].flatMap(([at, other]) => (everywhere[at] ? [other] : [])));
    return joined(words, (at) => (theirs ? theirs.has(at) : (everywhere[at] ?? false)));
  });
}

/**
 * @param {readonly string[]} words
 * @param {(at: number) => boolean} same
 */
function joined(words, same) {
  /** @type {Part[]} */
  const parts = [];
  words.forEach((word, at) => {
    const last = parts[parts.length - 1];
    if (last && last.same === same(at)) last.text += word;
    else parts.push({ text: word, same: same(at) });
  });
  return parts;
}

/** Words of a prompt that are compared; what comes after counts as different. */
const WORDS = 600;

/**
 * Return which words two lists share, in order: places of the first by those of the other.
 * @param {readonly string[]} one
 * @param {readonly string[]} other
 * @returns {Map<number, number>}
 */
function common(one, other) {
  const a = one.slice(0, WORDS).map(plain);
  const b = other.slice(0, WORDS).map(plain);
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  /** @type {Map<number, number>} */
  const found = new Map();
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.set(i++, j++);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}

/** @param {string} word */
function plain(word) {
  return word.trim().toLowerCase();
}
