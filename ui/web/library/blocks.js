// The list as the server cuts it: blocks, and the days that they make up.

/** @import { Block } from './types.js' */

/**
 * Pictures of one day, or all of them where the list is not sorted by date.
 * @typedef {object} Group
 * @property {string | null} day such as "2026-03-01"; a month, such as "2026-03", where days have few pictures
 * @property {number} start the place of its first picture in the list
 * @property {number} count
 * @property {number} first the number of its first block
 * @property {number} blocks how many blocks it has
 */

/** Where more days than these have fewer pictures than that each, the list is divided by months. */
const SPARSE = { days: 6, pictures: 4 };

/**
 * Return the days of a list, or its months where a heading a day would be most of it.
 * @param {readonly Block[]} blocks
 * @returns {Group[]}
 */
export function groupsOf(blocks) {
  const days = grouped(blocks);
  const total = days.reduce((sum, { count }) => sum + count, 0);
  if (days.length <= SPARSE.days || total / days.length >= SPARSE.pictures) return days;
  return grouped(blocks.map((block) => ({ ...block, day: block.day?.slice(0, 7) ?? null })));
}

/**
 * @param {readonly Block[]} blocks
 * @returns {Group[]}
 */
function grouped(blocks) {
  /** @type {Group[]} */
  const groups = [];
  let start = 0;
  blocks.forEach(({ day, count }, number) => {
    const last = groups[groups.length - 1];
    if (last && last.day === day) {
      last.count += count;
      last.blocks += 1;
    } else groups.push({ day, start, count, first: number, blocks: 1 });
    start += count;
  });
  return groups.filter(({ count }) => count > 0);
}

/**
 * Return where each block begins in the list.
 * @param {readonly Block[]} blocks
 * @returns {number[]}
 */
export function startsOf(blocks) {
  let start = 0;
  return blocks.map(({ count }) => {
    const here = start;
    start += count;
    return here;
  });
}

/**
 * Return the number of the last value that is not above another, in rising values; -1 where all are above.
 * @param {ArrayLike<number>} values
 * @param {number} wanted
 */
export function lastUpTo(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (values[middle]) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Return where a place in a list is after another list has taken its place, where nothing else is known of it: new
 * pictures come at the top of a list that begins with the newest, else at its end.
 * @param {number} place
 * @param {number} before how many the list had
 * @param {number} after how many it has
 * @param {boolean} newest whether it begins with the newest
 */
export function carried(place, before, after, newest) {
  return Math.max(0, Math.min(after - 1, newest ? place + after - before : place));
}
