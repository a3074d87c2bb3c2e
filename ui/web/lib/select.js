// What views draw, derived from the state: the stage, the strip, progress, the line above Run. All pure.

import {
  dayOf,
  downloadName,
  elapsedTime,
  exactDollars,
  expectedSeconds,
  isLate,
  roughly,
  size,
  stepsRun,
  workingSize,
} from './format.js';
import { isEnded } from './live.js';
import { message } from './message.js';
import { fitted, formIn, formKeys, imageCount, imageSeed, pictureKey } from './recipe.js';
import { followedRun } from './state.js';

/** @import { Backend, ImageRef, Job, Message, Reference, Result, StyleUse } from '../types.js' */
/** @import { Pending, Reading, State } from './state.js' */

/** The refusal of a backend that a pasted key overcomes. */
const KEY_MISSING = 'provider-key-missing';
/** A guess by time never says that a run is done. */
const ALMOST = 0.95;
/** Messages for what a provider says of a task, or the app of its result. @type {{ [status: string]: string }} */
const WORKING = {
  sent: 'working-sent',
  created: 'working-created',
  processing: 'working-processing',
  'disk full': 'working-disk-full',
};
/** What a screen reader says at each quarter of a run. */
const QUARTERS = ['spoken-running', 'spoken-quarter', 'spoken-half', 'spoken-three-quarters', 'spoken-finishing'];

/**
 * A run of the page: pending until the server has confirmed it, a job from then on.
 * @typedef {object} Run
 * @property {string} id the job's, or the pending run's key
 * @property {Job | null} job
 * @property {Pending | null} pending
 */

/**
 * A place on the stage.
 * @typedef {{ kind: 'next', draft?: string }
 *   | { kind: 'making', place: number, preview: number }
 *   | { kind: 'missing', place: number, why: Message | null, withheld: boolean }
 *   | { kind: 'result', place: number, result: Result }} Cell
 */

/**
 * What the stage shows.
 * @typedef {object} Stage
 * @property {'empty' | 'reading' | 'reference' | 'sending' | Job['state']} state 'reference' where Run comes next
 * @property {ImageRef | Reference | null} reference
 * @property {Reading | null} reading
 * @property {Run | null} run
 * @property {Cell[]} cells beside the reference
 * @property {number} chosen which of the cells is meant by the actions
 */

// ---- backends --------------------------------------------------------------------------------------

/**
 * Return the form's backend as it is now; null while nothing is known.
 * @param {State} state
 * @returns {Backend | null}
 */
export function backendOf(state) {
  return backendNamed(state, state.draft.backend) ?? null;
}

/**
 * @param {State} state
 * @param {string} key
 * @returns {Backend | undefined}
 */
export function backendNamed(state, key) {
  const backend = state.specs?.backends.find((each) => each.key === key);
  return backend && { ...backend, ...state.backends[key] };
}

/**
 * Return the values of the form's settings, as its backend takes them.
 * @param {State} state
 */
export function values(state) {
  const backend = backendOf(state);
  return backend ? fitted(backend, state.draft.params).values : {};
}

// ---- the stage -------------------------------------------------------------------------------------

/**
 * Return a run by its id.
 * @param {State} state
 * @param {string} id
 * @returns {Run | null}
 */
export function runNamed(state, id) {
  const job = state.jobs.find((each) => each.id === id) ?? null;
  const pending = state.pending.find(({ key }) => key === id) ?? null;
  return job || pending ? { id, job, pending: job ? null : pending } : null;
}

/**
 * Return what the stage shows: what the form is about to make or is making, unless something else was chosen.
 * @param {State} state
 * @returns {Stage}
 */
export function stage(state) {
  const { reading } = state;
  const { reference, shown } = state.draft;
  const nothing = { run: null, cells: [], chosen: 0 };
  if (reading) return { ...nothing, state: 'reading', reference: null, reading, cells: [{ kind: 'next' }] };
  if (state.live?.src && reference && !activeRun(state))
    return { ...nothing, state: 'reference', reference, reading, cells: [{ kind: 'next', draft: state.live.src }] };
  const chosen = shown && 'result' in shown ? state.results.find(({ id }) => id === shown.result) : undefined;
  if (chosen) return ofResult(state, chosen);
  const id = shown && 'job' in shown && known(state, shown.job) ? shown.job : followedRun(state);
  if (id !== null) return ofRun(state, id);
  if (reference) return { ...nothing, state: 'reference', reference, reading, cells: [{ kind: 'next' }] };
  const latest = state.results[0];
  return latest ? ofResult(state, latest) : { ...nothing, state: 'empty', reference: null, reading };
}

/**
 * @param {State} state
 * @param {string} id
 */
function known(state, id) {
  return runNamed(state, id) !== null || state.results.some(({ job }) => job === id);
}

/**
 * @param {State} state
 * @param {Result} result
 * @returns {Stage}
 */
function ofResult(state, result) {
  const whole = ofRun(state, result.job);
  const chosen = whole.cells.findIndex((cell) => cell.kind === 'result' && cell.result.id === result.id);
  return { ...whole, chosen: Math.max(0, chosen) };
}

/**
 * @param {State} state
 * @param {string} id
 * @returns {Stage}
 */
function ofRun(state, id) {
  const run = runNamed(state, id);
  const stored = resultsOf(state, id);
  const cells = run ? cellsOf(run, stored) : stored.map((result) => resultCell(result));
  const recipe = run?.job?.recipe ?? stored[0]?.recipe;
  const reference = run?.pending?.reference ?? recipe?.reference ?? null;
  return {
    state: run ? (run.job?.state ?? 'sending') : 'done',
    reference: (reference && state.references[reference.digest]) ?? reference,
    reading: null,
    run,
    cells,
    chosen: Math.max(
      0,
      cells.findIndex(({ kind }) => kind === 'result'),
    ),
  };
}

/**
 * Return the pictures of a job, in their places.
 * @param {State} state
 * @param {string} job
 */
export function resultsOf(state, job) {
  return state.results.filter((each) => each.job === job).sort((one, other) => one.place - other.place);
}

/**
 * @param {Run} run
 * @param {Result[]} stored
 * @returns {Cell[]}
 */
function cellsOf({ job, pending }, stored) {
  const count = job ? job.recipe.seeds.length : (pending?.body.num_images ?? 1);
  const ended = job !== null && isEnded(job.state);
  return Array.from({ length: count }, (_, place) => {
    const result = stored.find((each) => each.place === place) ?? job?.results.find((each) => each.place === place);
    if (result) return resultCell(result);
    if (!ended) return { kind: 'making', place, preview: job?.preview ?? 0 };
    return { kind: 'missing', place, why: job.error, withheld: false };
  });
}

/**
 * @param {Result} result
 * @returns {Cell}
 */
function resultCell(result) {
  const { place, image, missing } = result;
  if (image) return { kind: 'result', place, result };
  return { kind: 'missing', place, why: missing?.why ?? null, withheld: missing?.reason === 'nsfw' };
}

/**
 * Return the result that the actions of the stage are about.
 * @param {Stage} stage
 * @returns {Result | null}
 */
export function chosenResult({ cells, chosen }) {
  const cell = cells[chosen];
  return cell?.kind === 'result' ? cell.result : null;
}

/**
 * Return a result that is to be shown and has to be fetched first.
 * @param {State} state
 * @returns {number | null}
 */
export function wantedResult({ draft: { shown }, results, deleted }) {
  if (!shown || !('result' in shown) || deleted.has(shown.result)) return null;
  return results.some(({ id }) => id === shown.result) ? null : shown.result;
}

/**
 * Return the results that a picture was made from, the oldest first.
 * @param {State} state
 * @param {string | null} parent digest of the last of them
 * @returns {Result[]}
 */
export function ancestors(state, parent) {
  const by = new Map(state.results.map((result) => [result.image?.digest, result]));
  /** @type {Result[]} */
  const line = [];
  for (let result = parent === null ? undefined : by.get(parent); result && !line.includes(result); ) {
    line.unshift(result);
    result = result.recipe.parent === null ? undefined : by.get(result.recipe.parent);
  }
  return line;
}

// ---- the strip -------------------------------------------------------------------------------------

/**
 * A cell of the strip.
 * @typedef {{ kind: 'run', id: string, run: Run, stopping: boolean }
 *   | { kind: 'ended', id: string, run: Run }
 *   | { kind: 'result', id: string, result: Result }} StripCell
 */

/**
 * @typedef {object} Strip
 * @property {StripCell[]} running the newest first
 * @property {{ key: string, label: 'today' | 'yesterday' | null, date: Date, cells: StripCell[] }[]} days
 */

/**
 * Return the strip: what is running, then all pictures by day, and runs without one where they ended.
 * @param {State} state
 * @param {Date} now
 * @returns {Strip}
 */
export function strip(state, now) {
  /** @type {(run: Run) => StripCell} */
  const running = (run) => ({ kind: 'run', id: run.id, run, stopping: run.id in state.stopping });
  const unfinished = state.jobs.filter((job) => !isEnded(job.state));
  const pictured = new Set(state.results.map(({ job }) => job));
  const bare = state.jobs.filter((job) => isEnded(job.state) && job.state !== 'done' && !pictured.has(job.id));

  /** @type {{ created: number, cell: StripCell }[]} */
  const past = [
    ...state.results.map((result) => ({
      created: result.created,
      cell: { kind: /** @type {const} */ ('result'), id: String(result.id), result },
    })),
    ...bare.map((job) => ({
      created: job.created,
      cell: { kind: /** @type {const} */ ('ended'), id: job.id, run: { id: job.id, job, pending: null } },
    })),
  ];
  if (bare.length) past.sort((one, other) => other.created - one.created);

  /** @type {Strip['days']} */
  const days = [];
  for (const { created, cell } of past) {
    const day = dayOf(created, now);
    const last = days[days.length - 1];
    if (last?.key === day.key) last.cells.push(cell);
    else days.push({ ...day, cells: [cell] });
  }
  return {
    running: [
      ...state.pending.map((pending) => running({ id: pending.key, job: null, pending })).reverse(),
      ...unfinished.map((job) => running({ id: job.id, job, pending: null })).reverse(),
    ],
    days,
  };
}

/**
 * Return all pictures that the strip has, in its order: what the full view walks through.
 * @param {State} state
 * @param {number} from a result's id
 * @param {number} by 1 for the next older, -1 for the next newer
 * @returns {Result | null}
 */
export function neighbour({ results }, from, by) {
  const place = results.findIndex(({ id }) => id === from);
  return place < 0 ? null : (results[place + by] ?? null);
}

// ---- progress --------------------------------------------------------------------------------------

/**
 * How far a run is.
 * @typedef {object} Progress
 * @property {'sending' | 'stopping' | 'queued' | 'loading' | 'running' | 'finishing' | 'detached' | 'needs_key'} phase
 * @property {number | null} fraction from 0 to 1; null where nobody knows
 * @property {boolean} guessed whether the fraction is one of time
 * @property {number | null} step
 * @property {number | null} total
 * @property {number} elapsed seconds
 * @property {boolean} late
 * @property {Message} words
 * @property {Message | null} time how long it has taken; null before it has begun
 */

/**
 * Return how far a run is; null where it has ended.
 * @param {State} state
 * @param {Run} run
 * @param {number} now seconds since 1970, by this browser
 * @returns {Progress | null}
 */
export function progress(state, { id, job, pending }, now) {
  const none = { fraction: null, guessed: false, step: null, total: null, elapsed: 0, late: false, time: null };
  const stopping = id in state.stopping;
  if (!job) {
    const words = stopping ? message('progress-stopping') : (pending?.waiting ?? message('progress-sending'));
    return { ...none, phase: stopping ? 'stopping' : 'sending', words };
  }
  if (isEnded(job.state)) return null;
  const { event, expected, started } = job;
  const elapsed = started === null ? 0 : Math.max(0, now + state.clock - started);
  const base = {
    ...none,
    elapsed,
    late: isLate(elapsed, expected),
    time: started === null ? null : elapsedTime(elapsed, expected),
  };
  const { fraction, guessed, step, total } = done(job, elapsed);
  const share = { ...base, fraction, guessed, step, total };
  if (stopping) return { ...share, phase: 'stopping', words: message('progress-stopping') };
  if (job.state === 'needs_key') return { ...share, phase: 'needs_key', words: message('progress-needs-key') };
  if (job.state === 'detached') return { ...share, phase: 'detached', words: message('run-wait-ended') };
  if (event === null) {
    return job.state === 'queued'
      ? { ...base, phase: 'queued', words: message('spoken-queued') }
      : { ...share, phase: 'running', words: message('spoken-running') };
  }
  switch (event.kind) {
    case 'queued': {
      const { position } = event;
      const words = position <= 1 ? message('queue-next') : message('queue-position', { number: position });
      return { ...base, phase: 'queued', words };
    }
    case 'loading': {
      const words = message('progress-loading', { stage: event.stage, done: event.done, total: event.total });
      return { ...share, phase: 'loading', words };
    }
    case 'progress':
      return event.step >= event.total
        ? { ...share, phase: 'finishing', words: message('progress-finishing') }
        : { ...share, phase: 'running', words: stepWords(event, elapsed, expected) };
    case 'working':
      return { ...share, phase: 'running', words: workingWords(event, backendNamed(state, job.backend)) };
    case 'done':
      return { ...share, phase: 'finishing', words: message('progress-finishing') };
  }
}

/**
 * @param {Job} job
 * @param {number} elapsed
 * @returns {Pick<Progress, 'fraction' | 'guessed' | 'step' | 'total'>}
 */
function done({ event, expected }, elapsed) {
  if (event?.kind === 'progress' || event?.kind === 'loading') {
    const step = event.kind === 'progress' ? event.step : event.done;
    const fraction = event.total > 0 ? Math.min(1, step / event.total) : null;
    return { fraction, guessed: false, step, total: event.total };
  }
  const guess = expected && elapsed ? Math.min(ALMOST, elapsed / expected) : null;
  if (event?.kind === 'done') return { fraction: 1, guessed: false, step: null, total: null };
  return { fraction: guess, guessed: guess !== null, step: null, total: null };
}

/**
 * @param {{ step: number, total: number }} event
 * @param {number} elapsed
 * @param {number | null} expected
 */
function stepWords({ step, total }, elapsed, expected) {
  // Two steps say more about the rest than any forecast; before them the forecast is all there is.
  const left = step >= 2 ? (elapsed / step) * (total - step) : expected === null ? null : expected - elapsed;
  if (left === null || left <= 0) return message('progress-step', { step, total });
  return message('progress-step-left', { step, total, left: roughly(left) });
}

/**
 * @param {{ status: string, done: number, total: number }} event
 * @param {Backend | undefined} backend
 * @returns {Message}
 */
function workingWords({ status, done, total }, backend) {
  const code = WORKING[status];
  const where = backend?.label ?? message('working-somewhere');
  // Not every message of a status names the backend.
  const words = code === undefined ? message('recorded', { what: status }) : message(code, { backend: where });
  return total > 1 ? message('working-several', { status: words, done, total }) : words;
}

/**
 * Return what a screen reader says of a run's progress: it changes a few times in a run.
 * @param {Progress} progress
 * @returns {Message}
 */
export function spoken({ phase, fraction, guessed, words }) {
  if (phase === 'queued' || phase === 'loading') return message(`spoken-${phase}`);
  if (phase === 'finishing') return message('spoken-finishing');
  if (phase !== 'running') return words;
  const quarter = guessed || fraction === null ? 0 : Math.floor(fraction * 4);
  return message(QUARTERS[quarter] ?? 'spoken-running');
}

/**
 * Return the run that the tab's title is about: the one at work, else the one that waits the longest.
 * @param {State} state
 * @returns {Run | null}
 */
export function activeRun(state) {
  const unfinished = state.jobs.filter((job) => !isEnded(job.state));
  const job = unfinished.find(({ state }) => state === 'running' || state === 'submitting') ?? unfinished[0];
  const pending = state.pending[0];
  if (job) return { id: job.id, job, pending: null };
  return pending ? { id: pending.key, job: null, pending } : null;
}

/**
 * Return the run that Cancel stops: the one on the stage, else the one at work, else the one that waits the longest. One
 * whose wait has ended at its provider is past stopping.
 * @param {State} state
 * @returns {Run | null}
 */
export function stoppableRun(state) {
  const jobs = state.jobs.filter((job) => !isEnded(job.state) && job.state !== 'detached');
  const shown = stage(state).run;
  const there = shown && (shown.pending !== null || jobs.some(({ id }) => id === shown.id));
  return there ? shown : activeRun({ ...state, jobs });
}

/**
 * Return the tab's title: "(7/12) SRPO Studio".
 * @param {State} state
 * @param {number} now seconds since 1970, by this browser
 * @returns {Message}
 */
export function title(state, now) {
  const run = activeRun(state);
  const how = run && progress(state, run, now);
  if (!how) return message('ui-title');
  const { phase, step, total, fraction } = how;
  if (phase === 'running' && step !== null && total !== null) return message('title-step', { step, total });
  if (phase === 'running' && fraction !== null)
    return message('title-percent', { percent: Math.round(fraction * 100) });
  return message('title-running');
}

// ---- the line above Run ----------------------------------------------------------------------------

/**
 * What Run would do.
 * @typedef {object} Forecast
 * @property {Message | null} blocked why it would do nothing
 * @property {string | null} field of the form that has to change first
 * @property {{ run: number, total: number } | null} steps
 * @property {number | null} seconds
 * @property {number} images
 * @property {number} dollars of all images
 * @property {boolean} live whether the provider has confirmed the price
 * @property {{ output: Message, working: Message | null } | null} size
 * @property {Result | null} repeats an earlier result with the same settings and seed
 * @property {Spent} spent
 */

/**
 * What was spent, and what may be, in US dollars; null for no limit.
 * @typedef {{ dollars: number, budget: number | null, today: number, dayBudget: number | null }} Spent
 */

/** @param {State} state @returns {Spent} of this tab, and of the day in all */
function spentIn({ draft, today }) {
  const { dollars } = draft.spent;
  return { dollars, budget: draft.budget, today: today?.dollars ?? 0, dayBudget: draft.dayBudget };
}

/**
 * Return whether anything here costs money.
 * @param {State} state
 */
export function costs(state) {
  return (state.specs?.backends ?? []).some(({ price }) => price.dollars > 0);
}

/**
 * Return what the day's runs have cost at each backend that costs anything.
 * @param {State} state
 * @returns {{ backend: Message | string, dollars: number }[]} backends by their names
 */
export function spentAt(state) {
  return (state.today?.backends ?? []).map(({ backend, dollars }) => ({
    backend: state.specs?.backends.find(({ key }) => key === backend)?.label ?? backend,
    dollars,
  }));
}

/**
 * Return which of the budgets does not reach for what costs so much more, null where both do.
 * @param {State} state
 * @param {number} dollars
 * @returns {{ blocked: Message, field: string } | null}
 */
export function overBudget(state, dollars) {
  const spent = spentIn(state);
  if (spent.budget !== null && spent.dollars + dollars > spent.budget)
    return { blocked: message('session-budget-reached', { dollars: spent.budget }), field: 'budget' };
  if (spent.dayBudget !== null && spent.today + dollars > spent.dayBudget)
    return { blocked: message('day-budget-reached', { dollars: spent.dayBudget }), field: 'dayBudget' };
  return null;
}

/**
 * Return what Run would do, and what keeps it from doing so.
 * @param {State} state
 * @returns {Forecast}
 */
export function forecast(state) {
  const { draft, specs } = state;
  const spent = spentIn(state);
  const backend = backendOf(state);
  /** @type {Forecast} */
  const nothing = {
    blocked: message('page-loading'),
    field: null,
    steps: null,
    seconds: null,
    images: 1,
    dollars: 0,
    live: true,
    size: null,
    repeats: null,
    spent,
  };
  if (!backend || !specs) return nothing;
  const { values: set } = fitted(backend, draft.params);
  const images = imageCount(draft, backend);
  const dollars = exactDollars(backend.price.dollars * images);
  const steps = stepsOf(set);
  /** @type {Forecast} */
  const priced = {
    ...nothing,
    blocked: null,
    steps,
    images,
    dollars,
    live: backend.price.live,
    repeats: repeated(state, backend),
  };
  /** @type {(blocked: Message, field?: string | null) => Forecast} */
  const stopped = (blocked, field = null) => ({ ...priced, blocked, field });

  if (state.reading) return stopped(message(state.owed ? 'run-when-read' : 'reading-picture'), 'reference');
  if (!draft.reference) return stopped(message('ui-no-reference'), 'reference');
  const working = workingSize(draft.reference, backend);
  priced.size = {
    output: size(draft.reference),
    working: working.width === draft.reference.width ? null : size(working),
  };
  const level = typeof set.acceleration === 'string' ? set.acceleration : '';
  if (steps) priced.seconds = expectedSeconds(backend.pace, { level, ...working, images, steps: steps.run });

  const length = [...composed(draft.prompt, draft.style)].length;
  if (length === 0) return stopped(message('prompt-empty'), 'prompt');
  if (length > specs.limits.prompt)
    return stopped(message('prompt-too-long', { length, limit: specs.limits.prompt }), 'prompt');
  if (steps?.run === 0) return stopped(message('ui-no-work'), 'strength');
  const waived = backend.ready?.code === KEY_MISSING && backend.provider !== null && backend.provider in state.keys;
  if (backend.ready && !waived) return stopped(backend.ready, 'backend');
  return { ...priced, ...overBudget(state, dollars) };
}

/**
 * @param {{ [name: string]: unknown }} set
 * @returns {Forecast['steps']}
 */
function stepsOf({ num_inference_steps: total, strength }) {
  if (typeof total !== 'number' || typeof strength !== 'number') return null;
  return { run: stepsRun(total, strength), total };
}

/**
 * Return the prompt that is sent, as `core/recipe.py` puts it together.
 * @param {string} prompt
 * @param {StyleUse[]} style
 */
export function composed(prompt, style) {
  const used = style.filter(({ weight }) => weight > 0).sort((one, other) => other.weight - one.weight);
  return [prompt, ...used.map(({ text }) => text)]
    .map((text) => text.trim())
    .filter(Boolean)
    .join(', ');
}

/**
 * Return an earlier result that the form would make again, the newest.
 * @param {State} state
 * @param {Backend} backend
 * @returns {Result | null}
 */
function repeated(state, backend) {
  const keys = new Set(formKeys(formIn(state.draft), backend));
  if (keys.size === 0) return null;
  const { seed } = state.draft;
  const near = state.results.filter(
    ({ recipe }) =>
      recipe.backend === backend.key &&
      recipe.prompt.trim() === state.draft.prompt.trim() &&
      recipe.reference?.digest === state.draft.reference?.digest &&
      (recipe.model.id === 'unknown' || recipe.model.id === backend.model) &&
      seed !== null,
  );
  return near.find(({ recipe }) => keys.has(pictureKey(recipe, backend.seed_per_image))) ?? null;
}

// ---- names -----------------------------------------------------------------------------------------

/**
 * Return the name of a result's download.
 * @param {State} state
 * @param {Result} result
 */
export function downloadNameOf(state, { recipe, image }) {
  const strength = recipe.params.strength;
  return downloadName({
    reference: (recipe.reference && state.references[recipe.reference.digest]?.name) ?? null,
    styles: recipe.style.map(({ id }) => id),
    strength: typeof strength === 'number' ? strength : null,
    seed: imageSeed(recipe),
    mime: image?.mime ?? 'image/png',
  });
}

/**
 * Return whether drafts can follow the dials: there is something to make one of, on a backend of the app's own.
 * @param {State} state
 */
export function canDraft(state) {
  const backend = backendOf(state);
  return backend !== null && backend.provider === null && !backend.price.dollars && state.draft.reference !== null;
}
