// Where everything stands in the grid: days with a heading, rows of square tiles. Nothing here knows the document.

import { lastUpTo } from './blocks.js';

/** @import { Group } from './blocks.js' */

/** Pixels: between tiles, of a day's heading, and below the last row, where the bars lie over the grid. */
export const GAP = 8;
export const HEADING = 36;
const FOOT = 72;
/** Pixels that a tile is about as wide as, by the density that a person chooses; the densest first. */
export const SIZES = [80, 104, 136, 176, 232, 304];

/**
 * @typedef {object} Layout
 * @property {Group[]} groups
 * @property {number[]} starts the places of their first pictures in the list
 * @property {number[]} tops of the groups, with their headings
 * @property {number[]} rows how many rows stand before each group, headings too
 * @property {number} columns
 * @property {number} tile pixels a side
 * @property {number} height of all
 * @property {number} total rows, headings too
 */

/**
 * A row of tiles, or a heading.
 * @typedef {object} Row
 * @property {number} number from 0, among all rows and headings
 * @property {number} top
 * @property {Group} group
 * @property {boolean} heading
 * @property {number} start the place of its first picture in the list
 * @property {number} count of its pictures
 */

/**
 * Return how many tiles stand side by side, and how large they are.
 * @param {number} width of the grid
 * @param {number} wanted pixels a tile
 */
export function tiles(width, wanted) {
  const columns = Math.max(1, Math.round((width + GAP) / (wanted + GAP)));
  return { columns, tile: Math.max(1, Math.floor((width - GAP * (columns - 1)) / columns)) };
}

/**
 * @param {Group[]} groups
 * @param {{ columns: number, tile: number }} tiles
 * @returns {Layout}
 */
export function layoutOf(groups, { columns, tile }) {
  /** @type {number[]} */
  const tops = [];
  /** @type {number[]} */
  const rows = [];
  let top = 0;
  let row = 0;
  for (const group of groups) {
    tops.push(top);
    rows.push(row);
    const own = Math.ceil(group.count / columns);
    top += headingOf(group) + own * (tile + GAP);
    row += own + (group.day === null ? 0 : 1);
  }
  return {
    groups,
    starts: groups.map(({ start }) => start),
    tops,
    rows,
    columns,
    tile,
    height: top + FOOT,
    total: row,
  };
}

/** @param {Group} group */
function headingOf({ day }) {
  return day === null ? 0 : HEADING;
}

/**
 * Return the rows that lie in a part of the height, the topmost first.
 * @param {Layout} layout
 * @param {number} top
 * @param {number} bottom
 * @returns {Row[]}
 */
export function rowsIn(layout, top, bottom) {
  const { groups, tops, tile, columns } = layout;
  /** @type {Row[]} */
  const found = [];
  for (let at = Math.max(0, lastUpTo(tops, top)); at < groups.length; at += 1) {
    const group = /** @type {Group} */ (groups[at]);
    const begin = /** @type {number} */ (tops[at]);
    if (begin >= bottom) break;
    const heading = headingOf(group);
    const number = /** @type {number} */ (layout.rows[at]);
    if (heading && begin + heading > top)
      found.push({ number, top: begin, group, heading: true, start: group.start, count: 0 });
    const own = Math.ceil(group.count / columns);
    const first = Math.max(0, Math.floor((top - begin - heading) / (tile + GAP)));
    for (let row = first; row < own; row += 1) {
      const place = begin + heading + row * (tile + GAP);
      if (place >= bottom) break;
      found.push(rowAt(layout, at, row, place));
    }
  }
  return found;
}

/**
 * @param {Layout} layout
 * @param {number} at the group's number
 * @param {number} row within the group
 * @param {number} top
 * @returns {Row}
 */
function rowAt({ groups, rows, columns }, at, row, top) {
  const group = /** @type {Group} */ (groups[at]);
  return {
    number: /** @type {number} */ (rows[at]) + (group.day === null ? 0 : 1) + row,
    top,
    group,
    heading: false,
    start: group.start + row * columns,
    count: Math.min(columns, group.count - row * columns),
  };
}

/**
 * Return the row of a place in the list; null where the list does not reach so far.
 * @param {Layout} layout
 * @param {number} place
 * @returns {Row | null}
 */
export function rowOf(layout, place) {
  const { groups, starts, tops, tile, columns } = layout;
  const at = lastUpTo(starts, place);
  const group = groups[at];
  if (!group || place >= group.start + group.count) return null;
  const row = Math.floor((place - group.start) / columns);
  return rowAt(layout, at, row, /** @type {number} */ (tops[at]) + headingOf(group) + row * (tile + GAP));
}

/**
 * Return the place in the list of the first picture at or below a height.
 * @param {Layout} layout
 * @param {number} top
 */
export function placeAt(layout, top) {
  const rows = rowsIn(layout, top, top + layout.tile + GAP + HEADING + 1);
  return (rows.find((row) => !row.heading) ?? { start: 0 }).start;
}

/**
 * Return the top from which a row is in view, as near to another as can be.
 * @param {Row} row
 * @param {number} tile
 * @param {number} top of the view
 * @param {number} view its height
 */
export function revealed(row, tile, top, view) {
  const margin = GAP + headingOf(row.group); // it stays at the top
  if (row.top - margin < top) return Math.max(0, row.top - margin);
  if (row.top + tile + GAP > top + view) return row.top + tile + GAP - view;
  return top;
}

/**
 * Return where a key leads from a place in the list; null for another key.
 * @param {Layout} layout
 * @param {number} place
 * @param {string} key
 * @param {number} view height of what is seen at a time
 * @returns {number | null}
 */
export function moved(layout, place, key, view) {
  const last = layout.groups[layout.groups.length - 1];
  if (!last) return null;
  const most = last.start + last.count - 1;
  const page = Math.max(1, Math.floor(view / (layout.tile + GAP)));
  switch (key) {
    case 'ArrowRight':
      return Math.min(most, place + 1);
    case 'ArrowLeft':
      return Math.max(0, place - 1);
    case 'ArrowDown':
      return down(layout, place, 1);
    case 'ArrowUp':
      return down(layout, place, -1);
    case 'PageDown':
      return down(layout, place, page);
    case 'PageUp':
      return down(layout, place, -page);
    case 'Home':
      return 0;
    case 'End':
      return most;
  }
  return null;
}

/**
 * Return the place some rows further, in the same column or the last that the row has. A row that is not there leads to
 * the list's end.
 * @param {Layout} layout
 * @param {number} place
 * @param {number} rows below; above where negative
 */
function down(layout, place, rows) {
  const step = Math.sign(rows);
  let row = rowOf(layout, place);
  if (!row) return place;
  const column = place - row.start;
  for (let left = Math.abs(rows); left > 0; left -= 1) {
    const next = rowOf(layout, step > 0 ? row.start + row.count : row.start - 1);
    if (!next) break;
    row = next;
  }
  return row.start + Math.min(column, row.count - 1);
}
