// The pictures in their frames: all beside each other, or two of them in one.

import { html, nothing, repeat, styleMap } from '../vendor/lit.js';
import { gradient, SCALES } from './heat.js';
import { REFERENCE } from './order.js';

/** @import { Size } from '../lib/layout.js' */
/** @import { Words } from '../lib/i18n.js' */
/** @import { Result } from '../types.js' */
/** @import { Look } from './address.js' */
/** @import { Heat } from './difference.js' */
/** @import { Picture } from './pictures.js' */

/**
 * A picture that can be looked at.
 * @typedef {object} Entry
 * @property {number} id 0 for the reference
 * @property {number} at its place; -1 for the reference
 * @property {string} letter its own, or what the reference is called
 * @property {string} label two words of it
 * @property {string} title letter and label
 * @property {string} name that tells it from its neighbours
 * @property {Result | null} result
 * @property {Size} file pixels of it
 * @property {string} src
 * @property {string} early address of a smaller one
 */

/**
 * @typedef {object} FramesModel
 * @property {Look} look
 * @property {Entry[]} entries that are shown beside each other
 * @property {[Entry, Entry] | null} pair
 * @property {(entry: Entry) => Picture} picture
 * @property {boolean} peek whether the second one is shown instead of the first
 * @property {number} split where the slider's line stands, in percent
 * @property {Heat | null} heat null while it is computed
 * @property {number | null} scale its end; null for one that fits
 * @property {string | null} scaled that the second one is scaled, in words
 */

/**
 * @typedef {object} FramesActions
 * @property {(id: number) => void} star
 * @property {(id: number) => void} remove
 * @property {(by: number) => void} step to another pair
 * @property {() => void} peek
 * @property {(percent: number) => void} split
 * @property {(end: number | null) => void} scale
 */

/**
 * @param {FramesModel} model
 * @param {FramesActions} act
 * @param {Words} w
 */
export function frames(model, act, w) {
  if (model.look === 'grid' || !model.pair) {
    return html`<div class="cmp-cells">${repeat(
      model.entries,
      ({ id }) => id,
      (entry) => cell(entry, model, act, w),
    )}</div>`;
  }
  return html`<div class="cmp-two">${two(model, model.pair, act, w)}</div>`;
}

/**
 * @param {Entry} entry
 * @param {FramesModel} model
 * @param {FramesActions} act
 * @param {Words} w
 */
function cell(entry, model, act, w) {
  const { id, at, letter, label, name, result } = entry;
  const own = id !== REFERENCE;
  return html`<figure class="cmp-cell ${own ? '' : 'reference'}" data-id=${id} data-at=${own ? at : nothing}>
    <div class="cmp-frame" tabindex="0" role="group" aria-label=${own ? `${letter}: ${name}` : name} style=${lines(entry)}>${layer(model.picture(entry), w)}
      <i class="cmp-lines"></i><canvas class="cmp-lens" hidden></canvas></div>
    <figcaption>${
      own
        ? html`<button type="button" class="cmp-handle" aria-label=${w.say('compare-place', { letter })} title=${w.say('compare-place-hint', { letter })}>${letter}</button>`
        : nothing
    }<span class="cmp-label" title=${name}>${own ? label : letter}</span>${
      own && result
        ? html`<button type="button" data-act="star" aria-pressed=${String(result.star)} aria-label=${w.say('compare-keep', { letter })} title=${w.say('compare-keep', { letter })} @click=${() => act.star(id)}>★</button>
        <button type="button" data-act="remove" aria-label=${w.say('compare-remove', { letter })} title=${w.say('compare-remove', { letter })} @click=${() => act.remove(id)}>×</button>`
        : nothing
    }</figcaption>
  </figure>`;
}

/** The size of a pixel of the file at scale 1, for the lines between pixels. @param {Entry} entry */
function lines({ file }) {
  return styleMap({ '--file-width': String(file.width), '--file-height': String(file.height) });
}

/** @param {Picture} picture @param {Words} w */
function layer({ element, state }, w) {
  return html`${element}${state === 'lost' ? html`<p class="cmp-lost">${w.say('compare-lost')}</p>` : nothing}`;
}

/**
 * @param {FramesModel} model
 * @param {[Entry, Entry]} pair
 * @param {FramesActions} act
 * @param {Words} w
 */
function two(model, [one, other], act, w) {
  const { look, peek, heat } = model;
  const pictures = [model.picture(one), model.picture(other)].map((each) => layer(each, w));
  const seen = peek ? other : one;
  const name =
    look === 'slide'
      ? w.say('compare-both', { one: one.title, other: other.title })
      : look === 'difference' && !peek
        ? w.say('compare-difference-of', { one: one.title, other: other.title })
        : `${seen.letter}: ${seen.name}`;
  return html`<figure class="cmp-cell two" data-look=${look} style=${styleMap({ '--split': `${model.split}%` })}>
    <div class="cmp-frame" tabindex="0" role="group" aria-label=${name} style=${lines(one)}>
      <div class="cmp-layer">${pictures[0]}</div>
      <div class="cmp-layer over" ?hidden=${look !== 'slide' && !peek}>${pictures[1]}</div>
      <div class="cmp-layer heat" ?hidden=${look !== 'difference' || peek}>${look === 'difference' ? (heat?.canvas ?? nothing) : nothing}${
        look === 'difference' && !heat
          ? html`<p class="cmp-lost" role="status">${w.say('compare-computing')}</p>`
          : nothing
      }</div>
      <i class="cmp-lines"></i>
      ${
        look === 'slide'
          ? html`<span class="cmp-tag left" aria-hidden="true">${one.letter}</span><span class="cmp-tag right" aria-hidden="true">${other.letter}</span>
            <span class="cmp-line" @pointerdown=${(/** @type {PointerEvent} */ event) => slide(event, act.split)}></span>
            <input type="range" min="0" max="100" step="1" .value=${String(model.split)} aria-label=${w.say('compare-split', { one: one.title, other: other.title })}
              @input=${(/** @type {Event} */ event) => act.split(/** @type {HTMLInputElement} */ (event.target).valueAsNumber)} />`
          : html`<span class="cmp-tag left" aria-hidden="true">${look === 'difference' && !peek ? `${one.letter} − ${other.letter}` : seen.letter}</span>`
      }<canvas class="cmp-lens" hidden></canvas></div>
    <figcaption>
      <button type="button" data-act="previous" aria-label=${w.say('compare-previous')} title=${w.say('compare-previous')} @click=${() => act.step(-1)}>‹</button>
      <button type="button" data-act="next" aria-label=${w.say('compare-next')} title=${w.say('compare-next')} @click=${() => act.step(1)}>›</button>
      ${look === 'slide' ? nothing : html`<button type="button" data-act="peek" aria-pressed=${String(peek)} @click=${act.peek}>${w.say('compare-show', { letter: other.letter })} <kbd>${w.say('compare-space')}</kbd></button>`}
      ${look === 'difference' && heat ? legend(model, heat, act, w) : html`<span class="cmp-label" dir="auto">${one.title} | ${other.title}</span>`}
      <span class="cmp-keeps">${[one, other].map(({ id, letter, result }) =>
        result
          ? html`<button type="button" data-act="star" data-id=${id} aria-pressed=${String(result.star)} @click=${() => act.star(id)}>★ ${w.say('compare-keep', { letter })}</button>`
          : nothing,
      )}</span>
    </figcaption>
  </figure>`;
}

/**
 * The heat map's scale, and what it says.
 * @param {FramesModel} model
 * @param {Heat} heat
 * @param {FramesActions} act
 * @param {Words} w
 */
function legend({ scale, scaled }, heat, act, w) {
  const { share, mean, most } = heat.summary;
  /** @param {Event} event */
  const chosen = (event) => act.scale(Number(/** @type {HTMLSelectElement} */ (event.target).value) || null);
  return html`<span class="cmp-legend"><span>0</span><i style=${styleMap({ background: gradient() })}></i>
      <select name="scale" aria-label=${w.say('compare-scale')} @change=${chosen}>
        <option value="0" .selected=${scale === null}>${w.say('compare-scale-fitting', { end: heat.fitting })}</option>
        ${SCALES.map((end) => html`<option value=${end} .selected=${end === scale}>${w.say('compare-scale-to', { end })}</option>`)}
      </select></span>
    <span class="cmp-label" role="status">${
      most === 0 ? w.say('compare-identical') : w.say('compare-difference-figures', { share: share * 100, mean, most })
    } ${scaled ?? ''}</span>`;
}

/**
 * The slider's line follows the pointer until it is let go.
 * @param {PointerEvent} event
 * @param {(percent: number) => void} split
 */
function slide(event, split) {
  const line = /** @type {HTMLElement} */ (event.currentTarget);
  const frame = /** @type {HTMLElement} */ (line.parentElement);
  event.stopPropagation(); // it is no pan
  event.preventDefault();
  line.setPointerCapture(event.pointerId);
  /** @param {PointerEvent} now */
  const follow = (now) => {
    const { left, width } = frame.getBoundingClientRect();
    split(Math.round(Math.min(100, Math.max(0, ((now.clientX - left) / width) * 100)) * 10) / 10);
  };
  const stop = new AbortController();
  line.addEventListener('pointermove', follow, { signal: stop.signal });
  line.addEventListener('lostpointercapture', () => stop.abort(), { signal: stop.signal });
}
