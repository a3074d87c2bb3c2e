// The grid of an experiment: labelled axes, a cell for each run.

import { screenPixels } from '../lib/layout.js';
import { html, nothing } from '../vendor/lit.js';
import { axisLabel, stateWords, valueLabel } from './labels.js';
import { canRetry } from './sheet.js';

/** @import { Api } from '../lib/api.js' */
/** @import { Names } from './labels.js' */
/** @import { Experiment, ExperimentCell, Line, Live, Sheet } from './types.js' */

/** @typedef {ExperimentCell & Live} Cell */

/**
 * @typedef {object} GridActs
 * @property {(place: number) => void} choose
 * @property {(place: number) => void} open
 * @property {(place: number) => void} retry
 * @property {(axis: number, at: number) => void} apply brings a row's or a column's value into the form
 * @property {(axis: number, at: number) => void} hide
 */

/**
 * @param {object} of
 * @param {Experiment} of.experiment
 * @param {Sheet} of.sheet
 * @param {number} of.page
 * @param {number | null} of.chosen the place of the cell that the actions are about
 * @param {readonly number[]} of.picked results that are favourites, A to D
 * @param {number} of.width CSS pixels of a cell
 * @param {number} of.ratio width over height of a picture
 * @param {GridActs} act
 * @param {Names} names
 * @param {Api} api
 */
export function grid({ experiment, sheet, page, chosen, picked, width, ratio }, act, names, api) {
  const w = names.words;
  const [across, down] = experiment.axes;
  if (!across) return nothing;
  const options = { experiment, chosen, picked, width, act, names, api, first: firstOf(sheet, page, chosen) };
  const look = `--cell:${width}px;--ratio:${ratio};--columns:${sheet.columns.length}`;
  const cell = (/** @type {number} */ column, /** @type {number} */ row) =>
    cellAt(sheet.cell(column, row, page), options);
  if (!down)
    return html`<div class="xp-sheet" role="group" style=${look} aria-label=${axisLabel(across.name, names)}>
      ${sheet.columns.map((line, column) => html`<div class="xp-one">${cell(column, 0)}${header(0, line, options)}</div>`)}
    </div>`;
  return html`<div class="xp-grid" role="grid" style=${look}
    aria-label=${w.say('explore-grid', { across: axisLabel(across.name, names), down: axisLabel(down.name, names) })}>
    <div class="xp-row xp-heads" role="row">
      <span class="xp-corner" role="presentation">${axisLabel(across.name, names)} →<br>${axisLabel(down.name, names)} ↓</span>
      ${sheet.columns.map((line) => html`<div role="columnheader" class="xp-head">${header(0, line, options)}</div>`)}
    </div>
    ${sheet.rows.map(
      (line, row) => html`<div class="xp-row" role="row">
        <div role="rowheader" class="xp-head">${header(1, line, options)}</div>
        ${sheet.columns.map(
          (each, column) => html`<div role="gridcell" class="xp-one">${cell(column, row)}
          <span class="xp-narrow">${valueLabel(across.name, each.value, names)}</span></div>`,
        )}
      </div>`,
    )}
  </div>`;
}

/**
 * Return the place of the cell that Tab reaches: the chosen one, else the first.
 * @param {Sheet} sheet
 * @param {number} page
 * @param {number | null} chosen
 */
function firstOf(sheet, page, chosen) {
  let first = null;
  for (let row = 0; row < sheet.rows.length; row += 1)
    for (let column = 0; column < sheet.columns.length; column += 1) {
      const place = sheet.cell(column, row, page)?.place ?? null;
      if (place !== null && place === chosen) return place;
      first ??= place;
    }
  return first;
}

/**
 * @param {number} axis
 * @param {Line} line
 * @param {{ experiment: Experiment, act: GridActs, names: Names }} options
 */
function header(axis, { at, value }, { experiment, act, names }) {
  const name = experiment.axes[axis]?.name ?? '';
  const label = valueLabel(name, value, names);
  const w = names.words;
  const reasons = experiment.evolved?.reasons[at];
  if (reasons) return html`<span class="xp-reasons">${reasons.map((each) => w.say(each)).join(' · ')}</span>`;
  const named = { axis: axisLabel(name, names), value: label };
  return html`<span class="xp-label"><button type="button" class="xp-apply" title=${w.say('explore-apply', named)}
      aria-label=${w.say('explore-apply', named)} @click=${() => act.apply(axis, at)}><bdi>${label}</bdi></button><button
      type="button" class="xp-hide" aria-label=${w.say('explore-hide', named)} title=${w.say('explore-hide', named)}
      @click=${() => act.hide(axis, at)}>×</button></span>`;
}

/**
 * Return the letter of a favourite.
 * @param {number} place from 0
 */
export function letterOf(place) {
  return 'ABCD'[place] ?? '';
}

/**
 * Return the name of a cell: its values, and how far it is.
 * @param {Cell} cell
 * @param {Experiment} experiment
 * @param {Names} names
 */
export function cellName(cell, experiment, names) {
  const values = experiment.axes.map(({ name, values }, axis) => {
    const value = values[cell.at[axis] ?? 0];
    return value === undefined ? '' : `${axisLabel(name, names)} ${valueLabel(name, value, names)}`;
  });
  return values.join(', ');
}

/**
 * @param {Cell | null} cell
 * @param {{ experiment: Experiment, chosen: number | null, picked: readonly number[], width: number, act: GridActs, names: Names, api: Api,
 *   first: number | null }} options
 */
function cellAt(cell, { experiment, chosen, picked, width, act, names, api, first }) {
  if (!cell) return nothing;
  const w = names.words;
  const words = stateWords(cell, w);
  const name = cellName(cell, experiment, names);
  const { place, state, result, job, preview, step, total, star } = cell;
  const favourite = result === null ? -1 : picked.indexOf(result);
  const src =
    result !== null
      ? api.resultView(result, screenPixels(width, devicePixelRatio))
      : job && preview && state === 'running'
        ? api.jobPreview(job, 0, preview)
        : null;
  return html`<button type="button" class="xp-cell" data-state=${state} data-place=${place}
      tabindex=${place === first ? 0 : -1} aria-pressed=${String(place === chosen)}
      aria-label=${[
        name,
        star ? w.say('explore-starred') : '',
        favourite < 0 ? '' : w.say('explore-favourite', { letter: letterOf(favourite) }),
        words,
      ]
        .filter(Boolean)
        .join(', ')}
      @click=${() => act.choose(place)} @dblclick=${() => act.open(place)}>
      ${src ? html`<img alt="" decoding="async" src=${src}>` : nothing}
      ${words ? html`<span class="xp-state">${words}</span>` : nothing}
      ${state === 'running' && step && total ? html`<span class="xp-bar" style="--done:${step / total}"></span>` : nothing}
      ${star ? html`<span class="xp-star" aria-hidden="true">★</span>` : nothing}
      ${favourite < 0 ? nothing : html`<span class="xp-letter" aria-hidden="true">${letterOf(favourite)}</span>`}
    </button>
    ${
      canRetry(cell)
        ? html`<button type="button" class="xp-retry" tabindex="-1" aria-label=${w.say('explore-retry-one', { cell: name })}
            title=${w.say('explore-retry-one', { cell: name })} @click=${() => act.retry(place)}>↻</button>`
        : nothing
    }`;
}
