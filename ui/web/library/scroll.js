// Scrolling through more than a browser can hold: elements are at most 33 million pixels high in Chromium, and 17 in
// Firefox. What is higher is shown through an element of the largest height. Small movements move it pixel by pixel; a
// pull at the scrollbar leads to the same share of the whole.

/** Pixels of the highest element. */
export const HIGHEST = 12_000_000;
/** A movement of more than so many views is a pull at the scrollbar. */
const PULL = 3;

/**
 * Where one is.
 * @typedef {object} Spot
 * @property {number} top what is seen first, of the whole
 * @property {number} scroll the element's own position
 */

/**
 * @typedef {object} Extent
 * @property {number} height of the whole
 * @property {number} view height of what is seen at a time
 * @property {number} [highest]
 */

/**
 * Return how high the element is.
 * @param {Extent} extent
 */
export function elementHeight({ height, highest = HIGHEST }) {
  return Math.min(height, highest);
}

/**
 * Return where the element has to stand to show a part of the whole.
 * @param {number} top of the part
 * @param {Extent} extent
 * @returns {Spot}
 */
export function spotOf(top, extent) {
  const { height, view } = extent;
  const range = Math.max(0, height - view);
  const within = Math.min(Math.max(0, top), range);
  const own = Math.max(0, elementHeight(extent) - view);
  return { top: within, scroll: range === 0 || own === range ? within : Math.round((within / range) * own) };
}

/**
 * Return where one is after the element has moved. Where that is not where it stands, it has to be put there.
 * @param {Spot} from
 * @param {number} scroll where it stands now
 * @param {Extent} extent
 * @returns {Spot}
 */
export function scrolled(from, scroll, extent) {
  const { height, view } = extent;
  const own = Math.max(0, elementHeight(extent) - view);
  const range = Math.max(0, height - view);
  if (own === range) return { top: Math.min(Math.max(0, scroll), range), scroll };
  const by = scroll - from.scroll;
  if (Math.abs(by) > PULL * view) return { top: (Math.min(scroll, own) / own) * range, scroll };
  const top = Math.min(Math.max(0, from.top + by), range);
  // The element must not come to its end before the whole does.
  const wanted = spotOf(top, extent).scroll;
  // One of its pixels is several of the whole's: at its ends, it is at the whole's too.
  if (scroll <= 0 && wanted <= 2) return { top: 0, scroll };
  if (scroll >= own && wanted >= own - 2) return { top: range, scroll };
  const nearEnd = scroll < view || scroll > own - view;
  return { top, scroll: nearEnd && Math.abs(wanted - scroll) > 1 ? wanted : scroll };
}
