// The stage: what Run will make of what, or what it made. Parts are updated in place, so nothing jumps and focus stays.

import { html, live, nothing, repeat, styleMap } from '../vendor/lit.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Message } from '../types.js' */

/**
 * One place beside the reference.
 * @typedef {object} Cell
 * @property {string} key
 * @property {'next' | 'pending' | 'result' | 'missing'} kind
 * @property {string | null} src of its picture, preview or, faded, of what it is made from
 * @property {boolean} faded
 * @property {string} alt
 * @property {string} caption
 * @property {Message | null} why it is missing
 */

/**
 * @typedef {object} StageModel
 * @property {'empty' | 'reference' | 'queued' | 'loading' | 'running' | 'done' | 'cancelled' | 'failed'} state
 * @property {'pair' | 'slider' | 'single'} view
 * @property {number} at of the slider, percent
 * @property {{ src: string, alt: string } | null} reference
 * @property {Cell[]} cells
 * @property {number} chosen place of the shown cell
 * @property {boolean} held whether the reference is seen in place of the result
 * @property {{ width: number, height: number, columns: number, rows: number }} size of each picture, in pixels
 * @property {{ fraction: number | null, words: string } | null} progress
 * @property {{ message: Message, charge: Message | null, kind: string } | null} message
 * @property {string} spoken
 */

/**
 * @typedef {object} StageActions
 * @property {(place: number) => void} choose
 * @property {(at: number) => void} slide
 * @property {() => void} full
 * @property {(held: boolean) => void} hold while the finger is down, the reference is seen
 */

/**
 * @param {StageModel} model
 * @param {StageActions} act
 * @param {Words} w
 */
export function stageBody(model, act, w) {
  const cell = model.cells[model.chosen];
  const whole = cell?.kind === 'result' ? cell : null;
  if (!model.reference) return nothing;
  if (model.view === 'slider' && whole) return slider(model, whole, act, w);
  if (model.view === 'single') {
    if (!cell || cell.kind === 'next' || model.held)
      return html`<div class="single" @pointerup=${() => act.hold(false)} @pointercancel=${() => act.hold(false)}>${reference(model, w)}</div>`;
    return html`<div class="single" @pointerdown=${() => act.hold(true)}>${place(model, cell, model.chosen, act, w)}</div>`;
  }
  return html`<div class="pair ${model.size.rows > 1 ? 'stacked' : ''}" style=${styleMap({ '--columns': String(model.size.columns) })}>
    ${reference(model, w)}
    ${repeat(
      model.cells,
      (each) => each.key,
      (each, at) => place(model, each, at, act, w),
    )}
  </div>`;
}

/**
 * @param {StageModel} model
 * @param {Words} w
 */
function reference(model, w) {
  const { src, alt } = model.reference ?? { src: '', alt: '' };
  const picture = html`<img class="reference" src=${src} alt=${alt} draggable="false" />`;
  return frame(model, 'reference', w.say('ui-reference'), picture);
}

/**
 * @param {StageModel} model
 * @param {string} kind
 * @param {string} caption
 * @param {unknown} content
 * @param {(() => void) | null} [choose]
 * @param {boolean} [chosen]
 */
function frame(model, kind, caption, content, choose = null, chosen = false) {
  const { width, height } = model.size;
  return html`<figure class="frame ${kind} ${chosen ? 'chosen' : ''}" @click=${choose ?? nothing}>
    <div class="mat" style=${styleMap({ width: `${width}px`, height: `${height}px` })}>${content}</div>
    <figcaption>${caption}</figcaption>
  </figure>`;
}

/**
 * @param {StageModel} model
 * @param {Cell} cell
 * @param {number} at
 * @param {StageActions} act
 * @param {Words} w
 */
function place(model, cell, at, act, w) {
  const several = model.cells.length > 1;
  return frame(
    model,
    cell.kind,
    cell.caption,
    html`${content(cell, at, act, w)}${model.progress && cell.kind === 'pending' ? edge(model.progress, w) : nothing}`,
    several ? () => act.choose(at) : null,
    several && at === model.chosen,
  );
}

/**
 * @param {Cell} cell
 * @param {number} at
 * @param {StageActions} act
 * @param {Words} w
 */
function content(cell, at, act, w) {
  if (cell.kind === 'missing')
    return cell.why ? html`<div class="empty-cell withheld">${w.inFull(cell.why)}</div>` : nothing;
  if (cell.kind === 'result') {
    return html`<img class="result" data-cell=${at} src=${cell.src ?? ''} alt=${cell.alt} draggable="false" @dblclick=${act.full} />`;
  }
  if (!cell.src)
    return html`<div class="empty-cell">${cell.kind === 'next' ? w.say('stage-result-here') : nothing}</div>`;
  return html`<img class="preview ${cell.faded ? 'older' : ''}" data-cell=${at} src=${cell.src} alt=${cell.alt} draggable="false" />`;
}

/**
 * The progress, on the picture's lower edge.
 * @param {{ fraction: number | null, words: string }} progress
 * @param {Words} w
 */
function edge(progress, w) {
  const known = progress.fraction !== null;
  const percent = Math.round((progress.fraction ?? 0) * 100);
  return html`<div class="progress">
    <span>${progress.words}</span>
    <div class="bar ${known ? '' : 'indeterminate'}" role="progressbar" aria-label=${w.say('stage-progress')}
      aria-valuemin="0" aria-valuemax="100" aria-valuenow=${known ? percent : nothing}><i style=${styleMap({ width: `${known ? percent : 100}%` })}></i></div>
  </div>`;
}

/**
 * @param {StageModel} model
 * @param {Cell} cell
 * @param {StageActions} act
 * @param {Words} w
 */
function slider(model, cell, act, w) {
  const { width, height } = model.size;
  return html`<div class="slide" style=${styleMap({ width: `${width}px`, height: `${height}px`, '--at': `${model.at}%` })}>
    <img class="reference" src=${model.reference?.src ?? ''} alt=${model.reference?.alt ?? ''} draggable="false" />
    <img class="result over" data-cell=${model.chosen} src=${cell.src ?? ''} alt=${cell.alt} draggable="false" />
    <span class="tag left">${w.say('ui-reference')}</span><span class="tag right">${w.say('ui-result')}</span>
    <span class="line" aria-hidden="true"></span>
    <input type="range" min="0" max="100" step="1" .value=${live(String(model.at))} aria-label=${w.say('stage-compare')}
      @input=${(/** @type {Event} */ event) => act.slide(Number(/** @type {HTMLInputElement} */ (event.target).value))} />
  </div>`;
}

/**
 * What went wrong, under the pictures.
 * @param {NonNullable<StageModel['message']>} shown
 * @param {Words} w
 */
export function stageMessage(shown, w) {
  return html`<div class="message ${shown.kind}" role=${shown.kind === 'failed' ? 'alert' : 'status'}>
    <strong>${w.say(shown.message)}</strong>
    ${w.advice(shown.message) ? html`<span>${w.advice(shown.message)}</span>` : nothing}
    ${shown.charge ? html`<em>${w.say(shown.charge)}</em>` : nothing}
    ${w.details(shown.message) ? html`<details><summary>${w.say('ui-details')}</summary><span>${w.details(shown.message)}</span></details>` : nothing}
  </div>`;
}

/**
 * The three views of the pictures.
 * @param {StageModel} model
 * @param {(view: 'pair' | 'slider' | 'single') => void} show
 * @param {Words} w
 */
export function viewSwitch(model, show, w) {
  const whole = model.cells[model.chosen]?.kind === 'result';
  return html`<div class="views" role="group" aria-label=${w.say('ui-view')}>
    ${
      /** @type {const} */ (['pair', 'slider', 'single']).map(
        (view) => html`<button type="button" data-view=${view} aria-pressed=${String(model.view === view)}
        ?disabled=${view !== 'pair' && !whole && model.view !== view} @click=${() => show(view)}>${w.say(`view-${view}`)}</button>`,
      )
    }
  </div>`;
}

/**
 * The switch of the drafts that follow the dials.
 * @param {boolean} on
 * @param {() => void} turn
 * @param {Words} w
 */
export function liveSwitch(on, turn, w) {
  return html`<button type="button" class="live-switch" data-act="live" aria-pressed=${String(on)} title=${w.say('stage-live-hint')}
    @click=${turn}>${w.say('stage-live')}</button>`;
}
