// How the shown result was made; each part can be recalled alone.

import { html } from '../vendor/lit.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Message, Result } from '../types.js' */

/** What can be put back into the form. */
export const PARTS = /** @type {const} */ (['all', 'prompt', 'settings', 'seed', 'reference']);

/** What a download can hold besides the picture. */
const HOLDING = /** @type {const} */ (['embed', 'mark', 'none', 'json']);

/** @typedef {typeof HOLDING[number]} Holding `json` is no picture: its settings alone */

/**
 * @typedef {object} FactsModel
 * @property {Result} result
 * @property {Message[]} facts such as the style, strength, seed, backend, time and cost
 * @property {Message[]} notices
 * @property {string} file its address
 * @property {(holding: Holding) => string} fileWith its address with what it is to hold
 * @property {string} filename for the download
 * @property {boolean} picked whether it is one of those that are compared
 */

/**
 * @typedef {object} FactsActions
 * @property {() => void} copy the prompt
 * @property {(part: typeof PARTS[number]) => void} recall
 * @property {() => void} use as the reference
 * @property {() => void} compare
 * @property {() => void} full
 */

/**
 * @param {FactsModel} model
 * @param {FactsActions} act
 * @param {Words} w
 */
export function facts(model, act, w) {
  return html`<p class="made-of"><q dir="auto" title=${model.result.recipe.prompt}>${model.result.recipe.prompt}</q>
      <button type="button" data-copy-prompt @click=${act.copy}>${w.say('ui-copy')}</button></p>
    <p class="facts">${[...model.facts, ...model.notices].map((each) => html`<span>${w.say(each)}</span>`)}</p>`;
}

/**
 * What a download may hold besides the picture, behind an arrow.
 * @param {string} id of the menu
 * @param {(holding: Holding) => string} fileWith its address with what it is to hold
 * @param {string} filename
 * @param {Words} w
 */
export function downloadAs(id, fileWith, filename, w) {
  return html`<button type="button" data-act="download-as" popovertarget=${id} aria-label=${w.say('stage-download-as')}>▾</button>
    <div id=${id} class="download-menu" popover role="menu">
      ${HOLDING.map(
        (
          each,
        ) => html`<a class="button" role="menuitem" href=${fileWith(each)} download=${each === 'json' ? settingsName(filename) : filename}
          @click=${hideMenu}>${w.say(`download-${each}`)}</a>`,
      )}
    </div>`;
}

/**
 * Return the address of a result's file with what it is to hold, or of its settings alone.
 * @param {import('../lib/api.js').Api} api
 * @param {number} id
 * @param {string} filename of the picture
 * @param {Holding} holding
 */
export function addressWith(api, id, filename, holding) {
  return holding === 'json' ? api.resultRecipe(id, settingsName(filename)) : api.resultFile(id, filename, holding);
}

/** @param {string} filename of a picture */
function settingsName(filename) {
  return filename.replace(/\.\w+$/, '.json');
}

/** @param {Event} event */
function hideMenu(event) {
  const link = /** @type {HTMLElement} */ (event.currentTarget);
  /** @type {HTMLElement | null} */ (link.closest('[popover]'))?.hidePopover();
}

/**
 * @param {FactsModel} model
 * @param {FactsActions} act
 * @param {Words} w
 */
export function actions(model, act, w) {
  return html`<div class="actions">
    <button type="button" data-act="use" @click=${act.use}>${w.say('stage-use-as-reference')} <kbd>U</kbd></button>
    <button type="button" data-act="restore" @click=${() => act.recall('all')}>${w.say('stage-restore-settings')} <kbd>R</kbd></button>
    <button type="button" data-act="recall" popovertarget="recall-menu">${w.say('stage-recall')}</button>
    <div id="recall-menu" popover role="menu">
      ${PARTS.filter((part) => part !== 'all').map(
        (
          part,
        ) => html`<button type="button" role="menuitem" data-part=${part} popovertarget="recall-menu" popovertargetaction="hide"
          @click=${() => act.recall(part)}>${w.say(`recall-${part}`)}</button>`,
      )}
    </div>
    <button type="button" data-act="compare" aria-pressed=${String(model.picked)} @click=${act.compare}>${w.say('ui-compare-tab')} <kbd>C</kbd></button>
    <a class="button" data-act="download" href=${model.file} download=${model.filename}>${w.say('stage-download')} <kbd>D</kbd></a>
    ${downloadAs('download-menu', model.fileWith, model.filename, w)}
    <button type="button" data-act="full" @click=${act.full}>${w.say('stage-full-view')} <kbd>F</kbd></button>
  </div>`;
}
