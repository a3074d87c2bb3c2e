// The difference of two pictures on a canvas. It is computed in strips, so that no task takes long.

import { colours, measure, paint, scaleFor, summary } from './heat.js';

/** @import { Size } from '../lib/layout.js' */
/** @import { Summary } from './heat.js' */

/** Pixels of a strip. */
const STRIP = 300_000;

/**
 * @typedef {object} Heat
 * @property {HTMLCanvasElement} canvas in the size of the first picture
 * @property {Summary} summary
 * @property {number} fitting the end of the scale that nearly all pixels fit
 * @property {number} end of the scale that is painted
 * @property {Uint8Array} values by pixel
 */

/**
 * Compare two pictures; the second one is scaled to the size of the first.
 * @param {HTMLImageElement} one
 * @param {HTMLImageElement} other
 * @param {Size} size of the first
 * @param {number | null} end of the scale; null for one that fits
 * @param {AbortSignal} signal
 * @returns {Promise<Heat | null>} null where it was aborted
 */
export async function heatOf(one, other, { width, height }, end, signal) {
  const values = new Uint8Array(width * height);
  const counts = new Uint32Array(256);
  const rows = Math.max(1, Math.floor(STRIP / width));
  const across = other.naturalHeight / height;
  const strips = [strip(width, rows), strip(width, rows)];
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    const [mine, theirs] = /** @type {[CanvasRenderingContext2D, CanvasRenderingContext2D]} */ (strips);
    mine.drawImage(one, 0, top, width, count, 0, 0, width, count);
    theirs.drawImage(other, 0, top * across, other.naturalWidth, count * across, 0, 0, width, count);
    const data = [mine, theirs].map((each) => each.getImageData(0, 0, width, count).data);
    measure(/** @type {any} */ (data[0]), /** @type {any} */ (data[1]), values, top * width, counts);
    await pause();
    if (signal.aborted) return null;
  }
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.className = 'cmp-picture';
  const fitting = scaleFor(counts);
  const heat = { canvas, summary: summary(counts), fitting, end: 0, values };
  await repaint(heat, end ?? fitting, signal);
  return signal.aborted ? null : heat;
}

/**
 * Paint the differences on a scale.
 * @param {Heat} heat
 * @param {number} end of the scale
 * @param {AbortSignal} signal
 */
export async function repaint(heat, end, signal) {
  const { canvas, values } = heat;
  const { width, height } = canvas;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const palette = colours(end);
  const rows = Math.max(1, Math.floor(STRIP / width));
  heat.end = end;
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    const image = new ImageData(width, count);
    paint(values.subarray(top * width, (top + count) * width), palette, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, top);
    await pause();
    if (signal.aborted) return;
  }
}

/** @param {number} width @param {number} height */
function strip(width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
}

/** Let the page draw and answer in between. */
function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(null);
    };
    port2.postMessage(null);
  });
}
