// The style chips: one medium at a time, Shift adds; moods beside it. Each group is one Tab stop with arrow keys.

import { html, repeat } from '../vendor/lit.js';
import { roving } from './roving.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Style, StyleUse } from '../types.js' */

/**
 * @param {Style[]} styles of the backend
 * @param {StyleUse[]} used
 * @param {(style: Style, add: boolean) => void} pick
 * @param {Words} w
 */
export function styleChips(styles, used, pick, w) {
  const on = new Set(used.map((each) => each.id));
  /** @param {'medium' | 'mood'} kind */
  const group = (kind) => {
    const own = styles.filter((each) => each.kind === kind);
    const focused = own.findIndex((each) => on.has(each.id));
    return html`<div class="chips" role="toolbar" aria-label=${w.say(`styles-${kind}`)} @keydown=${roving}>
      ${repeat(
        own,
        (each) => each.id,
        (each, at) => html`<button
            type="button"
            data-id=${each.id}
            title=${each.text}
            tabindex=${at === Math.max(0, focused) ? 0 : -1}
            aria-pressed=${String(on.has(each.id))}
            @click=${(/** @type {MouseEvent} */ event) => pick(each, event.shiftKey)}
          >${each.label}</button>`,
      )}
    </div>`;
  };
  return html`${group('medium')}${group('mood')}`;
}
