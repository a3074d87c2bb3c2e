// Compare: pictures beside each other, over each other, and what differs in how they were made. Fetched when it is
// opened first; this module fetches the others, the styles and the words at once.

import { addLater } from '../lib/i18n.js';
import { addSheet } from '../lib/sheet.js';

/** @import { Place, Router } from '../lib/address.js' */
/** @import { Api } from '../lib/api.js' */
/** @import { Update } from '../lib/events.js' */
/** @import { Words } from '../lib/i18n.js' */
/** @import { Action, State } from '../lib/state.js' */
/** @import { Mode } from '../types.js' */

/** The others of this folder: fetched together instead of import by import. */
const MODULES = [
  ...['view', 'address', 'bars', 'difference', 'frames', 'gestures', 'heat', 'order', 'pictures', 'recipe', 'table'],
  'zoom',
];

/**
 * What the page gives.
 * @typedef {object} ComparisonParts
 * @property {HTMLElement} mount
 * @property {Api} api
 * @property {Words} words
 * @property {Router} router
 * @property {() => State} state
 * @property {(action: Action) => void} dispatch
 * @property {(mode: Mode) => void} enter
 * @property {(slides: import('../main.js').Slides) => Promise<void>} full shows pictures as large as the window
 * @property {() => void} redraw draws what the page shows
 */

/**
 * @typedef {object} Comparison
 * @property {(place: Place) => void} lead goes where the address says
 * @property {(said: Update) => void} hear takes what the server says
 * @property {() => void} draw takes what has changed of the page
 */

/**
 * @param {ComparisonParts} parts
 * @returns {Promise<Comparison>}
 */
export async function createComparison(parts) {
  for (const name of MODULES) {
    const href = new URL(`./${name}.js`, import.meta.url).href;
    document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
  }
  const styles = addSheet(new URL('./compare.css', import.meta.url));
  const [{ openComparison }] = await Promise.all([import('./view.js'), addLater(parts.words), styles]);
  return openComparison(parts, parts.mount);
}
