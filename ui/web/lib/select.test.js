import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { backend, DIGEST, hello, job, OTHER, recipe, reference, result, STYLES, specs } from '../testing/values.js';
import { createWords } from './i18n.js';
import {
  ancestors,
  chosenResult,
  composed,
  costs,
  downloadNameOf,
  forecast,
  neighbour,
  progress,
  runNamed,
  spentAt,
  spoken,
  stage,
  stoppableRun,
  strip,
  title,
  values,
  wantedResult,
} from './select.js';
import { initialState, reduce } from './state.js';

/** @import { Job, Result } from '../types.js' */
/** @import { Action, State } from './state.js' */

const words = createWords(
  [{ language: 'en', text: readFileSync(new URL('../../locales/en.ftl', import.meta.url), 'utf8') }],
  assert.fail,
);
const NOW = 1_000_010;

/**
 * @param {Action[]} actions
 * @param {State} [from]
 */
const after = (actions, from = initialState()) => actions.reduce(reduce, from);
const hosted = () =>
  backend({ key: 'wavespeed', provider: 'wavespeed', price: { dollars: 0.025, live: true }, seed_per_image: false });
const ready = () =>
  after([
    { type: 'specs', specs: specs([backend(), hosted()]) },
    { type: 'hello', hello: hello(), at: 1_000_000 },
    { type: 'reference', reference: reference() },
    { type: 'edit', values: { prompt: 'a street', seed: 42 } },
  ]);
/** Begin the job `j1` here, with what the form says. @type {(state: State, job: Job) => State} */
const begin = (state, mine) =>
  after(
    [
      { type: 'run', key: 'k', at: NOW },
      { type: 'accepted', key: 'k', job: mine },
    ],
    state,
  );
/** @type {(changes: (Partial<Job> & { id: string })[], results?: Result[]) => Action} */
const change = (jobs, results = []) => ({ type: 'change', change: { jobs, results } });
const digestOf = (/** @type {State} */ state) => stage(state).reference?.digest;
const kinds = (/** @type {State} */ state) => stage(state).cells.map(({ kind }) => kind);

test('the stage shows what Run will make', () => {
  assert.equal(stage(initialState()).state, 'empty');
  assert.deepEqual([stage(ready()).state, digestOf(ready()), kinds(ready())], ['reference', DIGEST, ['next']]);
  const reading = after([{ type: 'reading', reading: { name: 'x', url: 'blob:x' } }], ready());
  assert.deepEqual([stage(reading).state, stage(reading).reading?.url], ['reading', 'blob:x']);
});

test('a run takes the place of what comes next, its pictures take the place of its previews', () => {
  const sent = after(
    [
      { type: 'edit', values: { count: 2 } },
      { type: 'run', key: 'k', at: NOW },
    ],
    ready(),
  );
  assert.deepEqual([stage(sent).state, kinds(sent)], ['sending', ['making', 'making']]);
  const two = recipe({ seeds: [42, 43] });
  const running = after(
    [{ type: 'accepted', key: 'k', job: job({ state: 'running', preview: 3, recipe: two }) }],
    sent,
  );
  assert.deepEqual(stage(running).cells, [
    { kind: 'making', place: 0, preview: 3 },
    { kind: 'making', place: 1, preview: 3 },
  ]);
  const withheld = result({
    id: 8,
    place: 0,
    image: null,
    missing: { reason: 'nsfw', why: { code: 'w', values: {} } },
  });
  const made = after(
    [change([{ id: 'j1', state: 'done', results: [withheld, result({ id: 9, place: 1 })] }])],
    running,
  );
  assert.deepEqual([stage(made).state, kinds(made), stage(made).chosen], ['done', ['missing', 'result'], 1]);
  assert.equal(chosenResult(stage(made))?.id, 9);
  const next = after([{ type: 'reference', reference: reference({ digest: OTHER }) }], made);
  assert.deepEqual([stage(next).state, digestOf(next)], ['reference', OTHER]);
});

test('a run that failed says why in its place', () => {
  const error = { code: 'e', values: {}, field: null, charged: false };
  const state = after([change([{ id: 'j1', state: 'failed', error }])], begin(ready(), job({ state: 'running' })));
  assert.deepEqual(
    [stage(state).state, stage(state).cells],
    ['failed', [{ kind: 'missing', place: 0, why: error, withheld: false }]],
  );
});

test('an older picture stays on the stage while a run goes on and ends', () => {
  const old = result({
    id: 3,
    job: 'old',
    recipe: recipe({ reference: { digest: OTHER, mime: 'image/png', width: 5, height: 4, size: 1 } }),
  });
  const state = after(
    [
      { type: 'result', result: old },
      { type: 'edit', values: { shown: { result: 3 } } },
    ],
    begin(ready(), job({ state: 'running' })),
  );
  assert.deepEqual([stage(state).state, digestOf(state), chosenResult(stage(state))?.id], ['done', OTHER, 3]);
  const ended = after([change([{ id: 'j1', state: 'done', results: [result({ id: 9 })] }])], state);
  assert.equal(chosenResult(stage(ended))?.id, 3);
  assert.equal(chosenResult(stage(after([{ type: 'edit', values: { shown: null } }], ended)))?.id, 9);
});

test('a batch is shown whole, with the chosen picture', () => {
  const batch = [2, 1, 0].map((place) => result({ id: 10 + place, job: 'b', place }));
  const state = after(
    [
      { type: 'page', page: { results: batch, next: null, total: 3 }, cursor: null },
      { type: 'edit', values: { shown: { result: 11 } } },
    ],
    ready(),
  );
  assert.deepEqual([kinds(state), stage(state).chosen], [['result', 'result', 'result'], 1]);
});

test('a returning visitor without a draft is greeted with the last picture', () => {
  assert.equal(chosenResult(stage(after([{ type: 'result', result: result() }])))?.id, 1);
});

test('a result that an address names is fetched, unless it is gone', () => {
  const state = after([{ type: 'edit', values: { shown: { result: 5 } } }], ready());
  assert.equal(wantedResult(state), 5);
  assert.equal(wantedResult(after([{ type: 'result', result: result({ id: 5 }) }], state)), null);
  assert.equal(wantedResult(after([{ type: 'deleted', ids: [5] }], state)), null);
  assert.equal(stage(state).state, 'reference');
});

test('the strip begins with what is running; days follow, with the runs that made nothing', () => {
  const day = 86_400;
  const now = new Date(2026, 2, 2, 12);
  const at = (/** @type {number} */ days) => now.getTime() / 1000 - days * day;
  const state = after(
    [
      {
        type: 'page',
        page: {
          results: [
            result({ id: 9, created: at(0), job: 'a' }),
            result({ id: 8, created: at(1), job: 'a' }),
            result({ id: 7, created: at(5), job: 'b' }),
          ],
          next: null,
          total: 3,
        },
        cursor: null,
      },
      change([
        job({ id: 'q', created: at(0) }),
        job({ id: 'r', created: at(0) - 9, state: 'running' }),
        job({ id: 'c', created: at(1) + 5, state: 'cancelled' }),
      ]),
      { type: 'run', key: 'k', at: at(0) },
      { type: 'stop', run: 'q' },
    ],
    ready(),
  );
  const { running, days } = strip(state, now);
  assert.deepEqual(
    running.map((cell) => [cell.id, cell.kind === 'run' && cell.stopping]),
    [
      ['k', false],
      ['q', true],
      ['r', false],
    ],
  );
  assert.deepEqual(
    days.map(({ label, cells }) => [label, cells.map(({ kind, id }) => `${kind} ${id}`)]),
    [
      ['today', ['result 9']],
      ['yesterday', ['ended c', 'result 8']],
      [null, ['result 7']],
    ],
  );
  assert.deepEqual([neighbour(state, 9, 1)?.id, neighbour(state, 9, -1), neighbour(state, 1, 1)], [8, null, null]);
});

test('progress says where a run is, in words that the catalogue has', () => {
  const started = NOW - 4;
  const label = { code: 'backend-hosted', values: { provider: 'WaveSpeedAI' } };
  const from = ready();
  /** @type {(given: Partial<Job>) => [string, number | null, string, string]} */
  const said = (given) => {
    const state = after([change([job({ backend: 'wavespeed', ...given })])], from);
    const run = runNamed(state, 'j1');
    assert.ok(run);
    const how = progress(state, run, NOW);
    assert.ok(how);
    return [how.phase, how.fraction, words.say(how.words), words.say(spoken(how))];
  };
  from.specs?.backends.forEach((each) => {
    each.label = label;
  });
  assert.deepEqual(said({ event: { kind: 'queued', position: 1 } }), [
    'queued',
    null,
    'Next in line',
    'Waiting in the queue',
  ]);
  assert.deepEqual(said({ event: { kind: 'queued', position: 3 } })[2], 'Number 3 in line');
  const running = /** @type {const} */ ({ state: 'running', started });
  assert.deepEqual(said({ ...running, event: { kind: 'progress', step: 4, total: 8 } }), [
    'running',
    0.5,
    'Step 4 of 8, about 4 s left',
    'Half is done',
  ]);
  assert.deepEqual(
    said({ ...running, event: { kind: 'progress', step: 0, total: 8 } })[2],
    'Step 0 of 8, about 4 s left',
  );
  assert.deepEqual(
    said({ ...running, expected: null, event: { kind: 'progress', step: 1, total: 8 } })[2],
    'Step 1 of 8',
  );
  assert.deepEqual(said({ ...running, event: { kind: 'progress', step: 8, total: 8 } }).slice(2), [
    'Finishing the picture',
    'Finishing',
  ]);
  assert.deepEqual(said({ ...running, event: { kind: 'working', status: 'processing', done: 0, total: 1 } }), [
    'running',
    0.5,
    'Working at WaveSpeedAI',
    'The run has begun',
  ]);
  assert.deepEqual(
    said({ ...running, event: { kind: 'working', status: 'polishing', done: 1, total: 4 } })[2],
    'polishing, 1 of 4 done',
  );
  assert.deepEqual(
    said({ ...running, event: { kind: 'working', status: 'disk full', done: 1, total: 1 } })[2],
    'Done, and waiting for room on the disk',
  );
  assert.deepEqual(
    said({
      ...running,
      event: { kind: 'loading', stage: { code: 'stage-after-another', values: {} }, done: 1, total: 4 },
    })[1],
    0.25,
  );
  assert.deepEqual(said({ ...running, event: null })[0], 'running');
  assert.deepEqual(said({ ...running, event: { kind: 'done' } })[1], 1);
  assert.deepEqual(said({ state: 'detached', started, event: null })[2], 'You stopped waiting.');
  assert.match(said({ state: 'needs_key', started, event: null })[2], /needs your key/);
});

test('a run that is sent, held up or stopped says so at once', () => {
  let state = after([{ type: 'run', key: 'k', at: NOW }], ready());
  const said = () => {
    const run = runNamed(state, 'k') ?? runNamed(state, 'j1');
    assert.ok(run);
    const how = progress(state, run, NOW);
    return how && words.say(how.words);
  };
  assert.equal(said(), 'Sending');
  state = after(
    [
      {
        type: 'waiting',
        key: 'k',
        error: { code: 'queue-full', values: { waiting: 50 }, field: null, charged: false },
      },
    ],
    state,
  );
  assert.equal(said(), 'The queue is full (50 runs).');
  state = after([{ type: 'stop', run: 'k' }], state);
  assert.equal(said(), 'Stopping');
  state = after([{ type: 'accepted', key: 'k', job: job({ state: 'running' }) }], state);
  assert.equal(said(), 'Stopping');
  state = after([change([{ id: 'j1', state: 'cancelled' }])], state);
  assert.equal(said(), null);
});

test('a run that is late says so', () => {
  const state = after([change([job({ state: 'running', started: NOW - 20, expected: 8 })])], ready());
  const run = runNamed(state, 'j1');
  assert.ok(run);
  const how = progress(state, run, NOW);
  assert.equal(how?.late, true);
  assert.equal(how?.time && words.say(how.time), '20 s, longer than usual');
});

test('Cancel stops what is shown if that goes on, else what is at work, and never what is past stopping', () => {
  const of = (/** @type {Action[]} */ ...actions) => stoppableRun(after(actions, ready()))?.id ?? null;
  const jobs = change([job({ id: 'j1', state: 'running' }), job({ id: 'j2', state: 'queued', created: 1_000_001 })]);
  assert.equal(of(), null);
  assert.equal(of(jobs), 'j1');
  assert.equal(of(jobs, { type: 'edit', values: { shown: { job: 'j2' } } }), 'j2');
  const ended = change([job({ id: 'j0', state: 'done', created: 1_000_000 })], [result({ job: 'j0' })]);
  assert.equal(of(ended, jobs, { type: 'edit', values: { shown: { result: result().id ?? 0 } } }), 'j1');
  assert.equal(of(change([job({ id: 'j1', state: 'detached' })])), null);
});

test('the tab’s title shows progress', () => {
  const said = (/** @type {State} */ state) => words.say(title(state, NOW));
  assert.equal(said(ready()), 'SRPO Studio');
  const running = after(
    [
      change([
        job({ id: 'q' }),
        job({ state: 'running', started: NOW - 2, event: { kind: 'progress', step: 7, total: 12 } }),
      ]),
    ],
    ready(),
  );
  assert.equal(said(running), '(7/12) SRPO Studio');
  assert.equal(
    said(
      after(
        [
          change([
            job({
              state: 'running',
              started: NOW - 2,
              event: { kind: 'working', status: 'created', done: 0, total: 1 },
            }),
          ]),
        ],
        ready(),
      ),
    ),
    '(25 %) SRPO Studio',
  );
  assert.equal(said(after([change([job()])], ready())), '(…) SRPO Studio');
  assert.equal(said(after([{ type: 'run', key: 'k', at: 1 }], ready())), '(…) SRPO Studio');
});

test('the line above Run says what it does', () => {
  const said = forecast(ready());
  assert.equal(said.blocked, null);
  assert.deepEqual(said.steps, { run: 12, total: 20 });
  assert.ok(Math.abs((said.seconds ?? 0) - (1 + 0.5 * 0.786432 * 12)) < 1e-9);
  assert.equal(said.size && words.say(said.size.output), '1024×768');
  assert.equal(said.size?.working, null);
  const four = forecast(after([{ type: 'edit', values: { backend: 'wavespeed', count: 4 } }], ready()));
  assert.deepEqual([four.dollars, four.images], [0.1, 4]);
  assert.equal(values(ready()).num_inference_steps, 20);
  assert.deepEqual(values(initialState()), {});
});

/** @type {(actions: Action[], from?: State) => unknown[]} */
const why = (actions, from = ready()) => {
  const { blocked, field } = forecast(after(actions, from));
  return [blocked && words.inFull(blocked), field];
};

test('what keeps Run from running is said, with the field to change', () => {
  /** @type {(values: Partial<State['draft']>) => Action} */
  const edit = (given) => ({ type: 'edit', values: given });
  assert.deepEqual(why([], initialState()), ['Loading', null]);
  assert.deepEqual(why([{ type: 'reading', reading: { name: 'x', url: null } }]), ['Reading the picture', 'reference']);
  /** @type {Action[]} */
  const waiting = [
    { type: 'reading', reading: { name: 'x', url: null } },
    { type: 'owed', owed: true },
  ];
  assert.deepEqual(why(waiting), ['Reading the picture, then running', 'reference']);
  assert.deepEqual(
    why([
      ...waiting,
      { type: 'unreadable', error: { code: 'image-unreadable', values: {}, field: null, charged: false } },
      edit({}),
    ])[0],
    null,
  );
  assert.deepEqual(why([edit({ reference: null })]), ['Add a picture to see steps, time and price.', 'reference']);
  assert.deepEqual(why([edit({ prompt: ' ' })]), [
    'The prompt is empty. Write what the picture should become.',
    'prompt',
  ]);
  assert.deepEqual(why([edit({ prompt: ' ', style: [{ id: 'oil', weight: 1, text: 'an oil painting' }] })]), [
    null,
    null,
  ]);
  assert.deepEqual(why([edit({ prompt: '😀'.repeat(4001) })])[1], 'prompt');
  assert.deepEqual(why([edit({ prompt: '😀'.repeat(4000) })])[1], null);
  assert.deepEqual(why([edit({ params: { strength: 0 } })]), [
    'At strength 0 nothing changes. Raise it to run.',
    'strength',
  ]);
  assert.match(String(why([edit({ backend: 'wavespeed', budget: 0.02 })])[0]), /budget of \$0\.02/);
  assert.deepEqual(why([edit({ backend: 'wavespeed', budget: 0.025 })]), [null, null]);
});

test("the day's budget counts what any tab or program has spent, and names where", () => {
  const spending = { dollars: 0.48, backends: [{ backend: 'wavespeed', dollars: 0.48 }] };
  /** @type {Action[]} */
  const actions = [
    { type: 'edit', values: { backend: 'wavespeed', dayBudget: 0.5 } },
    { type: 'spending', spending },
  ];
  assert.match(String(why(actions)[0]), /budget of \$0\.50 for a day/);
  assert.equal(why(actions)[1], 'dayBudget');
  assert.deepEqual(why([...actions, { type: 'edit', values: { dayBudget: 0.505 } }]), [null, null]);
  const state = after(actions, ready());
  assert.deepEqual(
    spentAt(state).map(({ dollars }) => dollars),
    [0.48],
  );
  assert.equal(costs(state), true);
});

test('a missing key blocks until one is pasted; other reasons stay', () => {
  const missing = { code: 'provider-key-missing', values: { provider: 'W' } };
  /** @type {(ready: { code: string, values: {} }) => Action[]} */
  const without = (ready) => [
    { type: 'edit', values: { backend: 'wavespeed' } },
    { type: 'change', change: { backends: { wavespeed: { ready } } } },
  ];
  /** @type {Action} */
  const paste = { type: 'key', provider: 'wavespeed', known: true };
  assert.equal(forecast(after(without(missing), ready())).field, 'backend');
  assert.equal(forecast(after([...without(missing), paste], ready())).blocked, null);
  assert.equal(forecast(after([...without({ code: 'other', values: {} }), paste], ready())).field, 'backend');
});

test('the same settings and seed again are pointed out', () => {
  const made = result({ id: 4, recipe: recipe({ index: 0, params: { ...values(ready()), num_images: 1 } }) });
  const state = after(
    [
      { type: 'result', result: made },
      { type: 'edit', values: { lock: true } },
    ],
    ready(),
  );
  assert.equal(forecast(state).repeats?.id, 4);
  for (const other of [
    { lock: false },
    { seed: 43 },
    { prompt: 'b' },
    { params: { strength: 0.61 } },
    { backend: 'wavespeed' },
  ]) {
    assert.equal(forecast(after([{ type: 'edit', values: other }], state)).repeats, null);
  }
  assert.equal(forecast(after([{ type: 'edit', values: { seed: 41, count: 2 } }], state)).repeats?.id, 4);
  const model = { ...made, recipe: { ...made.recipe, model: { id: 'flux', revision: null } } };
  assert.equal(forecast(after([{ type: 'result', result: model }], state)).repeats, null);
});

test('styles stand behind the prompt, the heavier first', () => {
  const [oil, ink] = STYLES;
  assert.ok(oil && ink);
  assert.equal(
    composed(' a street ', [
      { ...oil, weight: 0.5 },
      { ...ink, weight: 1 },
      { id: 'x', weight: 0, text: 'no' },
    ]),
    'a street, an ink drawing, an oil painting',
  );
});

test('a picture’s ancestors are found, without walking in circles', () => {
  const image = (/** @type {string} */ digest) => ({ digest, mime: 'image/png', width: 1, height: 1, size: 1 });
  const first = result({ id: 1, image: image('a') });
  const second = result({ id: 2, image: image('b'), recipe: recipe({ parent: 'a' }) });
  const state = after([first, second].map((each) => ({ type: 'result', result: each })));
  assert.deepEqual(
    ancestors(state, 'b').map(({ id }) => id),
    [1, 2],
  );
  assert.deepEqual(ancestors(state, null), []);
  const circle = after([{ type: 'result', result: { ...first, recipe: recipe({ parent: 'b' }) } }], state);
  assert.equal(ancestors(circle, 'b').length, 2);
});

test('a download is named after the file that it was made of', () => {
  assert.equal(downloadNameOf(ready(), result()), 'srpo_street_s60_42.png');
});
