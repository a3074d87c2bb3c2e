// What stands above the pictures: the views, the two that are looked at, the zoom, and what can be added.

import { html, live, nothing } from '../vendor/lit.js';
import { LOOKS } from './address.js';
import { LEAST, MOST } from './order.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Message } from '../types.js' */
/** @import { Look } from './address.js' */
/** @import { Entry } from './frames.js' */
/** @import { Pair } from './order.js' */

/**
 * @typedef {object} BarModel
 * @property {Look} look
 * @property {Entry[]} entries all that can be looked at, the reference first
 * @property {Pair | null} pair
 * @property {boolean | null} reference whether it is shown; null where there is none
 * @property {number} count of pictures
 * @property {boolean} enough whether they can be compared
 * @property {boolean} loupe
 * @property {{ id: number, src: string, name: string }[]} latest pictures that can be added
 * @property {Message | null} notice
 * @property {Message | null} problem
 */

/**
 * @typedef {object} BarActions
 * @property {(look: Look) => void} look
 * @property {(pair: Pair) => void} pair
 * @property {(on: boolean) => void} reference
 * @property {(factor: number) => void} zoom
 * @property {() => void} fit
 * @property {() => void} actual
 * @property {() => void} loupe
 * @property {(id: number) => void} add
 * @property {() => void} dismiss
 * @property {() => void} retry
 */

/**
 * @param {BarModel} model
 * @param {BarActions} act
 * @param {Words} w
 */
export function bar(model, act, w) {
  const { look, pair, reference, count } = model;
  return html`<div class="cmp-bar">
      <div class="cmp-views" role="group" ?hidden=${!model.enough} aria-label=${w.say('ui-view')}>${LOOKS.map(
        (each) => html`<button type="button" data-look=${each} aria-pressed=${String(each === look)}
          ?disabled=${each !== 'grid' && !pair} @click=${() => act.look(each)}>${w.say(`compare-${each}`)}</button>`,
      )}</div>
      ${
        pair && look !== 'grid'
          ? html`<div class="cmp-pair" role="group" aria-label=${w.say('compare-pair')}>
            ${chooser(model, pair, 0, act, w)}${chooser(model, pair, 1, act, w)}</div>`
          : nothing
      }
      ${
        reference !== null && look === 'grid'
          ? html`<label class="cmp-tick"><input type="checkbox" name="reference" .checked=${live(reference)}
            @change=${() => act.reference(!reference)} /> ${w.say('ui-reference')}</label>`
          : nothing
      }
      <div class="cmp-zoom" role="group" ?hidden=${!model.enough} aria-label=${w.say('compare-zoom')}>
        <button type="button" data-act="out" aria-label=${w.say('compare-zoom-out')} title=${w.say('compare-zoom-out')} @click=${() => act.zoom(0.8)}>−</button>
        <span class="cmp-percent"></span>
        <button type="button" data-act="in" aria-label=${w.say('compare-zoom-in')} title=${w.say('compare-zoom-in')} @click=${() => act.zoom(1.25)}>+</button>
        <button type="button" data-act="fit" @click=${act.fit}>${w.say('compare-fit')} <kbd>0</kbd></button>
        <button type="button" data-act="actual" title=${w.say('compare-actual-hint')} @click=${act.actual}>${w.say('compare-actual')}</button>
        <button type="button" data-act="loupe" aria-pressed=${String(model.loupe)} @click=${act.loupe}>${w.say('compare-loupe')} <kbd>Z</kbd></button>
      </div>
      <button type="button" data-act="add" popovertarget="cmp-add" ?disabled=${count >= MOST}>${w.say('compare-add')}</button>
      <div id="cmp-add" popover class="cmp-add">${
        model.latest.length
          ? html`<div class="cmp-latest">${model.latest.map(
              ({ id, src, name }) => html`<button type="button" data-id=${id} title=${name} aria-label=${name}
            @click=${() => act.add(id)}><img src=${src} alt="" loading="lazy" draggable="false" /></button>`,
            )}</div>`
          : html`<p>${w.say('compare-no-more')}</p>`
      }</div>
    </div>
    ${said(model.notice, 'status', act.dismiss, w)}
    ${
      model.problem
        ? html`<p class="cmp-notice problem" role="alert"><span>${w.inFull(model.problem)}</span>
          <button type="button" data-act="retry" @click=${act.retry}>${w.say('compare-again')}</button></p>`
        : nothing
    }`;
}

/** @param {Message | null} notice @param {string} role @param {() => void} dismiss @param {Words} w */
function said(notice, role, dismiss, w) {
  // The place stays, so that a screen reader listens to it before something is said.
  return html`<p class="cmp-notice" role=${role} ?hidden=${!notice}>${
    notice
      ? html`<span>${w.inFull(notice)}</span><button type="button" data-act="dismiss" aria-label=${w.say('ui-close')} @click=${dismiss}>×</button>`
      : nothing
  }</p>`;
}

/**
 * @param {BarModel} model
 * @param {Pair} pair
 * @param {0 | 1} side
 * @param {BarActions} act
 * @param {Words} w
 */
function chooser({ entries }, pair, side, act, w) {
  const mine = pair[side];
  const other = pair[side === 0 ? 1 : 0];
  /** @param {Event} event */
  const chosen = (event) => {
    const id = Number(/** @type {HTMLSelectElement} */ (event.target).value);
    // The other one's picture changes sides.
    const rest = id === other ? mine : other;
    act.pair(side === 0 ? [id, rest] : [rest, id]);
  };
  return html`<select name=${side === 0 ? 'first' : 'second'} aria-label=${w.say(side === 0 ? 'compare-first' : 'compare-second')} @change=${chosen}>
    ${entries.map(({ id, title }) => html`<option value=${id} .selected=${id === mine}>${title}</option>`)}</select>`;
}

/**
 * What stands in the pictures' place where there are too few.
 * @param {{ count: number, latest: boolean }} model how many are chosen; whether there are others
 * @param {{ library: () => void, latest: () => void, make: () => void }} act
 * @param {Words} w
 */
export function few({ count, latest }, act, w) {
  return html`<div class="cmp-few">
    <h2>${w.say(count ? 'compare-one' : 'compare-few', { least: LEAST, most: MOST })}</h2>
    <p>${w.say('compare-few-hint')}</p>
    <div>${
      latest
        ? html`<button type="button" class="primary" data-act="latest" @click=${act.latest}>${w.say(count ? 'compare-latest-one' : 'compare-latest')}</button>
        <button type="button" data-act="library" @click=${act.library}>${w.say('compare-library')}</button>`
        : html`<button type="button" class="primary" data-act="make" @click=${act.make}>${w.say('compare-make')}</button>`
    }</div></div>`;
}
