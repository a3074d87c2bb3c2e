// The door of the explore view, and what it asks of the server. Fetched when the view is opened first.

import { addLater } from '../lib/i18n.js';
import { addSheet } from '../lib/sheet.js';

/** @import { Place, Router } from '../lib/address.js' */
/** @import { Api } from '../lib/api.js' */
/** @import { Update } from '../lib/events.js' */
/** @import { Words } from '../lib/i18n.js' */
/** @import { Action, State } from '../lib/state.js' */
/** @import { Mode, Recipe, Result } from '../types.js' */
/** @import { AxisValue, Experiment, NewExperiment, Plan, Summary } from './types.js' */

/** The others of this folder: fetched together instead of import by import. */
const MODULES = ['view', 'entries', 'planning', 'sheet', 'setup', 'grid', 'ladder', 'labels', 'peek'];

/** @typedef {ReturnType<typeof createCalls>} Calls */

/** @param {Api} api */
export function createCalls({ at, begin, get, send }) {
  return {
    /** @param {NewExperiment} body @param {AbortSignal} signal @returns {Promise<Plan>} */
    plan: (body, signal) => send('POST', 'experiments/plan', body, { signal }),
    /**
     * @param {NewExperiment} body
     * @param {{ key: string, provider: string | null }} options
     * @returns {Promise<Experiment>}
     */
    start: (body, options) => begin('experiments', body, options),
    /**
     * Begin a round of neighbours of results.
     * @param {number[]} favourites their ids
     * @param {{ key: string, provider: string | null }} options
     * @returns {Promise<Experiment>}
     */
    evolve: (favourites, options) => begin('experiments/evolve', { favourites }, options),
    /** @returns {Promise<{ experiments: Summary[] }>} */
    latest: () => get('experiments'),
    /** @param {string} id @returns {Promise<Experiment>} */
    one: (id) => get(`experiments/${id}`),
    /** @param {string} id @param {'pause' | 'resume' | 'cancel'} act @returns {Promise<Experiment>} */
    act: (id, act) => send('POST', `experiments/${id}/${act}`),
    /** @param {string} id @param {number | null} place @returns {Promise<{ retried: number }>} */
    retry: (id, place) => send('POST', `experiments/${id}/retry`, { place }),
    /** @param {string} id @param {string} axis @param {AxisValue[]} values @returns {Promise<Experiment>} */
    extend: (id, axis, values) => send('POST', `experiments/${id}/cells`, { axis, values, confirm: true }),
    /** @param {string} id @returns {Promise<unknown>} */
    remove: (id) => send('DELETE', `experiments/${id}`),
    /** @param {number} id @param {boolean} star @returns {Promise<{ results: Result[] }>} */
    star: (id, star) => send('PATCH', 'results', { ids: [id], star }),
    /** @param {string} id @param {string} what @returns {string} */
    file: (id, what) => at(`experiments/${id}/${what}`),
  };
}

/**
 * What the page gives.
 * @typedef {object} ExploreParts
 * @property {HTMLElement} mount
 * @property {Api} api
 * @property {Words} words
 * @property {Router} router
 * @property {() => State} state
 * @property {(action: Action) => void} dispatch
 * @property {(mode: Mode, at?: Partial<Place>) => void} enter
 * @property {(result: Result) => void} use makes a result the reference
 * @property {(ids: number[]) => void} compare compares these
 * @property {(recipe: Recipe) => void} again makes a picture by its recipe
 * @property {(slides: import('../main.js').Slides) => Promise<void>} full shows pictures as large as the window
 * @property {() => void} redraw draws what the page shows
 * @property {(field: string | null) => void} focusField
 */

/**
 * @typedef {object} Explore
 * @property {(place: Place) => void} lead goes where the address says
 * @property {(said: Update) => void} hear takes what the server says
 * @property {() => void} draw takes what has changed of the page
 * @property {() => void} run begins what is planned
 * @property {(results: Result[]) => void} evolve begins a round near results
 * @property {(results: Result[]) => void} batch plans an experiment over results as references
 * @property {() => boolean} stop stops what is shown, and returns whether there was something
 * @property {() => number | null} runs how many that would make; null while nothing is planned
 */

/**
 * @param {ExploreParts} parts
 * @returns {Promise<Explore>}
 */
export async function createExplore(parts) {
  for (const name of MODULES) {
    const href = new URL(`./${name}.js`, import.meta.url).href;
    document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
  }
  const styles = ['./explore.css', '../library/meters.css'].map((path) => addSheet(new URL(path, import.meta.url)));
  const [{ openExplore }] = await Promise.all([import('./view.js'), addLater(parts.words), ...styles]);
  return openExplore(parts, createCalls(parts.api));
}
