// The state of the page, and what changes it. `reduce` is pure: views dispatch actions and draw what it returns.

import { EXPERIMENTS, emptyDraft } from './draft.js';
import { exactDollars } from './format.js';
import { isEnded, mergedBackends, mergedJobs } from './live.js';
import { message } from './message.js';
import { fitted, formIn, jobBody, recalled } from './recipe.js';

/**
 * @import {
 *   Change, Connection, Draft, Hello, Job, JobBody, Message, Recipe, Reference, Result, ResultPage, Room, Specs, Spending,
 *   Status, StudioError
 * } from '../types.js'
 */

/** References by digest that are remembered for their names. */
const REFERENCES = 200;

/**
 * A run that the server has not confirmed yet.
 * @typedef {object} Pending
 * @property {string} key its idempotency key, and its id until it has a job
 * @property {JobBody} body
 * @property {Reference} reference
 * @property {number} at seconds since 1970, by this browser
 * @property {StudioError | null} waiting why it was not taken yet
 */

/**
 * A local file on its way to become the reference.
 * @typedef {object} Reading
 * @property {string} name
 * @property {string | null} url of its blob, to show it at once; null where the browser cannot
 */

/**
 * @typedef {object} State
 * @property {Specs | null} specs
 * @property {{ [key: string]: Status }} backends
 * @property {string | null} build of the server that this page was loaded from
 * @property {boolean} outdated whether a newer version is running
 * @property {Connection} connection
 * @property {number} clock seconds by which the server's clock is ahead of this one
 * @property {boolean} greeted whether the server has said how everything stands
 * @property {Draft} draft
 * @property {boolean} full whether the full view is open
 * @property {Reading | null} reading
 * @property {Pending[]} pending the oldest first
 * @property {Job[]} jobs the oldest first
 * @property {{ [run: string]: true }} stopping runs whose end was asked for
 * @property {Result[]} results pictures, the newest first
 * @property {ReadonlySet<number>} deleted results that are gone, whatever an answer on its way says
 * @property {ReadonlySet<number>} confirmed those of them whose deletion the stream has reported: what it names then is there again
 * @property {string | null} next where the next page of results begins
 * @property {boolean} paged whether the first page is there
 * @property {boolean} stale whether the first page has to be fetched again
 * @property {number} total of results
 * @property {Room | null} room what is stored; null before that was asked for
 * @property {Spending | null} today what the day's runs have cost; null before that was asked for
 * @property {{ [digest: string]: Reference }} references by digest, for their names
 * @property {boolean} owed whether Run waits for the picture that is read
 * @property {{ [provider: string]: true }} keys providers whose key was pasted
 * @property {{ [field: string]: StudioError }} problems by the form's field; '' for those of none
 * @property {{ src: string | null } | null} live the address of the newest draft that follows the dials, null until there
 *   is one and after Run; null as a whole while none does
 * @property {Message[]} notices what a person should know of the last change
 */

/**
 * @typedef {{ type: 'specs', specs: Specs }
 *   | { type: 'connection', connection: Connection }
 *   | { type: 'hello', hello: Hello, at: number }
 *   | { type: 'change', change: Change }
 *   | { type: 'page', page: ResultPage, cursor: string | null }
 *   | { type: 'result', result: Result }
 *   | { type: 'room', room: Room }
 *   | { type: 'spending', spending: Spending }
 *   | { type: 'deleted', ids: number[] }
 *   | { type: 'restored', ids: number[] }
 *   | { type: 'edit', values: Partial<Draft> }
 *   | { type: 'recall', recipe: Recipe, part: string }
 *   | { type: 'reading', reading: Reading }
 *   | { type: 'reference', reference: Reference }
 *   | { type: 'unreadable', error: StudioError }
 *   | { type: 'owed', owed: boolean }
 *   | { type: 'known', reference: Reference }
 *   | { type: 'full', open: boolean }
 *   | { type: 'live', on: boolean, src: string | null }
 *   | { type: 'run', key: string, at: number }
 *   | { type: 'resume', pending: Pending[] }
 *   | { type: 'waiting', key: string, error: StudioError }
 *   | { type: 'accepted', key: string, job: Job }
 *   | { type: 'experiment', id: string }
 *   | { type: 'answer', job: Job }
 *   | { type: 'refused', key: string, error: StudioError }
 *   | { type: 'stop', run: string }
 *   | { type: 'stop-failed', run: string, error: StudioError }
 *   | { type: 'key', provider: string, known: boolean }
 *   | { type: 'problem', error: StudioError }
 *   | { type: 'dismiss', field: string }} Action
 */

/**
 * @param {Draft} [draft]
 * @returns {State}
 */
export function initialState(draft = emptyDraft()) {
  return {
    specs: null,
    backends: {},
    build: null,
    outdated: false,
    connection: 'connecting',
    clock: 0,
    greeted: false,
    draft,
    full: false,
    reading: null,
    pending: [],
    jobs: [],
    stopping: {},
    results: [],
    deleted: new Set(),
    confirmed: new Set(),
    next: null,
    paged: false,
    stale: false,
    total: 0,
    room: null,
    today: null,
    owed: false,
    references: draft.reference ? { [draft.reference.digest]: draft.reference } : {},
    keys: {},
    problems: {},
    live: null,
    notices: [],
  };
}

/**
 * Return the state after an action.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case 'specs':
      return withSpecs(state, action.specs);
    case 'connection':
      return { ...state, connection: action.connection };
    case 'hello':
      return greeted(state, action.hello, action.at);
    case 'change':
      return withChange(state, action.change);
    case 'page':
      return withPage(state, action.page, action.cursor);
    case 'result':
      return withResults(state, [action.result]);
    case 'deleted':
      return withoutResults(state, action.ids);
    case 'restored':
      return undeleted(state, action.ids);
    case 'edit':
      return edited(state, action.values);
    case 'recall':
      return edited(state, recalled(formIn(state.draft), action.recipe, action.part, nameOf(state, action.recipe)));
    case 'reading':
      return { ...state, reading: action.reading, problems: without(state.problems, 'reference') };
    case 'reference':
      return edited({ ...known(state, action.reference), reading: null }, { reference: action.reference });
    case 'unreadable': {
      // The earlier reference stays: a bad drop throws nothing away.
      const error = { ...action.error, field: 'reference' };
      return { ...state, reading: null, owed: false, problems: { ...state.problems, reference: error } };
    }
    case 'owed':
      return { ...state, owed: action.owed };
    case 'known':
      return known(state, action.reference);
    case 'room':
      return { ...state, room: action.room };
    case 'spending':
      return { ...state, today: action.spending };
    case 'live':
      return { ...state, live: action.on ? { src: action.src } : null };
    case 'full':
      return { ...state, full: action.open };
    case 'run':
      return begun(state.live ? { ...state, live: { src: null } } : state, action.key, action.at);
    case 'resume':
      return { ...state, pending: [...action.pending, ...state.pending] };
    case 'waiting': {
      const { key, error } = action;
      return {
        ...state,
        pending: state.pending.map((each) => (each.key === key ? { ...each, waiting: error } : each)),
      };
    }
    case 'accepted':
      return accepted(state, action.key, action.job);
    case 'experiment': {
      const { spent } = state.draft;
      const experiments = [...spent.experiments, action.id].slice(-EXPERIMENTS);
      return { ...state, draft: { ...state.draft, spent: { ...spent, experiments } } };
    }
    case 'answer':
      return withAnswer(state, action.job, state);
    case 'refused':
      return { ...withProblem(state, action.error), ...left(state, action.key, null) };
    case 'stop':
      return { ...state, stopping: { ...state.stopping, [action.run]: true } };
    case 'stop-failed':
      return { ...withProblem(state, { ...action.error, field: null }), stopping: without(state.stopping, action.run) };
    case 'key': {
      const keys = action.known
        ? { ...state.keys, [action.provider]: /** @type {const} */ (true) }
        : without(state.keys, action.provider);
      // The complaint that a key is missing goes with its cause.
      const others = without(without(state.problems, ''), 'backend');
      return { ...state, keys, problems: action.known ? others : state.problems };
    }
    case 'problem':
      return withProblem(state, action.error);
    case 'dismiss':
      return { ...state, problems: without(state.problems, action.field), notices: action.field ? state.notices : [] };
  }
}

// ---- what the server says --------------------------------------------------------------------------

/**
 * @param {State} state
 * @param {Specs} specs
 * @returns {State}
 */
function withSpecs(state, specs) {
  const backends = Object.fromEntries(
    specs.backends.map(({ key, ready, words, price, pace }) => [
      key,
      state.backends[key] ?? { ready, words, price, pace },
    ]),
  );
  const first = specs.backends[0]?.key ?? '';
  const known = specs.backends.some(({ key }) => key === state.draft.backend);
  const draft = known ? state.draft : { ...state.draft, backend: first };
  return { ...state, specs, backends, draft, build: state.build ?? specs.build };
}

/**
 * @param {State} state
 * @param {Hello} hello
 * @param {number} at
 * @returns {State}
 */
function greeted(state, hello, at) {
  const named = new Set(hello.jobs.map(({ id }) => id));
  // An unfinished job that the server no longer names has ended while nobody listened.
  const jobs = state.jobs.filter(({ id, state: stands }) => named.has(id) || isEnded(stands));
  const build = state.build ?? hello.build;
  const next = {
    ...state,
    build,
    outdated: build !== hello.build,
    clock: hello.now - at,
    greeted: true,
    stale: state.stale || hello.stale === true,
    backends: { ...state.backends, ...hello.backends },
    total: hello.total,
  };
  const deleted = withReported(next, hello.deleted ?? []);
  const results = hello.results ?? [];
  return withJobs({ ...withResults(again(deleted, results), results), jobs, total: hello.total }, hello.jobs, state);
}

/**
 * @param {State} state
 * @param {Change} change
 * @returns {State}
 */
function withChange(state, change) {
  let next = change.backends ? { ...state, backends: mergedBackends(state.backends, change.backends) } : state;
  if (change.stale) next = { ...next, stale: true };
  if (change.deleted) next = withReported(next, change.deleted);
  if (change.results) next = withResults(again(next, change.results), change.results);
  if (change.jobs) next = withJobs(next, change.jobs, state);
  return change.total === undefined ? next : { ...next, total: change.total };
}

/**
 * Return the state with what has changed of jobs; `before` is what the stage has shown.
 * @param {State} state
 * @param {readonly (Partial<Job> & { id: string })[]} changes
 * @param {State} before
 * @returns {State}
 */
function withJobs(state, changes, before) {
  const jobs = mergedJobs(state.jobs, changes);
  const open = [...state.draft.spent.open, ...newCells(state.draft.spent, jobs, before)];
  const ended = jobs.filter((job) => isEnded(job.state));
  const followed = followedRun(before);
  const stopping = Object.fromEntries(
    Object.entries(state.stopping).filter(([id]) => !ended.some((job) => job.id === id)),
  );
  const pictures = changes.flatMap((change) => change.results ?? []);
  const spent = spentAfter(
    open.length > state.draft.spent.open.length ? { ...state.draft.spent, open } : state.draft.spent,
    ended,
  );
  const last = ended.some(({ id }) => id === followed) ? followed : state.draft.last;
  const draft =
    spent === state.draft.spent && last === state.draft.last ? state.draft : { ...state.draft, spent, last };
  return withResults({ ...state, jobs, stopping, draft }, pictures);
}

/**
 * Return what a tab has spent, with those of its jobs that have ended.
 * @param {Draft['spent']} spent
 * @param {Job[]} ended
 * @returns {Draft['spent']}
 */
function spentAfter(spent, ended) {
  const counted = ended.filter(({ id }) => spent.open.includes(id));
  if (counted.length === 0) return spent;
  const ids = new Set(counted.map(({ id }) => id));
  const dollars = counted.reduce((sum, { cost }) => sum + (cost ?? 0), spent.dollars);
  return { ...spent, dollars: exactDollars(dollars), open: spent.open.filter((id) => !ids.has(id)) };
}

/**
 * Return the jobs of this tab's experiments that are seen for the first time. What had ended before the page was loaded
 * was counted then.
 * @param {Draft['spent']} spent
 * @param {readonly Job[]} jobs
 * @param {State} before
 */
function newCells({ open, experiments }, jobs, before) {
  if (!experiments.length) return [];
  const known = new Set([...open, ...before.jobs.map(({ id }) => id)]);
  const ours = jobs.filter(({ id, cell }) => cell && experiments.includes(cell.experiment) && !known.has(id));
  return ours.filter((job) => before.greeted || !isEnded(job.state)).map(({ id }) => id);
}

/**
 * @param {State} state
 * @param {readonly Result[]} results
 * @returns {State}
 */
function withResults(state, results) {
  const fresh = results.filter(({ id, image }) => image !== null && !state.deleted.has(id));
  if (fresh.length === 0) return state;
  const all = new Map(state.results.map((result) => [result.id, result]));
  for (const result of fresh) all.set(result.id, result);
  return { ...state, results: [...all.values()].sort((one, other) => other.id - one.id) };
}

/**
 * @param {State} state
 * @param {readonly number[]} ids
 * @returns {State}
 */
function withoutResults(state, ids) {
  if (ids.length === 0) return state;
  const deleted = new Set([...state.deleted, ...ids]);
  const { shown } = state.draft;
  const hidden = shown !== null && 'result' in shown && deleted.has(shown.result);
  return {
    ...state,
    deleted,
    results: state.results.filter(({ id }) => !deleted.has(id)),
    draft: hidden ? { ...state.draft, shown: null } : state.draft,
  };
}

/**
 * @param {State} state
 * @param {readonly number[]} ids whose deletion the stream reports
 * @returns {State}
 */
function withReported(state, ids) {
  const next = withoutResults(state, ids);
  return next === state ? state : { ...next, confirmed: new Set([...state.confirmed, ...ids]) };
}

/**
 * Return the state in which results that the stream names may be there again. One whose deletion it has not reported yet
 * was sent before that.
 * @param {State} state
 * @param {readonly Result[]} results
 * @returns {State}
 */
function again(state, results) {
  return undeleted(
    state,
    results.map(({ id }) => id).filter((id) => state.confirmed.has(id)),
  );
}

/**
 * @param {State} state
 * @param {readonly number[]} ids
 * @returns {State}
 */
function undeleted(state, ids) {
  if (ids.length === 0) return state;
  const left = (/** @type {ReadonlySet<number>} */ set) => new Set([...set].filter((id) => !ids.includes(id)));
  return { ...state, deleted: left(state.deleted), confirmed: left(state.confirmed) };
}

/**
 * @param {State} state
 * @param {ResultPage} page
 * @param {string | null} cursor where it began; null for the first
 * @returns {State}
 */
function withPage(state, page, cursor) {
  const ids = new Set(page.results.map(({ id }) => id));
  const newest = page.results[0]?.id ?? 0;
  const oldest = page.next === null ? 0 : (page.results[page.results.length - 1]?.id ?? 0);
  // What lies within the page and is not on it is gone. What is newer has come since it was made.
  const stay =
    cursor === null ? state.results.filter(({ id }) => id > newest || id < oldest || ids.has(id)) : state.results;
  const further = cursor === null && state.paged && stay.some(({ id }) => id < oldest);
  return withResults(
    {
      ...state,
      results: stay,
      next: further ? state.next : page.next,
      paged: true,
      stale: cursor === null ? false : state.stale,
      total: page.total,
    },
    page.results,
  );
}

// ---- what the person does --------------------------------------------------------------------------

/**
 * @param {State} state
 * @param {Partial<Draft>} values
 * @returns {State}
 */
function edited(state, values) {
  const draft = { ...state.draft, ...values };
  let { problems, notices } = state;
  const fields = Object.keys(values);
  for (const field of [...fields, ...changedParams(state.draft, values)])
    problems = without(problems, FIELDS[field] ?? field);
  if (fields.some((field) => field in FORM)) problems = without(problems, '');
  if (draft.reference?.digest !== state.draft.reference?.digest) {
    // The stage shows what Run will make: the last result moves to the strip.
    draft.shown = null;
    draft.last = null;
  }
  if (draft.backend !== state.draft.backend) notices = adjustments(state, draft);
  return { ...state, draft, problems, notices };
}

/** Fields of the form, other than those of the view. */
const FORM = { reference: 1, prompt: 1, style: 1, backend: 1, params: 1, seed: 1, lock: 1, count: 1 };
/** Where the server has another name for a field. @type {{ [field: string]: string }} */
const FIELDS = { style: 'prompt', count: 'num_images' };

/**
 * @param {Draft} draft
 * @param {Partial<Draft>} values
 */
function changedParams(draft, { params }) {
  return params ? Object.keys(params).filter((name) => params[name] !== draft.params[name]) : [];
}

/**
 * Return what another backend changes of the settings.
 * @param {State} state
 * @param {Draft} draft
 * @returns {Message[]}
 */
function adjustments(state, draft) {
  const backend = state.specs?.backends.find(({ key }) => key === draft.backend);
  if (!backend) return [];
  return fitted(backend, draft.params).adjusted.map(({ param, before, after }) =>
    message('param-adjusted', { label: param.label, before: String(before), after: String(after) }),
  );
}

/**
 * Begin a run in the browser, before the server has heard of it.
 * @param {State} state
 * @param {string} key
 * @param {number} at
 * @returns {State}
 */
function begun(state, key, at) {
  const backend = state.specs?.backends.find((each) => each.key === state.draft.backend);
  const { reference } = state.draft;
  const body = backend ? jobBody(formIn(state.draft), backend) : null;
  if (body === null || reference === null) return state;
  /** @type {Pending} */
  const pending = { key, body, reference, at, waiting: null };
  return {
    ...state,
    pending: [...state.pending, pending],
    draft: { ...state.draft, shown: null },
    problems: {},
    notices: [],
  };
}

/**
 * @param {State} state
 * @param {string} key
 * @param {Job} job
 * @returns {State}
 */
function accepted(state, key, job) {
  const { spent } = state.draft;
  const open = spent.open.includes(job.id) ? spent.open : [...spent.open, job.id];
  // Its end may come while the tab is away: then it is what was followed to its end.
  const draft = { ...state.draft, last: job.id, spent: { ...spent, open } };
  return withAnswer({ ...state, draft, ...left(state, key, job.id) }, job, state);
}

/**
 * Return the state with a job as an answer to a request has it. The stream may have overtaken the answer: of a job that
 * is known, only its end is news.
 * @param {State} state
 * @param {Job} job
 * @param {State} before what the stage has shown
 * @returns {State}
 */
function withAnswer(state, job, before) {
  const known = state.jobs.some(({ id }) => id === job.id);
  return withJobs(state, known && !isEnded(job.state) ? [] : [job], before);
}

/**
 * Return what changes when a run leaves the pending ones; what was said of it is now said of its job.
 * @param {State} state
 * @param {string} key
 * @param {string | null} job
 * @returns {Pick<State, 'pending' | 'stopping'>}
 */
function left(state, key, job) {
  const stopping = without(state.stopping, key);
  if (job !== null && state.stopping[key]) stopping[job] = true;
  return { pending: state.pending.filter((each) => each.key !== key), stopping };
}

/**
 * @param {State} state
 * @param {StudioError} error
 * @returns {State}
 */
function withProblem(state, error) {
  return { ...state, problems: { ...state.problems, [error.field ?? '']: error } };
}

/**
 * @param {State} state
 * @param {Reference} reference
 * @returns {State}
 */
function known(state, reference) {
  const others = Object.entries(without(state.references, reference.digest)).slice(1 - REFERENCES);
  return { ...state, references: { ...Object.fromEntries(others), [reference.digest]: reference } };
}

/**
 * @param {State} state
 * @param {Recipe} recipe
 * @returns {Reference | null}
 */
function nameOf(state, { reference }) {
  return reference ? (state.references[reference.digest] ?? null) : null;
}

/**
 * @template T
 * @param {{ [name: string]: T }} record
 * @param {string} name
 * @returns {{ [name: string]: T }}
 */
function without(record, name) {
  if (!(name in record)) return record;
  const { [name]: _, ...others } = record;
  return others;
}

/**
 * Return the run that the stage follows while nothing else is chosen: of this tab's runs with the form's reference the
 * one at work, else the one that waits the longest, else the one that was followed to its end. Without a reference, any
 * tab's: a page that was just opened rejoins what is running.
 * @param {State} state
 * @returns {string | null} a job's id or a pending run's key
 */
export function followedRun(state) {
  const { reference, spent, last } = state.draft;
  const ours = (/** @type {string | undefined} */ digest) => reference === null || digest === reference.digest;
  const mine = state.jobs.filter((job) => ours(job.recipe.reference?.digest));
  const begunHere = (/** @type {Job} */ { id }) => reference === null || id === last || spent.open.includes(id);
  const unfinished = mine.filter((job) => !isEnded(job.state) && begunHere(job));
  const first =
    unfinished.find((job) => job.state === 'running' || job.state === 'submitting') ??
    unfinished.find((job) => job.state === 'queued') ??
    null;
  if (first) return first.id;
  const pending = state.pending.find((each) => ours(each.reference.digest));
  if (pending) return pending.key;
  if (unfinished[0]) return unfinished[0].id;
  const stored =
    mine.some(({ id }) => id === last) ||
    state.results.some((each) => each.job === last && ours(each.recipe.reference?.digest));
  return stored ? last : null;
}
