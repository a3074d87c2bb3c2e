// How pictures are compared, as the address writes it: view, pair, and whether the reference is left out. Which ones
// they are stands beside it.

/** @import { Pair } from './order.js' */

/** @typedef {'grid' | 'slide' | 'blink' | 'difference'} Look */

/**
 * @typedef {object} How
 * @property {Look} look
 * @property {Pair | null} pair the two that are looked at; null where nobody has chosen
 * @property {boolean} reference whether it stands beside the pictures
 */

/** @type {readonly Look[]} */
export const LOOKS = ['grid', 'slide', 'blink', 'difference'];

/** @type {How} */
export const FIRST = { look: 'grid', pair: null, reference: true };

/**
 * @param {How} how
 * @returns {string | null} null for what one begins with
 */
export function written({ look, pair, reference }) {
  const text = [look, ...(pair ?? []), ...(reference ? [] : ['alone'])].join('.');
  return text === FIRST.look ? null : text;
}

/**
 * @param {string | null} text
 * @returns {How} what it lacks or spells wrong is as one begins
 */
export function read(text) {
  const [look, ...rest] = (text ?? '').split('.');
  const [one = Number.NaN, other = Number.NaN] = rest.map(Number);
  const whole = [one, other].every((id) => Number.isSafeInteger(id) && id >= 0) && one !== other;
  return {
    look: LOOKS.find((each) => each === look) ?? FIRST.look,
    pair: whole ? [one, other] : null,
    reference: rest[rest.length - 1] !== 'alone',
  };
}
