// The strip: running jobs first, then the latest results. One Tab stop with arrows; every result says what it is.

import { html, nothing, repeat, styleMap } from '../vendor/lit.js';
import { roving } from './roving.js';

/** @import { Words } from '../lib/i18n.js' */

/**
 * @typedef {object} Thumb
 * @property {string} key
 * @property {string | null} src
 * @property {string} name what it is, for those who do not see it and as its tooltip
 * @property {string} label two words below it
 * @property {'running' | 'waiting' | 'result' | 'ended'} kind
 * @property {number | null} fraction of a running job
 * @property {boolean} shown
 * @property {(event: MouseEvent) => void} choose
 */

/**
 * @param {{ thumbs: Thumb[], total: number, more: boolean, load: () => void, stopAll: (() => void) | null }} model where
 *   several runs are unfinished, all of them can be stopped at once
 * @param {Words} w
 */
export function strip(model, w) {
  if (!model.thumbs.length) return nothing;
  const stop = Math.max(
    0,
    model.thumbs.findIndex((each) => each.shown),
  );
  return html`<div class="strip" role="toolbar" aria-label=${w.say('stage-recent')} @keydown=${roving}>
    ${repeat(
      model.thumbs,
      (each) => each.key,
      (each, at) => html`<button type="button" class="thumb ${each.kind}" title=${each.name} aria-label=${each.name}
          aria-pressed=${String(each.shown)} tabindex=${at === stop ? 0 : -1} @click=${each.choose}>
        ${each.src ? html`<img src=${each.src} alt="" loading="lazy" decoding="async" draggable="false" />` : html`<span class="blank"></span>`}
        ${each.kind === 'running' || each.kind === 'waiting' ? ring(each.fraction) : nothing}
        <span class="label">${each.label}</span>
      </button>`,
    )}
    ${model.stopAll ? html`<button type="button" class="stop-all" tabindex="-1" @click=${model.stopAll}>${w.say('strip-cancel-all')}</button>` : nothing}
    ${model.more ? html`<button type="button" class="more-results" tabindex="-1" @click=${model.load}>${w.say('strip-more', { total: model.total })}</button>` : nothing}
  </div>`;
}

/** @param {number | null} fraction */
function ring(fraction) {
  return html`<span class="ring ${fraction === null ? 'indeterminate' : ''}" style=${styleMap({ '--part': `${Math.round((fraction ?? 0.25) * 360)}deg` })}></span>`;
}
