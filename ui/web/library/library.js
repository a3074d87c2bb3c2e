// The library's door, and what it asks of the server. Fetched when the library is opened first: this module at once asks
// for the list, while the others, the styles and the words are still on their way.

import { addLater } from '../lib/i18n.js';
import { addSheet } from '../lib/sheet.js';

/** @import { Place, Router } from '../lib/address.js' */
/** @import { Api } from '../lib/api.js' */
/** @import { Update } from '../lib/events.js' */
/** @import { Words } from '../lib/i18n.js' */
/** @import { Action, State } from '../lib/state.js' */
/** @import { Mode, Result } from '../types.js' */
/** @import { Block, Code, Facets, Filter, Imported, Index, Lineage, Patch, Project } from './types.js' */

/** The others of this folder: fetched together instead of import by import. */
const MODULES = [
  ...['view', 'bars', 'blocks', 'colour-names', 'describe', 'detail', 'details', 'filter', 'grid', 'layout', 'list'],
  ...['meters', 'pages', 'scroll', 'selection'],
];
/**
 * Pictures that come with the list itself, so that the first screen needs no further question: as many as the first
 * block has at most. That one has no cursor, and would begin with whatever has come since.
 */
export const FIRST = 200;

/** The most ids that one request takes. */
export const MOST_IDS = 500;

/** @typedef {ReturnType<typeof createCalls>} Calls */

/** @param {Api} api */
export function createCalls({ at, get, send, once }) {
  return {
    /**
     * Return a list in blocks, with its first pictures of the same moment.
     * @param {Filter} filter
     * @param {number} first how many of them
     * @param {AbortSignal} [signal]
     * @returns {Promise<Index>}
     */
    index(filter, first, signal) {
      const zone = String(-new Date().getTimezoneOffset());
      return get(`results/index?${new URLSearchParams({ ...filter, zone, first: String(first) })}`, signal);
    },

    /**
     * @param {Filter} filter
     * @param {Block} block
     * @param {AbortSignal} [signal]
     * @returns {Promise<Result[]>}
     */
    async block(filter, { cursor, count }, signal) {
      const query = new URLSearchParams({ ...filter, limit: String(count) });
      if (cursor !== null) query.set('cursor', cursor);
      /** @type {{ results: Result[] }} */
      const page = await get(`results?${query}`, signal);
      return page.results;
    },

    /** @returns {Promise<Facets>} */
    facets: () => get('library'),

    /**
     * @param {number[]} ids
     * @param {Patch} patch
     * @returns {Promise<{ results: Result[], revision: number }>}
     */
    change: (ids, patch) => send('PATCH', 'results', { ids, ...patch }),

    /**
     * @param {number[]} ids
     * @returns {Promise<{ deleted: number[], until: number, revision: number }>}
     */
    remove: (ids) => send('DELETE', 'results', { ids }),

    /**
     * @param {number[]} ids
     * @returns {Promise<{ restored: number[], revision: number }>}
     */
    restore: (ids) => send('POST', 'results/restore', { ids }),

    /**
     * @param {string} name
     * @returns {Promise<Project>}
     */
    createProject: (name) => send('POST', 'projects', { name }),

    /** @param {string} project its id @returns {string} the address of its archive */
    archive: (project) => at(`projects/${project}/archive`),

    /**
     * Return an archive of pictures, as of a project.
     * @param {number[]} ids
     * @returns {Promise<Blob>}
     */
    archiveOf: (ids) =>
      once(
        'results/archive',
        { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ids }) },
        (answer) => answer.blob(),
      ),

    /**
     * Take in the archive of a project. It is not repeated: the file may be large, and the person still has it.
     * @param {Blob} file
     * @returns {Promise<Imported>}
     */
    importProject: (file) =>
      once('projects/import', { method: 'POST', headers: { 'Content-Type': 'application/zip' }, body: file }),

    /**
     * @param {number} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Lineage>}
     */
    lineage: (id, signal) => get(`results/${id}/lineage`, signal),

    /**
     * Return the code that makes a result again.
     * @param {number} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Code>}
     */
    loadCode: (id, signal) => get(`results/${id}/code`, signal),
  };
}

/**
 * Return ids in parts that a request takes.
 * @param {readonly number[]} ids
 */
export function parts(ids) {
  return Array.from({ length: Math.ceil(ids.length / MOST_IDS) }, (_, at) =>
    ids.slice(at * MOST_IDS, (at + 1) * MOST_IDS),
  );
}

/**
 * What the page gives.
 * @typedef {object} LibraryParts
 * @property {HTMLElement} mount
 * @property {Api} api
 * @property {Words} words
 * @property {Router} router
 * @property {() => State} state
 * @property {(action: Action) => void} dispatch
 * @property {(mode: Mode) => void} enter
 * @property {(result: Result) => void} use makes a result the reference
 * @property {(then: (view: import('../explore/explore.js').Explore) => void) => Promise<void>} explore opens the explore
 *   view, and does something there
 * @property {(id: number) => void} pick adds a result to those that are compared, or takes it out
 * @property {(ids: number[]) => void} compare compares these
 * @property {(slides: import('../main.js').Slides) => Promise<void>} full shows pictures as large as the window
 * @property {() => void} redraw draws what the page shows
 */

/**
 * @typedef {object} Library
 * @property {(place: Place) => void} lead goes where the address says
 * @property {(said: Update) => void} hear takes what the server says
 * @property {() => void} draw takes what has changed of the page
 */

/**
 * @param {LibraryParts} parts
 * @returns {Promise<Library>}
 */
export async function createLibrary(parts) {
  const calls = createCalls(parts.api);
  const { filter } = parts.router.place();
  const early = calls.index(filter, FIRST);
  early.catch(() => {}); // whoever asks for the list gets the error
  for (const name of MODULES) {
    const href = new URL(`./${name}.js`, import.meta.url).href;
    document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
  }
  const styles = ['library', 'meters'].map((name) => addSheet(new URL(`./${name}.css`, import.meta.url)));
  const [{ openLibrary }] = await Promise.all([import('./view.js'), addLater(parts.words), ...styles]);
  return openLibrary(parts, calls, { filter, answer: early });
}
