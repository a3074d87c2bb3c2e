// What the library shows: the filter as people set it, and as the address and the server have it.

import { message } from '../lib/message.js';

/** @import { Message } from '../types.js' */
/** @import { Filter } from './types.js' */

/** Pixels of a picture, from and to; null where there is no end. The order is that of the menu. */
export const SIZES = /** @type {const} */ ([
  [null, 500_000],
  [500_000, 1_000_000],
  [1_000_000, 2_000_000],
  [2_000_000, null],
]);
/** US dollars of a picture, from and to. */
export const COSTS = /** @type {const} */ ([
  [null, 0],
  [0.000001, 0.01],
  [0.01, 0.05],
  [0.05, null],
]);
export const SORTS = /** @type {const} */ (['newest', 'oldest', 'cost', 'structure', 'colour_shift', 'sharpness']);
/** Orders in which a picture may move: it has no figure before it is measured. @type {readonly string[]} */
export const MEASURED = SORTS.slice(3);
/** Values that stand for one choice of a person. @type {{ [part: string]: string[] }} */
const PARTS = {
  date: ['since', 'until'],
  size: ['pixels_min', 'pixels_max'],
  cost: ['cost_min', 'cost_max'],
};

/**
 * Return the filter with some values changed; an empty one is taken away, and so is the order that is there anyway.
 * @param {Filter} filter
 * @param {{ [name: string]: string | null }} values
 * @returns {Filter}
 */
export function withValues(filter, values) {
  const next = { ...filter };
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '' || (name === 'sort' && value === 'newest')) delete next[name];
    else next[name] = value;
  }
  return next;
}

/**
 * Return the filter without one part of it: `date`, `size`, `cost`, or a value's name.
 * @param {Filter} filter
 * @param {string} part
 */
export function without(filter, part) {
  return withValues(filter, Object.fromEntries((PARTS[part] ?? [part]).map((name) => [name, null])));
}

/**
 * Return the filter that only sorts, as another does.
 * @param {Filter} filter
 */
export function cleared({ sort }) {
  return withValues({}, { sort: sort ?? null });
}

/**
 * Return which parts of a filter are set, as chips show them: without the search and the order, which have a place of
 * their own.
 * @param {Filter} filter
 * @returns {string[]}
 */
export function partsOf(filter) {
  const names = Object.keys(filter).filter((name) => name !== 'q' && name !== 'sort');
  return [...new Set(names.map((name) => Object.keys(PARTS).find((part) => PARTS[part]?.includes(name)) ?? name))];
}

/**
 * Return whether two filters find the same in the same order.
 * @param {Filter} one
 * @param {Filter} other
 */
export function sameFilter(one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name] === other[name]);
}

/**
 * Return the values of a range, for `size` or `cost`.
 * @param {'size' | 'cost'} part
 * @param {number} choice its number in the menu; -1 for any
 */
export function rangeValues(part, choice) {
  const [low = '', high = ''] = PARTS[part] ?? [];
  const [from, to] = (part === 'size' ? SIZES : COSTS)[choice] ?? [null, null];
  return { [low]: from === null ? null : String(from), [high]: to === null ? null : String(to) };
}

/**
 * Return which range of the menu a filter has; -1 for any, or one that no menu has.
 * @param {'size' | 'cost'} part
 * @param {Filter} filter
 */
export function rangeChoice(part, filter) {
  const ranges = part === 'size' ? SIZES : COSTS;
  return ranges.findIndex((_, choice) => {
    const values = rangeValues(part, choice);
    return Object.entries(values).every(([name, value]) => (filter[name] ?? null) === value);
  });
}

/**
 * Return a range in words.
 * @param {'size' | 'cost'} part
 * @param {Filter} filter
 * @returns {Message}
 */
export function rangeWords(part, filter) {
  const [low = '', high = ''] = PARTS[part] ?? [];
  const scale = part === 'size' ? 1e6 : 1;
  const from = filter[low] === undefined ? null : Number(filter[low]) / scale;
  const to = filter[high] === undefined ? null : Number(filter[high]) / scale;
  if (part === 'cost' && to === 0) return message('price-free');
  if (from === null) return message(`library-${part}-to`, { to: to ?? 0 });
  if (to === null) return message(`library-${part}-from`, { from });
  return from < 0.001 ? message(`library-${part}-to`, { to }) : message(`library-${part}-between`, { from, to });
}

/**
 * Return the seconds since 1970 at which a day begins here, or ends.
 * @param {string} day such as "2026-03-01"; empty for none
 * @param {boolean} end
 * @returns {string | null}
 */
export function dayBounds(day, end) {
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date) return null;
  const at = new Date(year, month - 1, date + (end ? 1 : 0)).getTime() / 1000;
  return String(end ? at - 0.001 : at);
}

/**
 * Return the day that a time belongs to here, as a field for dates has it.
 * @param {string | number | undefined} seconds
 */
export function dayIn(seconds) {
  if (seconds === undefined || !Number.isFinite(Number(seconds))) return '';
  const date = new Date(Number(seconds) * 1000);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * Return a day as a date at noon, where no change of clocks moves it to another.
 * @param {string} day such as "2026-03-01", or a month
 */
export function dateOf(day) {
  return new Date(`${day.length === 7 ? `${day}-01` : day}T12:00:00`);
}
