// How a result compares with its reference, in words, and its colours to copy.

import { html, keyed, nothing } from '../vendor/lit.js';
import { promptWords } from './colour-names.js';
import { meterWords } from './describe.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Result } from '../types.js' */

/**
 * @param {Pick<Result, 'id' | 'meters'>} result
 * @param {Words} w
 */
export function metersView({ id, meters }, w) {
  if (!meters) return nothing;
  const { palette } = meters;
  return html`<section class="meters" aria-label=${w.say('meters-title')}>
    <p class="meters-words">${meterWords(meters)
      .map((each) => w.say(each))
      .join(' · ')}</p>
    ${keyed(
      id,
      html`<div class="swatches" role="group" aria-label=${w.say('meters-palette')}>
        ${palette.map(
          ({ hex, share }) =>
            html`<button type="button" data-hex=${hex} aria-label=${w.say('meters-copy', { hex, percent: percent(share) })}
              title=${w.say('meters-copy', { hex, percent: percent(share) })}
              @click=${(/** @type {Event} */ event) => void copy(hex, event, w)}><i style="background:${hex}"></i>${hex}</button>`,
        )}
        <button type="button" data-copy-words title=${promptWords(palette)}
          @click=${(/** @type {Event} */ event) => void copy(promptWords(palette), event, w)}>${w.say('meters-copy-words')}</button>
        <span role="status"></span></div>`,
    )}
  </section>`;
}

/** @param {number} share */
function percent(share) {
  return Math.round(share * 100);
}

/**
 * Copy a text, and say so for a moment.
 * @param {string} text
 * @param {Event} event of a button beside the place where it is said
 * @param {Words} w
 */
async function copy(text, { currentTarget }, w) {
  const said = /** @type {HTMLElement} */ (currentTarget).parentElement?.querySelector('[role=status]');
  await navigator.clipboard.writeText(text);
  if (!said) return;
  const words = w.say('meters-copied', { what: text });
  said.textContent = words;
  setTimeout(() => {
    if (said.textContent === words) said.textContent = '';
  }, 2500);
}
