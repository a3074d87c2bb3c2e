// The lines above Run: what a run will do, how long it takes, what it costs; and why it cannot begin.

import { html, live, nothing } from '../vendor/lit.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Spent } from '../lib/select.js' */
/** @import { Draft, Message } from '../types.js' */

/**
 * @typedef {object} PreflightModel
 * @property {Message[]} parts
 * @property {Message[]} composed the styles that the prompt goes with
 * @property {Message[]} notices what the last change did beside what was asked
 * @property {Message | null} removed which pictures the run would remove, where storage is full
 * @property {Message | null} problem why the last click began nothing
 * @property {{ again: () => void, fresh: () => void } | null} repeated the same settings were run before
 * @property {(Spent & { places: { backend: Message | string, dollars: number }[], set: (values: Partial<Draft>) => void }) | null} budget
 *   what was spent and may be, and what of today's where; null where nothing costs anything
 */

/**
 * @param {PreflightModel} model
 * @param {Words} w
 */
export function preflight(model, w) {
  return html`<p class="forecast">${model.parts.map((each) => w.say(each)).join(' · ')}</p>
    ${model.budget ? budget(model.budget, w) : nothing}
    ${model.composed.length ? html`<p class="composed">${model.composed.map((each) => w.say(each)).join(' · ')}</p>` : nothing}
    ${model.notices.length ? html`<p class="field-notice" role="status">${model.notices.map((each) => w.say(each)).join(', ')}</p>` : nothing}
    ${model.removed ? html`<p class="field-notice room-notice" role="status">${w.say(model.removed)}</p>` : nothing}
    ${model.problem ? html`<p class="field-problem" role="alert">${w.inFull(model.problem)}</p>` : nothing}
    ${
      model.repeated
        ? html`<p class="field-notice" role="alert">${w.say('run-repeated')}
          <button type="button" @click=${model.repeated.fresh}>${w.say('run-repeated-fresh')}</button>
          <button type="button" @click=${model.repeated.again}>${w.say('run-repeated-again')}</button></p>`
        : nothing
    }`;
}

/**
 * @param {NonNullable<PreflightModel['budget']>} model
 * @param {Words} w
 */
function budget({ dollars, budget, today, dayBudget, places, set }, w) {
  const where = places.map((each) => w.say('figure-spent-at', each)).join(' · ');
  /** @param {'budget' | 'dayBudget'} name @param {number} spent @param {number | null} limit */
  const line = (name, spent, limit) => html`<p class="budget">
    <span title=${name === 'dayBudget' && where ? where : nothing}>${w.say(`spent-${name.toLowerCase()}`, { dollars: spent })}</span>
    <label><span aria-hidden="true">${w.say('budget-limit')}</span> <input id=${name} type="number" min="0" step="0.5" inputmode="decimal"
      aria-label=${w.say(`limit-${name.toLowerCase()}`)} placeholder=${w.say('budget-none')} .value=${live(limit === null ? '' : String(limit))}
      @change=${(/** @type {Event} */ event) => {
        const { valueAsNumber } = /** @type {HTMLInputElement} */ (event.target);
        set({ [name]: Number.isFinite(valueAsNumber) && valueAsNumber >= 0 ? valueAsNumber : null });
      }} /></label></p>`;
  return html`${line('budget', dollars, budget)}${line('dayBudget', today, dayBudget)}`;
}
