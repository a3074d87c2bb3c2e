// Numbers as people read them: messages of the catalogue, which `i18n.js` renders.

import { message } from './message.js';

/** @import { Message, Status } from '../types.js' */

/** A run is late when it has taken this share of the expected time, and so many seconds more. */
const LATE = { share: 1.25, seconds: 1 };
/** The most bytes of a file name's parts. With all of them, in any script, a name stays under the 255 of most disks. */
const NAME_BYTES = { reference: 90, style: 60 };
/** @type {{ [mime: string]: string }} */
const SUFFIXES = {
  'image/avif': 'avif',
  'image/gif': 'gif',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/tiff': 'tif',
  'image/webp': 'webp',
};

/**
 * Return how many of the steps img2img really runs, exactly as `core/request.py` does.
 * @param {number} steps `num_inference_steps`
 * @param {number} strength
 */
export function stepsRun(steps, strength) {
  return steps - Math.trunc(Math.max(steps - Math.min(steps * strength, steps), 0));
}

/**
 * Return the size at which a backend works on a reference, as `core/imaging/images.py` does.
 * @param {{ width: number, height: number }} picture
 * @param {{ working_pixels: number | null, working_side: number | null }} backend
 */
export function workingSize({ width, height }, { working_pixels, working_side }) {
  const byArea = working_pixels ? Math.sqrt(working_pixels / (width * height)) : 1;
  const bySide = working_side ? working_side / Math.max(width, height) : 1;
  const scale = Math.min(1, byArea, bySide);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * Return the seconds that a run should take, at least one; null where its backend's pace is unknown.
 * @param {Status['pace']} pace
 * @param {{ level: string, width: number, height: number, images: number, steps: number }} run
 *   `level` is its acceleration, '' where the backend has none; `steps` those that really run.
 */
export function expectedSeconds(pace, { level, width, height, images, steps }) {
  const known = pace[level] ?? pace[''];
  if (!known) return null;
  return Math.max(1, known.fixed + known.step * ((width * height) / 1e6) * images * steps);
}

/**
 * Return whether a run takes longer than it should.
 * @param {number} elapsed
 * @param {number | null} expected
 */
export function isLate(elapsed, expected) {
  return expected !== null && elapsed > expected * LATE.share + LATE.seconds;
}

/**
 * Return a duration: "0.8 s", "12 s", "3 min", "2 h".
 * @param {number} seconds
 * @returns {Message}
 */
export function duration(seconds) {
  if (seconds < 9.95) return message('wait-tenths', { amount: Math.round(seconds * 10) / 10 });
  if (seconds < 119.5) return message('wait-seconds', { amount: Math.round(seconds) });
  if (seconds < 7170) return message('wait-minutes', { amount: Math.round(seconds / 60) });
  return message('wait-hours', { amount: Math.round(seconds / 3600) });
}

/**
 * Return a duration that nobody knows exactly, in whole units: "1 s", "12 s", "3 min".
 * @param {number} seconds
 * @returns {Message}
 */
export function roughly(seconds) {
  if (seconds < 119.5) return message('wait-seconds', { amount: Math.max(1, Math.round(seconds)) });
  return duration(seconds);
}

/**
 * Return how long a run has taken so far: "3 s", "3 s of about 8 s", "12 s, longer than usual".
 * @param {number} elapsed
 * @param {number | null} expected
 * @returns {Message}
 */
export function elapsedTime(elapsed, expected) {
  const passed = Math.floor(elapsed);
  if (expected === null) return message('stage-elapsed', { elapsed: passed });
  if (isLate(elapsed, expected)) return message('stage-elapsed-late', { elapsed: passed });
  return message('stage-elapsed-of', { elapsed: passed, expected: Math.round(expected) });
}

/**
 * Return what a run will cost; a price that the provider has not confirmed is marked.
 * @param {Status['price']} price of one image
 * @param {number} images
 * @returns {Message}
 */
export function price({ dollars, live }, images) {
  if (!dollars) return message('price-free');
  return message(live ? 'price-live' : 'price-documented', { dollars: exactDollars(dollars * images) });
}

/**
 * Return what a finished run has cost.
 * @param {number | null} dollars
 * @returns {Message}
 */
export function cost(dollars) {
  if (dollars === null) return message('cost-unknown');
  return dollars ? message('price-live', { dollars: exactDollars(dollars) }) : message('price-free');
}

/**
 * Return dollars without the last digits of binary fractions: 3 × 0.1 is 0.3 again.
 * @param {number} dollars
 */
export function exactDollars(dollars) {
  return Math.round(dollars * 1e6) / 1e6;
}

/**
 * Return a picture's size, such as "512×768".
 * @param {{ width: number, height: number }} picture
 * @returns {Message}
 */
export function size({ width, height }) {
  return message('figure-size', { width, height });
}

/**
 * Return which day a time belongs to, by this computer's calendar.
 * @param {number} seconds since 1970
 * @param {Date} now
 * @returns {{ key: string, label: 'today' | 'yesterday' | null, date: Date }} `key` is such as "2026-03-01"
 */
export function dayOf(seconds, now) {
  const date = new Date(seconds * 1000);
  const key = dayKey(date);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const label = key === dayKey(now) ? 'today' : key === dayKey(yesterday) ? 'yesterday' : null;
  return { key, label, date };
}

/** @param {Date} date */
function dayKey(date) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * Return a download's name: srpo_still-life_oil-painting_s60_42.png.
 * @param {{ reference: string | null, styles: string[], strength: number | null, seed: number, mime: string }} picture
 *   `reference` is the name of the file that it was made of; `styles` are their ids.
 */
export function downloadName({ reference, styles, strength, seed, mime }) {
  const parts = [
    'srpo',
    slug((reference ?? '').replace(/\.[^.]{1,5}$/, ''), NAME_BYTES.reference) || 'picture',
    slug(styles.join('-'), NAME_BYTES.style),
    strength === null ? '' : `s${Math.round(strength * 100)}`,
    String(seed),
  ];
  return `${parts.filter(Boolean).join('_')}.${SUFFIXES[mime] ?? 'png'}`;
}

/**
 * Return text as a part of a file name: letters and digits of any script, small, joined by hyphens.
 * @param {string} text
 * @param {number} bytes at most
 */
export function slug(text, bytes) {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}]+/gu, '-');
  let kept = '';
  let size = 0;
  for (const letter of plain) {
    size += new TextEncoder().encode(letter).length;
    if (size > bytes) break;
    kept += letter;
  }
  return kept.replace(/^-+|-+$/g, '');
}
