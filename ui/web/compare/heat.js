// The difference of two pictures as a heat map: for each pixel the largest difference of its three channels, on a scale
// that is printed beside it.

/** The ends that a scale may have: on a scale of 255 small differences would not be seen. */
export const SCALES = [8, 16, 32, 64, 128, 255];
/** The part of the pixels that may lie beyond the end of a scale that is chosen by itself. */
const BEYOND = 0.001;
/** From black over violet, red and orange to near white: each lighter than the last, also to those who see no colours. */
const RAMP = /** @type {const} */ ([
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
]);

/**
 * Write the differences of pixels, and count them.
 * @param {Uint8ClampedArray} one RGBA
 * @param {Uint8ClampedArray} other as long
 * @param {Uint8Array} into one number for each pixel
 * @param {number} from the place of the first
 * @param {Uint32Array} counts by difference, 256 of them; added to
 */
export function measure(one, other, into, from, counts) {
  for (let at = 0, to = from; at < one.length; at += 4, to += 1) {
    const red = Math.abs(/** @type {number} */ (one[at]) - /** @type {number} */ (other[at]));
    const green = Math.abs(/** @type {number} */ (one[at + 1]) - /** @type {number} */ (other[at + 1]));
    const blue = Math.abs(/** @type {number} */ (one[at + 2]) - /** @type {number} */ (other[at + 2]));
    const most = Math.max(red, green, blue);
    into[to] = most;
    counts[most] = /** @type {number} */ (counts[most]) + 1;
  }
}

/**
 * What is said of a difference.
 * @typedef {object} Summary
 * @property {number} share the part of the pixels that differ, from 0 to 1
 * @property {number} mean of all pixels
 * @property {number} most
 */

/**
 * @param {Uint32Array} counts
 * @returns {Summary}
 */
export function summary(counts) {
  let total = 0;
  let sum = 0;
  let most = 0;
  counts.forEach((count, difference) => {
    total += count;
    sum += count * difference;
    if (count) most = difference;
  });
  return { share: total ? 1 - (counts[0] ?? 0) / total : 0, mean: total ? sum / total : 0, most };
}

/**
 * Return the smallest scale that nearly all pixels fit.
 * @param {Uint32Array} counts
 */
export function scaleFor(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let beyond = total;
  let difference = 0;
  for (; difference < 255; difference += 1) {
    beyond -= counts[difference] ?? 0;
    if (beyond <= total * BEYOND) break;
  }
  return SCALES.find((each) => each >= difference) ?? 255;
}

/**
 * Return the colours of all differences: as 32 bits, as a canvas has them in its memory.
 * @param {number} end of the scale
 */
export function colours(end) {
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let difference = 0; difference < 256; difference += 1) {
    bytes.set([...colourAt(difference / end), 255], difference * 4);
  }
  return new Uint32Array(bytes.buffer);
}

/**
 * @param {Uint8Array} differences
 * @param {Uint32Array} palette
 * @param {Uint32Array} into
 */
export function paint(differences, palette, into) {
  for (let at = 0; at < differences.length; at += 1) {
    into[at] = /** @type {number} */ (palette[/** @type {number} */ (differences[at])]);
  }
}

/** The scale as a gradient of CSS. */
export function gradient() {
  return `linear-gradient(90deg, ${RAMP.map((each) => `rgb(${each.join(' ')})`).join(', ')})`;
}

/**
 * @param {number} part of the scale; beyond 1 as at its end
 * @returns {[number, number, number]}
 */
export function colourAt(part) {
  const along = Math.min(1, part) * (RAMP.length - 1);
  const at = Math.min(RAMP.length - 2, Math.floor(along));
  const [low, high] = [RAMP[at] ?? RAMP[0], RAMP[at + 1] ?? RAMP[0]];
  const mix = (/** @type {0 | 1 | 2} */ channel) =>
    Math.round(low[channel] + (high[channel] - low[channel]) * (along - at));
  return [mix(0), mix(1), mix(2)];
}
