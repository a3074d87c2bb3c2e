// The ladder: one large picture, and a slider under it from "keep" to "transform" over the pictures that are made.

import { screenPixels } from '../lib/layout.js';
import { html, nothing } from '../vendor/lit.js';
import { axisLabel, stateWords, valueLabel } from './labels.js';

/** @import { Api } from '../lib/api.js' */
/** @import { Names } from './labels.js' */
/** @import { Experiment, ExperimentCell, Live, Sheet } from './types.js' */

/**
 * @typedef {object} LadderActs
 * @property {(column: number) => void} show
 * @property {() => void} play
 * @property {() => void} halve
 * @property {(place: number) => void} retry
 */

/**
 * @param {object} of
 * @param {Experiment} of.experiment
 * @param {Sheet} of.sheet
 * @param {number} of.column the one that is shown
 * @param {boolean} of.playing
 * @param {number | null} of.between the value that would come in the middle to the next one
 * @param {number} of.width CSS pixels of the picture
 * @param {number} of.ratio
 * @param {LadderActs} act
 * @param {Names} names
 * @param {Api} api
 */
export function ladder({ experiment, sheet, column, playing, between, width, ratio }, act, names, api) {
  const w = names.words;
  const axis = experiment.axes[0];
  if (!axis) return nothing;
  const cells = sheet.columns.map((line, at) => ({ ...line, cell: sheet.cell(at, 0, 0) }));
  const shown = nearest(cells, column);
  const here = cells[column];
  if (!here) return nothing;
  const label = valueLabel(axis.name, here.value, names);
  const name = axisLabel(axis.name, names);
  const words = here.cell ? stateWords(here.cell, w) : '';
  return html`<div class="xp-ladder" style="--ratio:${ratio};--large:${width}px">
    <div class="xp-large">
      ${cells.map(({ cell }, at) =>
        cell?.result == null
          ? nothing
          : html`<img class=${at === shown ? 'shown' : ''} alt=${at === shown ? `${name} ${label}` : ''}
              aria-hidden=${String(at !== shown)} src=${api.resultView(cell.result, screenPixels(width, devicePixelRatio))}>`,
      )}
      ${words ? html`<span class="xp-state">${words}</span>` : nothing}
    </div>
    <div class="xp-scrub">
      <span>${axis.name === 'strength' ? w.say('explore-keep') : valueLabel(axis.name, cells[0]?.value ?? '', names)}</span>
      <div class="xp-track">
        <input type="range" min="0" max=${cells.length - 1} step="1" .value=${String(column)} aria-label=${name}
          aria-valuetext=${`${label}${words ? `, ${words}` : ''}`}
          @input=${(/** @type {Event} */ event) => act.show(Number(/** @type {HTMLInputElement} */ (event.target).value))}>
        <div class="xp-dots">${cells.map(({ cell, value }, at) => dot(cell, value, at, axis.name, act, names))}</div>
      </div>
      <span>${axis.name === 'strength' ? w.say('explore-transform') : valueLabel(axis.name, cells[cells.length - 1]?.value ?? '', names)}</span>
    </div>
    <div class="xp-ladder-acts">
      <output>${name} <b>${label}</b></output>
      <button type="button" data-act="play" aria-pressed=${String(playing)} @click=${act.play}>${w.say(playing ? 'explore-stop-playing' : 'explore-play')}</button>
      <button type="button" data-act="halve" ?disabled=${between === null} @click=${act.halve}>${
        between === null ? w.say('explore-no-edge') : w.say('explore-edge', { value: String(between) })
      }</button>
    </div>
  </div>`;
}

/**
 * @param {(ExperimentCell & Live) | null} cell
 * @param {import('./types.js').AxisValue} value
 * @param {number} at
 * @param {string} axis
 * @param {LadderActs} act
 * @param {Names} names
 */
function dot(cell, value, at, axis, act, names) {
  const label = valueLabel(axis, value, names);
  const made = cell !== null && cell.result !== null;
  return html`<button type="button" tabindex="-1" class=${made ? 'made' : ''} data-state=${cell?.state ?? 'waiting'}
    aria-label=${made || !cell ? label : `${label}, ${stateWords(cell, names.words)}`} title=${label}
    @click=${() => (cell && !made && ['failed', 'cancelled', 'skipped'].includes(cell.state) ? act.retry(cell.place) : act.show(at))}></button>`;
}

/**
 * Return the place of the picture that is nearest to a place, itself where it is made; -1 where there is none.
 * @param {readonly { cell: { result: number | null } | null }[]} cells
 * @param {number} column
 */
export function nearest(cells, column) {
  let best = -1;
  for (const [at, { cell }] of cells.entries()) {
    if (cell?.result == null) continue;
    if (best < 0 || Math.abs(at - column) < Math.abs(best - column)) best = at;
  }
  return best;
}
