// One zoom for all pictures that are compared. Its scale is 1 where a picture fits its frame; the shift of the picture's
// middle is in pixels of the frame, and all frames are equally large, so that the same place of each is seen.

/** @import { Size } from '../lib/layout.js' */

/**
 * @typedef {{ scale: number, x: number, y: number }} Zoom
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ least: number, most: number }} Limits
 */

/** @type {Zoom} */
export const FITTED = { scale: 1, x: 0, y: 0 };
/** The most that a pixel of a file is enlarged, and the least that a picture can be. */
const MOST = 32;
const MOST_OVER_FIT = 8;
/** From this on, pixels are drawn as squares, with lines between them. */
const DEEP = 4;

/**
 * Return the scale at which a pixel of the file is one of the screen.
 * @param {number} width of the file
 * @param {number} fitted its width in the frame, in CSS pixels
 * @param {number} density device pixels by CSS pixel
 */
export function actualScale(width, fitted, density) {
  return width / (fitted * density);
}

/**
 * Return how far one can zoom: a small picture down to its own pixels, any up to large squares.
 * @param {number} actual
 * @returns {Limits}
 */
export function limitsOf(actual) {
  return { least: Math.min(1, actual), most: Math.max(MOST_OVER_FIT, actual * MOST) };
}

/**
 * Return the zoom at a scale that leaves the spot under a point where it is.
 * @param {Zoom} zoom
 * @param {number} wanted
 * @param {Point} point from the frame's middle
 * @param {Limits} limits
 * @returns {Zoom}
 */
export function scaledTo(zoom, wanted, point, { least, most }) {
  const scale = Math.min(most, Math.max(least, wanted));
  const real = scale / zoom.scale;
  return { scale, x: point.x - (point.x - zoom.x) * real, y: point.y - (point.y - zoom.y) * real };
}

/**
 * Return the zoom with its shift held: what is larger than its frame covers it, what is smaller stays in the middle.
 * @param {Zoom} zoom
 * @param {Size} fitted the picture's size at scale 1
 * @param {Size} frame
 * @returns {Zoom}
 */
export function held({ scale, x, y }, fitted, frame) {
  const most = {
    x: Math.max(0, (fitted.width * scale - frame.width) / 2),
    y: Math.max(0, (fitted.height * scale - frame.height) / 2),
  };
  return { scale, x: between(x, most.x), y: between(y, most.y) };
}

/**
 * Return the zoom for frames of another size: what fitted fits, else a pixel of the file stays as large, and the same
 * spot stays in the middle.
 * @param {Zoom} zoom
 * @param {number} before pictures' width at scale 1, until now
 * @param {number} after
 * @returns {Zoom}
 */
export function carriedOver({ scale, x, y }, before, after) {
  if (scale === 1 || before === after) return { scale, x: (x * after) / before, y: (y * after) / before };
  return { scale: (scale * before) / after, x, y };
}

/**
 * Return how large a pixel of the file is on the screen, in percent.
 * @param {Zoom} zoom
 * @param {number} actual
 */
export function percentOf({ scale }, actual) {
  return Math.round((scale / actual) * 100);
}

/**
 * Return whether pixels are so large that they are drawn as squares.
 * @param {Zoom} zoom
 * @param {number} actual
 */
export function isDeep({ scale }, actual) {
  return scale / actual > DEEP;
}

/**
 * Return which part of a file a loupe shows.
 * @param {Zoom} zoom
 * @param {Point} point its middle, from the frame's
 * @param {number} side of the loupe, in CSS pixels
 * @param {number} more how much larger than around it things are
 * @param {{ file: Size, fitted: Size }} picture
 * @returns {{ x: number, y: number, width: number, height: number }} in the file's pixels; may reach over its edges
 */
export function underLoupe({ scale, x, y }, point, side, more, { file, fitted }) {
  const pixel = (fitted.width * scale) / file.width; // CSS pixels of one
  const middle = { x: (point.x - x) / pixel + file.width / 2, y: (point.y - y) / pixel + file.height / 2 };
  const span = side / (pixel * more);
  return { x: middle.x - span / 2, y: middle.y - span / 2, width: span, height: span };
}

/** @param {number} value @param {number} most */
function between(value, most) {
  return Math.min(most, Math.max(-most, value));
}
