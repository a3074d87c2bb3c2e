// Keys of the studio: never while typing, never from behind a dialog or another tab of the page. Single letters and
// digits can be switched off (WCAG 2.1.4).

import { safeStorage } from './lib/draft.js';

/**
 * @typedef {object} KeyActions
 * @property {() => boolean} covered whether something lies over the studio
 * @property {() => boolean} away whether the stage is not there
 * @property {() => void} run
 * @property {() => void} use
 * @property {() => void} restore
 * @property {() => void} download
 * @property {() => void} full
 * @property {(by: number) => void} step
 * @property {() => void} compare
 * @property {{ [digit: string]: () => void }} modes
 */

/** Where it is remembered that single letters and digits are typed for something else: speech input, say. */
const SWITCH = 'srpo-studio:single-keys';
const storage = safeStorage(() => localStorage);

/** @returns {boolean} whether single letters and digits do something */
export function singleKeys() {
  return storage.getItem(SWITCH) !== 'off';
}

/** @param {boolean} on */
export function setSingleKeys(on) {
  storage.setItem(SWITCH, on ? 'on' : 'off');
}

/** @param {KeyActions} act */
export function startKeys(act) {
  /** @type {{ [key: string]: () => void }} */
  const letters = { u: act.use, r: act.restore, c: act.compare, d: act.download, f: act.full };
  addEventListener(
    'keydown',
    (event) => {
      if (act.covered()) return;
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        // The prompt's last letters reach the form with its input event.
        document.activeElement?.dispatchEvent(new Event('input', { bubbles: true }));
        act.run();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !singleKeys()) return;
      // Some part of the page may have a key for itself while the focus is there.
      if (/** @type {HTMLElement} */ (event.target).closest?.(`[data-keys~="${CSS.escape(event.key)}"]`)) return;
      const letter = act.modes[event.key] ?? (act.away() ? undefined : letters[event.key.toLowerCase()]);
      if (letter) {
        event.preventDefault();
        letter();
      }
    },
    true,
  );
}

/** @param {EventTarget | null} target */
export function isTyping(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  if (!element?.closest) return false;
  return (
    element.closest('textarea, select, [contenteditable]') !== null ||
    (element.matches('input') && !element.matches('[type=range], [type=checkbox], [type=radio], [type=file]'))
  );
}
