// Which pictures are compared, in which order, and which two of them are looked at.

import { arrange } from '../lib/layout.js';

/** @import { Size } from '../lib/layout.js' */

export const LEAST = 2;
export const MOST = 9;
/** Pixels of a frame's width, with room for its buttons. */
const LEAST_FRAME = 120;
/** In a pair, what stands for the reference. */
export const REFERENCE = 0;

/** @typedef {[number, number]} Pair ids of two pictures; 0 for the reference */

/** @param {number} place from 0 */
export function letterOf(place) {
  return String.fromCharCode(65 + place);
}

/**
 * Return ids as they can be compared: each once, as many as there is room for.
 * @param {readonly number[]} ids
 */
export function comparable(ids) {
  return [...new Set(ids)].filter((id) => Number.isSafeInteger(id) && id > 0).slice(0, MOST);
}

/**
 * Return the list with one thing at another place; the others close up.
 * @template T
 * @param {readonly T[]} list
 * @param {number} from
 * @param {number} to beyond the ends means at the end
 */
export function moved(list, from, to) {
  const rest = list.filter((_, at) => at !== from);
  const at = Math.max(0, Math.min(rest.length, to));
  return [...rest.slice(0, at), ...list.slice(from, from + 1), ...rest.slice(at)];
}

/**
 * Return the list with two things exchanged; as it is where there are not both.
 * @template T
 * @param {readonly T[]} list
 * @param {number} one
 * @param {number} other
 */
export function swapped(list, one, other) {
  const next = [...list];
  if (!(one in list) || !(other in list)) return next;
  [next[one], next[other]] = [/** @type {T} */ (list[other]), /** @type {T} */ (list[one])];
  return next;
}

/**
 * Return the pair that is looked at: the chosen one as far as both are there, else the first two.
 * @param {readonly number[]} ids
 * @param {Pair | null} chosen
 * @param {boolean} reference whether there is one
 * @returns {Pair | null} null where there are no two
 */
export function pairIn(ids, chosen, reference) {
  const there = (/** @type {number | undefined} */ id) =>
    id !== undefined && (ids.includes(id) || (id === REFERENCE && reference));
  const [one, other] = chosen ?? [];
  if (there(one) && there(other) && one !== other) return /** @type {Pair} */ ([one, other]);
  const all = reference && ids.length === 1 ? [REFERENCE, ...ids] : [...ids];
  if (all.length < LEAST) return null;
  const left = there(one) ? one : all[0];
  const right = there(other) && other !== left ? other : all.find((id) => id !== left);
  return /** @type {Pair} */ ([left, right]);
}

/**
 * Return the pair after another, or before it, through all pairs and around.
 * @param {readonly number[]} ids
 * @param {Pair} pair
 * @param {number} by
 * @returns {Pair}
 */
export function nextPair(ids, pair, by) {
  /** @type {Pair[]} */
  const all = ids.flatMap((one, at) => ids.slice(at + 1).map((other) => /** @type {Pair} */ ([one, other])));
  if (pair.includes(REFERENCE)) {
    // Against the reference, one picture after the other.
    const at = ids.indexOf(pair[0] === REFERENCE ? pair[1] : pair[0]);
    const next = /** @type {number} */ (ids[(at + by + ids.length) % ids.length]);
    return pair[0] === REFERENCE ? [REFERENCE, next] : [next, REFERENCE];
  }
  const found = all.findIndex(([one, other]) => pair.includes(one) && pair.includes(other));
  return all[(found + by + all.length) % all.length] ?? pair;
}

/**
 * Return the columns, rows and size of the frames in which pictures are largest.
 * @param {Size} area
 * @param {readonly number[]} ratios
 * @param {{ gap: number, caption: number, single: boolean }} options pixels between frames, height of what stands under
 *   each, whether they stand one under the other
 * @returns {{ columns: number, rows: number, frame: Size }}
 */
export function framesIn(area, ratios, { gap, caption, single }) {
  const tallest = Math.min(...ratios);
  if (single) {
    // As wide as there is room, and no higher than the highest picture or all that is seen at once.
    const height = Math.max(80, Math.min(area.width / tallest, area.height - caption));
    return { columns: 1, rows: ratios.length, frame: { width: Math.floor(area.width), height: Math.floor(height) } };
  }
  const whole = { width: area.width, height: area.height - caption };
  const { columns, rows } = arrange(whole, [...ratios], { gap: gap + caption / 2 });
  const width = Math.max(1, Math.floor((area.width - gap * (columns - 1)) / columns));
  const height = Math.max(1, Math.floor((area.height - gap * (rows - 1)) / rows - caption));
  // No larger than the pictures in them, so that these stand close to each other.
  const frame = {
    width: Math.min(width, Math.max(LEAST_FRAME, Math.ceil(height * Math.max(...ratios)))),
    height: Math.min(height, Math.max(LEAST_FRAME, Math.ceil(width / tallest))),
  };
  return { columns, rows, frame };
}
