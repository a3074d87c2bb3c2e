// The empty stage: what the app makes of a picture, before and after, one click away.

import { html, nothing, styleMap } from '../vendor/lit.js';
import { roving } from './roving.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Style } from '../types.js' */

/**
 * @typedef {object} Example
 * @property {string} title
 * @property {string} prompt
 * @property {string} before address of the picture
 * @property {string} after address of what was made of it
 */

/**
 * A picture in many styles, tile by tile.
 * @typedef {object} Sheet
 * @property {string} file its address
 * @property {{ label: string, style: Style | null }[]} tiles from left to right; without a style where the backend has none
 *   of that name, or is not known yet
 * @property {boolean} ready whether the backend is known
 * @property {ReadonlySet<string>} on ids of the styles in use
 */

/**
 * @param {Example[]} examples
 * @param {Sheet} sheet
 * @param {{ use: (place: number) => void, pick: (style: Style, add: boolean) => void }} act
 * @param {Words} w
 */
export function welcome(examples, sheet, act, w) {
  return html`<div class="welcome">
    <h2>${w.say('stage-welcome')}</h2>
    <p>${w.say('stage-welcome-hint')}</p>
    <div class="cards">
      ${examples.map(
        (each, place) => html`<button type="button" class="card" @click=${() => act.use(place)} @pointermove=${wipe}>
          <span class="wipe"><img src=${each.before} alt="" draggable="false" width="480" height="360" /><img class="after" src=${each.after} alt="" draggable="false" width="480" height="360" /></span>
          <strong>${each.title}</strong><span class="prompt">${each.prompt}</span>
        </button>`,
      )}
    </div>
    ${sheet.tiles.some((each) => each.style || !sheet.ready) ? contactSheet(sheet, act.pick, w) : nothing}
  </div>`;
}

/**
 * @param {Sheet} sheet
 * @param {(style: Style, add: boolean) => void} pick
 * @param {Words} w
 */
function contactSheet({ file, tiles, on, ready }, pick, w) {
  return html`<p>${w.say('stage-styles-hint')}</p>
    <div class="sheet" role="toolbar" aria-label=${w.say('stage-styles')} style=${styleMap({ '--sheet': `url("${file}")`, '--tiles': String(tiles.length) })} @keydown=${roving}>
      ${tiles.map(({ label, style }, at) =>
        style || !ready
          ? html`<button type="button" class="tile" tabindex=${at === 0 ? 0 : -1} aria-pressed=${String(style !== null && on.has(style.id))}
              @click=${(/** @type {MouseEvent} */ event) => style && pick(style, event.shiftKey)}>
              <span class="picture" style=${styleMap({ '--at': String(at) })}></span><span>${label}</span></button>`
          : nothing,
      )}
    </div>`;
}

/** @param {PointerEvent} event at a card: the line between before and after follows the pointer */
function wipe(event) {
  const card = /** @type {HTMLElement} */ (event.currentTarget);
  const box = card.getBoundingClientRect();
  card.style.setProperty('--at', `${Math.round(((event.clientX - box.left) / box.width) * 100)}%`);
}
