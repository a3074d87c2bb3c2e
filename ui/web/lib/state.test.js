import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend, DIGEST, hello, job, OTHER, recipe, reference, result, specs } from '../testing/values.js';
import { emptyDraft } from './draft.js';
import { followedRun, initialState, reduce } from './state.js';

/** @import { Draft, Reference } from '../types.js' */
/** @import { Action, State } from './state.js' */

/**
 * @param {Action[]} actions
 * @param {State} [from]
 */
const after = (actions, from = initialState()) => actions.reduce(reduce, from);
/** @type {Action} */
const SPECS = {
  type: 'specs',
  specs: specs([
    backend(),
    backend({ key: 'wavespeed', provider: 'wavespeed', price: { dollars: 0.025, live: true } }),
  ]),
};
/** @type {(values: Partial<Draft>) => Action} */
const edit = (values) => ({ type: 'edit', values });
/** A form that is ready to run. */
const ready = () => after([SPECS, { type: 'reference', reference: reference() }, edit({ prompt: 'a street' })]);
const refusal = (/** @type {string | null} */ field, code = 'prompt-empty') => ({
  code,
  values: {},
  field,
  charged: false,
});
const ids = (/** @type {State} */ { results }) => results.map(({ id }) => id);

test('specs give a backend to a form that has none, or one that is gone', () => {
  assert.equal(after([SPECS]).draft.backend, 'local');
  const gone = initialState({ ...emptyDraft(), backend: 'gone' });
  assert.equal(after([SPECS], gone).draft.backend, 'local');
  const chosen = initialState({ ...emptyDraft(), backend: 'wavespeed' });
  assert.equal(after([SPECS], chosen).draft.backend, 'wavespeed');
});

test('hello says how everything stands, and whether a newer version is running', () => {
  const state = after([
    SPECS,
    { type: 'hello', hello: hello({ now: 1_000_007, jobs: [job()], total: 3 }), at: 1_000_000 },
  ]);
  assert.deepEqual(
    [state.clock, state.total, state.jobs.length, state.greeted, state.outdated],
    [7, 3, 1, true, false],
  );
  const later = after([{ type: 'hello', hello: hello({ build: 'b2' }), at: 1_000_000 }], state);
  assert.equal(later.outdated, true);
  assert.deepEqual(later.jobs, [], 'it ended while nobody listened');
});

test('a change brings only what changed', () => {
  const before = after([SPECS, { type: 'hello', hello: hello({ jobs: [job()] }), at: 1_000_000 }]);
  const state = after(
    [{ type: 'change', change: { jobs: [{ id: 'j1', state: 'running', preview: 2 }], total: 1 } }],
    before,
  );
  assert.deepEqual(
    [state.jobs[0]?.state, state.jobs[0]?.preview, state.jobs[0]?.recipe, state.total],
    ['running', 2, recipe(), 1],
  );
  assert.equal(state.results, before.results);
  assert.equal(
    after([{ type: 'change', change: { backends: { local: { ready: { code: 'x', values: {} } } } } }], before).backends
      .local?.price.live,
    true,
  );
});

test('results are the newest first, once each, and missing images are none of them', () => {
  const missing = result({ id: 9, image: null, missing: { reason: 'nsfw', why: { code: 'x', values: {} } } });
  const done = job({ state: 'done', results: [result({ id: 5 }), missing] });
  const state = after([
    { type: 'page', page: { results: [result({ id: 3 }), result({ id: 1 })], next: '1', total: 9 }, cursor: null },
    { type: 'change', change: { results: [result({ id: 5 })], jobs: [done] } },
    { type: 'page', page: { results: [result({ id: 0 })], next: null, total: 9 }, cursor: '1' },
  ]);
  assert.deepEqual([ids(state), state.next, state.paged], [[5, 3, 1, 0], null, true]);
});

test('a deleted result stays deleted, whatever answer is still on its way', () => {
  const state = after([
    { type: 'page', page: { results: [result({ id: 2 }), result({ id: 1 })], next: null, total: 2 }, cursor: null },
    edit({ shown: { result: 2 } }),
    { type: 'deleted', ids: [2] },
    { type: 'page', page: { results: [result({ id: 2 }), result({ id: 1 })], next: null, total: 2 }, cursor: null },
    { type: 'change', change: { results: [result({ id: 2 })] } },
  ]);
  assert.deepEqual([ids(state), state.draft.shown], [[1], null]);
});

test('a result that is restored is there again once the stream names it, here and in other tabs', () => {
  const page = { results: [result({ id: 2 }), result({ id: 1 })], next: null, total: 2 };
  /** @type {Action} */
  const back = { type: 'change', change: { results: [result({ id: 2 })] } };
  const told = after([
    { type: 'page', page, cursor: null },
    { type: 'change', change: { deleted: [2] } },
  ]);
  assert.deepEqual(ids(told), [1]);
  assert.deepEqual(ids(after([back], told)), [2, 1]);
  const undone = after([
    { type: 'page', page, cursor: null },
    { type: 'deleted', ids: [2] },
    { type: 'restored', ids: [2] },
  ]);
  assert.deepEqual(ids(after([back], undone)), [2, 1]);
});

test('a first page that is fetched again drops what is gone and leaves older pages alone', () => {
  const page = (/** @type {number[]} */ given, /** @type {string | null} */ next) => ({
    results: given.map((id) => result({ id })),
    next,
    total: 9,
  });
  const state = after([
    { type: 'page', page: page([9, 8, 7], '7'), cursor: null },
    { type: 'page', page: page([6, 5], '5'), cursor: '7' },
    { type: 'change', change: { results: [result({ id: 10 })] } },
    { type: 'hello', hello: hello({ stale: true }), at: 1 },
  ]);
  assert.equal(state.stale, true);
  const again = after([{ type: 'page', page: page([9, 7, 6], '6'), cursor: null }], state);
  assert.deepEqual([ids(again), again.next, again.stale], [[10, 9, 7, 6, 5], '5', false]);
  const all = after([{ type: 'page', page: page([9], null), cursor: null }], again);
  assert.deepEqual([ids(all), all.next], [[10, 9], null]);
});

test('errors go with their cause, and with no other', () => {
  const state = after(
    [
      { type: 'problem', error: refusal('prompt') },
      { type: 'problem', error: refusal('guidance_scale') },
      { type: 'problem', error: refusal(null) },
    ],
    ready(),
  );
  assert.deepEqual(Object.keys(state.problems), ['prompt', 'guidance_scale', '']);
  assert.deepEqual(Object.keys(after([edit({ view: 'slider' })], state).problems), ['prompt', 'guidance_scale', '']);
  assert.deepEqual(Object.keys(after([edit({ prompt: 'x' })], state).problems), ['guidance_scale']);
  assert.deepEqual(Object.keys(after([edit({ params: { guidance_scale: 3 } })], state).problems), ['prompt']);
  assert.deepEqual(Object.keys(after([{ type: 'dismiss', field: 'prompt' }], state).problems), ['guidance_scale', '']);
  assert.deepEqual(Object.keys(after([{ type: 'run', key: 'k', at: 1 }], state).problems), []);
});

test('a bad drop throws no good reference away', () => {
  const state = after(
    [
      { type: 'reading', reading: { name: 'x.png', url: null } },
      { type: 'unreadable', error: refusal(null, 'image-is-text') },
    ],
    ready(),
  );
  assert.deepEqual(
    [state.draft.reference?.digest, state.reading, state.problems.reference?.code],
    [DIGEST, null, 'image-is-text'],
  );
  assert.deepEqual(after([{ type: 'reference', reference: reference() }], state).problems, {});
});

test('another backend says what it changes, and the settings come back with the first', () => {
  const other = backend({
    key: 'small',
    params: backend().params.map((param) => (param.name === 'guidance_scale' ? { ...param, maximum: 5 } : param)),
  });
  const from = after([{ type: 'specs', specs: specs([backend(), other]) }, edit({ params: { guidance_scale: 9 } })]);
  const state = after([edit({ backend: 'small' })], from);
  assert.deepEqual(
    state.notices.map(({ code, values: { before, after: to } }) => [code, before, to]),
    [['param-adjusted', '9', '5']],
  );
  const back = after([edit({ backend: 'local' })], state);
  assert.deepEqual([back.draft.params.guidance_scale, back.notices], [9, []]);
});

test('a run begins in the browser and becomes a job', () => {
  const begun = after([{ type: 'run', key: 'k', at: 5 }], ready());
  assert.deepEqual(
    begun.pending.map(({ key, body }) => [key, body.prompt, body.reference]),
    [['k', 'a street', DIGEST]],
  );
  assert.equal(followedRun(begun), 'k');
  const waiting = after([{ type: 'waiting', key: 'k', error: refusal(null, 'connection-lost') }], begun);
  assert.equal(waiting.pending[0]?.waiting?.code, 'connection-lost');
  const taken = after([{ type: 'accepted', key: 'k', job: job() }], waiting);
  assert.deepEqual(
    [taken.pending, taken.jobs.length, taken.draft.spent.open, followedRun(taken)],
    [[], 1, ['j1'], 'j1'],
  );
  const refused = after([{ type: 'refused', key: 'k', error: refusal('prompt') }], waiting);
  assert.deepEqual([refused.pending, refused.problems.prompt?.code], [[], 'prompt-empty']);
  assert.equal(after([{ type: 'run', key: 'k', at: 5 }], after([SPECS])).pending.length, 0);
});

test('an answer that the stream has overtaken takes nothing back', () => {
  const begun = after([{ type: 'run', key: 'k', at: 5 }], ready());
  const running = after([{ type: 'change', change: { jobs: [job({ state: 'running', preview: 3 })] } }], begun);
  const late = after([{ type: 'accepted', key: 'k', job: job({ state: 'queued', preview: 0 }) }], running);
  assert.deepEqual([late.jobs[0]?.state, late.jobs[0]?.preview, followedRun(late)], ['running', 3, 'j1']);
  const asked = after([{ type: 'answer', job: job({ state: 'queued' }) }], late);
  assert.equal(asked.jobs[0]?.state, 'running');
  const ended = after([{ type: 'answer', job: job({ state: 'cancelled' }) }], late);
  assert.equal(ended.jobs[0]?.state, 'cancelled');
});

test('stopping is shown at once, goes over to the job, and ends with it', () => {
  const begun = after(
    [
      { type: 'run', key: 'k', at: 5 },
      { type: 'stop', run: 'k' },
    ],
    ready(),
  );
  assert.deepEqual(begun.stopping, { k: true });
  const taken = after([{ type: 'accepted', key: 'k', job: job() }], begun);
  assert.deepEqual(taken.stopping, { j1: true });
  assert.deepEqual(
    after([{ type: 'change', change: { jobs: [{ id: 'j1', state: 'cancelled' }] } }], taken).stopping,
    {},
  );
  const failed = after([{ type: 'stop-failed', run: 'j1', error: refusal('x', 'connection-lost') }], taken);
  assert.deepEqual([failed.stopping, failed.problems['']?.code], [{}, 'connection-lost']);
});

test('what the runs of this tab cost is added up once, and others’ are not', () => {
  const state = after(
    [
      { type: 'accepted', key: 'k', job: job() },
      { type: 'accepted', key: 'l', job: job({ id: 'j2' }) },
      { type: 'accepted', key: 'k', job: job() },
      {
        type: 'change',
        change: { jobs: [{ id: 'j1', state: 'done', cost: 0.1 }, job({ id: 'other', state: 'done', cost: 9 })] },
      },
      { type: 'change', change: { jobs: [{ id: 'j2', state: 'done', cost: 0.2 }] } },
      { type: 'hello', hello: hello({ jobs: [job({ state: 'done', cost: 0.1 })] }), at: 1 },
    ],
    ready(),
  );
  assert.deepEqual(state.draft.spent, { dollars: 0.3, open: [], experiments: [] });
});

test('the stage follows the run at work, then the next, and stays with the last', () => {
  const start = after(
    [
      { type: 'run', key: 'k1', at: 5 },
      { type: 'accepted', key: 'k1', job: job({ state: 'running' }) },
      { type: 'run', key: 'k2', at: 6 },
      { type: 'accepted', key: 'k2', job: job({ id: 'j2', created: 1_000_001 }) },
    ],
    ready(),
  );
  assert.equal(followedRun(start), 'j1');
  const one = after([{ type: 'change', change: { jobs: [{ id: 'j1', state: 'done' }] } }], start);
  assert.equal(followedRun(one), 'j2');
  const two = after(
    [
      { type: 'change', change: { jobs: [{ id: 'j2', state: 'running' }] } },
      { type: 'change', change: { jobs: [{ id: 'j2', state: 'done' }] } },
    ],
    one,
  );
  assert.deepEqual([followedRun(two), two.draft.last], ['j2', 'j2']);
  const other = after([{ type: 'reference', reference: reference({ digest: OTHER }) }], two);
  assert.deepEqual([followedRun(other), other.draft.last], [null, null]);
});

test('a page that was just opened rejoins what is running, and the result of before', () => {
  const running = after([SPECS, { type: 'hello', hello: hello({ jobs: [job({ state: 'running' })] }), at: 1 }]);
  assert.equal(followedRun(running), 'j1');
  const before = initialState({ ...emptyDraft(), reference: reference(), last: 'j1' });
  assert.equal(followedRun(before), null);
  assert.equal(followedRun(after([{ type: 'result', result: result() }], before)), 'j1');
});

test('another tab’s run with the same reference is not followed', () => {
  const theirs = job({ id: 'theirs', state: 'running' });
  const opened = after([{ type: 'change', change: { jobs: [theirs] } }], ready());
  assert.equal(followedRun(opened), null);
  const both = after(
    [
      { type: 'run', key: 'k', at: 5 },
      { type: 'accepted', key: 'k', job: job({ id: 'ours' }) },
    ],
    opened,
  );
  assert.equal(followedRun(both), 'ours');
});

test('a reference of another form’s run is not followed', () => {
  const elsewhere = job({
    state: 'running',
    recipe: recipe({ reference: { digest: OTHER, mime: 'image/png', width: 1, height: 1, size: 1 } }),
  });
  assert.equal(followedRun(after([{ type: 'change', change: { jobs: [elsewhere] } }], ready())), null);
});

test('a result fills the form, with the name of its reference', () => {
  const state = after(
    [{ type: 'recall', recipe: recipe({ prompt: 'old', seeds: [5], seed: 5 }), part: 'all' }],
    ready(),
  );
  assert.deepEqual(
    [state.draft.prompt, state.draft.seed, state.draft.lock, state.draft.reference?.name],
    ['old', 5, true, 'street.jpg'],
  );
});

test('a pasted key is known by its provider alone', () => {
  const state = after(
    [
      { type: 'problem', error: refusal(null, 'provider-key-missing') },
      { type: 'problem', error: refusal('backend', 'provider-key-missing') },
      { type: 'key', provider: 'wavespeed', known: true },
    ],
    ready(),
  );
  assert.deepEqual([state.keys, state.problems], [{ wavespeed: true }, {}]);
  assert.deepEqual(after([{ type: 'key', provider: 'wavespeed', known: false }], state).keys, {});
});

test('a run that ended while the tab was away is what was followed to its end', () => {
  const begun = after(
    [
      { type: 'run', key: 'k', at: 1 },
      { type: 'accepted', key: 'k', job: job({ state: 'queued' }) },
    ],
    ready(),
  );
  const opened = after([{ type: 'change', change: { results: [result({ job: 'j1' })] } }], initialState(begun.draft));
  assert.equal(followedRun(opened), 'j1');
});

test('what was not confirmed before a reload is on its way again', () => {
  const begun = after([{ type: 'run', key: 'k', at: 5 }], ready());
  const again = after([{ type: 'resume', pending: begun.pending }], ready());
  assert.deepEqual([again.pending, followedRun(again)], [begun.pending, 'k']);
});

test('names of references are remembered, not without end', () => {
  /** @type {Reference[]} */
  const many = Array.from({ length: 300 }, (_, index) => reference({ digest: String(index).padStart(64, '0') }));
  const state = after(many.map((each) => ({ type: 'known', reference: each })));
  assert.equal(Object.keys(state.references).length, 200);
  assert.ok(state.references[many[299]?.digest ?? '']);
});

test('a change that is too large to report asks for the first page of results', () => {
  const state = after([
    { type: 'hello', hello: hello(), at: 0 },
    { type: 'change', change: { stale: true, total: 900 } },
  ]);
  assert.deepEqual([state.stale, state.total], [true, 900]);
});

test('what cells of an experiment of this tab cost is counted once, as of a run', () => {
  const cell = { experiment: 'e1', place: 0 };
  let state = after([
    { type: 'hello', hello: hello(), at: 1_000_000 },
    { type: 'experiment', id: 'e1' },
  ]);
  const running = job({ id: 'c1', state: 'running', cell });
  state = reduce(state, { type: 'change', change: { jobs: [running] } });
  state = reduce(state, { type: 'change', change: { jobs: [{ id: 'c1', state: 'done', cost: 0.25 }] } });
  state = reduce(state, { type: 'change', change: { jobs: [{ id: 'c1', preview: 1 }] } });
  state = reduce(state, { type: 'change', change: { jobs: [job({ id: 'c2', state: 'done', cost: 0.5, cell })] } });
  const other = job({ id: 'c3', state: 'done', cost: 9, cell: { experiment: 'e2', place: 0 } });
  state = reduce(state, { type: 'change', change: { jobs: [other] } });
  assert.deepEqual([state.draft.spent.dollars, state.draft.spent.open], [0.75, []]);
});
