// The address of a place in the page: mode, view and selection stand behind the `#`, so that Back works and a link leads
// to the same place.

/** @import { Mode, Shown, View } from '../types.js' */

/**
 * A place in the page.
 * @typedef {object} Place
 * @property {Mode} mode
 * @property {View} view
 * @property {Shown} shown
 * @property {boolean} full whether the full view is open
 * @property {number[]} picked results, in their order
 * @property {string | null} how they are compared, as compare/address.js writes it
 * @property {string | null} form a form to begin with, as `packForm` writes it
 * @property {{ [name: string]: string }} filter what the library shows, as `GET /results` takes it
 * @property {number | null} open the result whose details the library shows
 * @property {string | null} experiment the one that the explore view shows
 */

/** What narrows and sorts the library. */
const FILTER = [
  ...['q', 'star', 'backend', 'style', 'model', 'tag', 'project', 'experiment', 'since', 'until', 'pixels_min'],
  ...['pixels_max', 'cost_min', 'cost_max', 'failed', 'sort'],
];

/** @type {readonly Mode[]} */
const MODES = ['make', 'explore', 'library', 'compare'];
/** @type {readonly View[]} */
const VIEWS = ['pair', 'slider', 'single'];

/** @type {Place} */
export const HOME = {
  mode: 'make',
  view: 'pair',
  shown: null,
  full: false,
  picked: [],
  how: null,
  form: null,
  filter: {},
  open: null,
  experiment: null,
};

/**
 * Return the part of the address behind the page's own, with its `#`.
 * @param {Place} place
 */
export function addressOf({ mode, view, shown, full, picked, how, form, filter, open, experiment }) {
  const query = new URLSearchParams();
  if (view !== HOME.view) query.set('view', view);
  if (shown && 'result' in shown) query.set('result', String(shown.result));
  if (shown && 'job' in shown) query.set('job', shown.job);
  if (full) query.set('full', '1');
  if (picked.length) query.set('picked', picked.join('.'));
  if (how) query.set('how', how);
  if (form !== null) query.set('form', form);
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  if (open !== null) query.set('open', String(open));
  if (experiment !== null) query.set('grid', experiment);
  const rest = String(query);
  return `#${mode}${rest ? `?${rest}` : ''}`;
}

/**
 * Return the place of an address; what it lacks or spells wrong is as on the first visit.
 * @param {string} hash with or without its `#`
 * @returns {Place}
 */
export function placeOf(hash) {
  const [mode = '', rest = ''] = hash.replace(/^#/, '').split('?');
  const query = new URLSearchParams(rest);
  const result = Number(query.get('result') ?? Number.NaN);
  const job = query.get('job');
  const open = Number(query.get('open') ?? Number.NaN);
  return {
    mode: MODES.find((each) => each === mode) ?? HOME.mode,
    view: VIEWS.find((each) => each === query.get('view')) ?? HOME.view,
    shown: Number.isSafeInteger(result) ? { result } : job ? { job } : null,
    full: query.get('full') === '1',
    picked: (query.get('picked') ?? '').split('.').filter(Boolean).map(Number).filter(Number.isSafeInteger),
    how: query.get('how'),
    form: query.get('form'),
    filter: Object.fromEntries([...query].filter(([name, value]) => value && FILTER.includes(name))),
    open: Number.isSafeInteger(open) ? open : null,
    experiment: /^[0-9a-f]{32}$/.exec(query.get('grid') ?? '')?.[0] ?? null,
  };
}

/**
 * What moves through the places of the page.
 * @typedef {object} Router
 * @property {() => Place} place where the address says one is
 * @property {(change: Partial<Place>) => void} go makes an entry that Back leaves again
 * @property {(change: Partial<Place>) => void} replace changes the address alone
 * @property {(change: Partial<Place>) => void} leave takes back the last `go`, or changes the address where one came in
 *   by a link: so Esc, the cross and Back close the full view alike
 * @property {() => void} stop
 */

/**
 * @param {(place: Place) => void} onPlace is called when Back, Forward or a typed address leads to another place
 * @param {Pick<Window, 'location' | 'history' | 'addEventListener' | 'removeEventListener'>} [page]
 * @returns {Router}
 */
export function createRouter(onPlace, page = window) {
  const place = () => placeOf(page.location.hash);
  /** @param {Partial<Place>} change */
  const changed = (change) => addressOf({ ...place(), ...change });
  // Whatever else has left in the entry's state stays: gradio keeps its own there.
  /** @param {boolean} ours */
  const state = (ours) => ({ ...page.history.state, studio: ours });
  const moved = () => onPlace(place());
  page.addEventListener('popstate', moved);
  return {
    place,
    go(change) {
      const address = changed(change);
      if (address !== addressOf(place())) page.history.pushState(state(true), '', address);
    },
    replace(change) {
      page.history.replaceState(state(page.history.state?.studio === true), '', changed(change));
    },
    leave(change) {
      if (page.history.state?.studio === true) page.history.back();
      else {
        page.history.replaceState(state(false), '', changed(change));
        moved();
      }
    },
    stop: () => page.removeEventListener('popstate', moved),
  };
}
