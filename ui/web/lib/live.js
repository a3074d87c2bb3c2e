// How everything stands, merged from what the stream of events says: arrays replace, objects merge by id.

/** @import { Change, Hello, Job, JobState, Status } from '../types.js' */

/** @type {ReadonlySet<JobState>} */
const ENDED = new Set(['done', 'failed', 'cancelled', 'unknown', 'interrupted']);
/** How many ended jobs are remembered. */
const REMEMBERED = 50;

/**
 * Return whether nothing follows a state.
 * @param {JobState} state
 */
export function isEnded(state) {
  return ENDED.has(state);
}

/**
 * Return jobs with what has changed of some. A job that was not known is taken only if it came whole.
 * @param {readonly Job[]} jobs
 * @param {readonly (Partial<Job> & { id: string })[]} changes
 * @returns {Job[]} the oldest first
 */
export function mergedJobs(jobs, changes) {
  const all = new Map(jobs.map((job) => [job.id, job]));
  for (const change of changes) {
    const known = all.get(change.id);
    // Ended is ended: an answer that was overtaken on its way brings no job back to life.
    if (known && isEnded(known.state) && change.state !== undefined && !isEnded(change.state)) continue;
    if (known) all.set(change.id, { ...known, ...change });
    else if (change.state !== undefined && change.recipe !== undefined) all.set(change.id, /** @type {Job} */ (change));
  }
  return newest([...all.values()].sort((one, other) => one.created - other.created));
}

/**
 * @param {Job[]} jobs
 * @returns {Job[]}
 */
function newest(jobs) {
  const ended = jobs.filter(({ state }) => isEnded(state));
  const forgotten = new Set(ended.slice(0, Math.max(0, ended.length - REMEMBERED)));
  return forgotten.size ? jobs.filter((job) => !forgotten.has(job)) : jobs;
}

/**
 * Return backends' states with what has changed of some.
 * @param {{ [key: string]: Status }} backends
 * @param {{ [key: string]: Partial<Status> }} changes
 * @returns {{ [key: string]: Status }}
 */
export function mergedBackends(backends, changes) {
  const all = { ...backends };
  for (const [key, change] of Object.entries(changes)) {
    const known = all[key];
    if (known) all[key] = { ...known, ...change };
    else if (change.price && change.words) all[key] = /** @type {Status} */ (change);
  }
  return all;
}

/**
 * Return how everything stands after a change. Results are not part of it: each tab fetches its own page of them.
 * @param {Hello} hello
 * @param {Change} change
 * @returns {Hello}
 */
export function changed(hello, change) {
  return {
    ...hello,
    backends: change.backends ? mergedBackends(hello.backends, change.backends) : hello.backends,
    jobs: change.jobs ? mergedJobs(hello.jobs, change.jobs) : hello.jobs,
    total: change.total ?? hello.total,
    revision: change.revision ?? hello.revision,
  };
}
