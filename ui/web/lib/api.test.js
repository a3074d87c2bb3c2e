import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, createApi, createKeys, newKey, viewWidth } from './api.js';

/** @import { JobBody } from '../types.js' */

const BASE = 'http://app.test/prefix/studio/v1/';
/** @type {JobBody} */
const BODY = { reference: 'd', backend: 'local', prompt: 'p', style: [], params: {}, num_images: 1 };
const ERROR = { code: 'queue-full', values: { waiting: 50 }, field: null, charged: false };

/**
 * A server that gives its answers in turn, and the pauses that the client made.
 * @param {(Response | Error | ((request: RequestInit) => Promise<Response>))[]} answers
 */
function serverWith(...answers) {
  /** @type {{ url: string, method: string, headers: Headers, body: unknown }[]} */
  const seen = [];
  /** @type {number[]} */
  const pauses = [];
  let clock = 0;
  const api = createApi({
    base: BASE,
    fetch: async (url, request = {}) => {
      seen.push({
        url: String(url),
        method: request.method ?? 'GET',
        headers: new Headers(request.headers),
        body: request.body,
      });
      const next = answers.shift();
      if (typeof next === 'function') return next(request);
      if (next === undefined || next instanceof Error) throw next ?? new TypeError('Failed to fetch');
      return next;
    },
    wait: async (milliseconds, signal) => {
      pauses.push(milliseconds);
      clock += milliseconds;
      signal?.throwIfAborted();
    },
    now: () => clock,
    random: () => 1,
  });
  return { api, seen, pauses };
}

const json = (/** @type {unknown} */ body, /** @type {ResponseInit} */ init = {}) =>
  new Response(JSON.stringify(body), { ...init, headers: { 'Content-Type': 'application/json', ...init.headers } });
const offline = () => new TypeError('Failed to fetch');
const proxy = (/** @type {number} */ status) => new Response('<h1>Bad gateway</h1>', { status });

test('every address lies under the base, whatever the prefix', async () => {
  const { api, seen } = serverWith(json({ backends: [] }), json({ results: [], next: null, total: 0 }));
  await api.specs();
  await api.results({ q: 'at night & rain', limit: 50, cursor: '9' });
  assert.equal(seen[0]?.url, `${BASE}specs`);
  assert.equal(seen[1]?.url, `${BASE}results?q=at+night+%26+rain&limit=50&cursor=9`);
  assert.equal(api.events, `${BASE}events`);
  assert.equal(api.resultFile(7, 'a b.png'), `${BASE}results/7/file?name=a%20b.png`);
  assert.equal(api.resultView(7, 300), `${BASE}results/7/view?width=512`);
  assert.equal(api.jobPreview('j', 0, 3), `${BASE}jobs/j/preview/0?3`);
  assert.deepEqual([viewWidth(1), viewWidth(1025), viewWidth(9000)], [256, 2048, 2048]);
});

test('a click is sent again with its key and body after every way of losing a line', async () => {
  const { api, seen, pauses } = serverWith(offline(), proxy(502), proxy(504), proxy(503), json({ id: 'j' }));
  const job = await api.submitJob(BODY, { key: 'k' });
  assert.equal(job.id, 'j');
  assert.deepEqual(new Set(seen.map(({ headers }) => headers.get('idempotency-key'))), new Set(['k']));
  assert.deepEqual(new Set(seen.map(({ body }) => body)), new Set([JSON.stringify(BODY)]));
  assert.deepEqual(pauses, [400, 800, 1600, 3200]);
});

test('an answer that broke off counts as none', async () => {
  const { api, seen } = serverWith(new Response('{"id": "'), json({ id: 'j' }));
  assert.equal((await api.submitJob(BODY, { key: 'k' })).id, 'j');
  assert.equal(seen.length, 2);
});

test('a busy server is asked again when it says, and the person can be told', async () => {
  const busy = () => json({ error: ERROR }, { status: 503, headers: { 'Retry-After': '7' } });
  const { api, pauses } = serverWith(busy(), busy(), json({ id: 'j' }));
  /** @type {string[]} */
  const waits = [];
  await api.submitJob(BODY, { key: 'k', onWait: ({ error }) => void waits.push(error.code) });
  assert.deepEqual(pauses, [7000, 7000]);
  assert.deepEqual(waits, ['queue-full', 'queue-full']);
});

test('a refusal of ours is final, and its error says what to say', async () => {
  for (const status of [400, 402, 409, 429, 503, 504, 507]) {
    const { api, seen } = serverWith(json({ error: { ...ERROR, field: 'prompt' } }, { status }));
    await assert.rejects(api.submitJob(BODY, { key: 'k' }), (/** @type {ApiError} */ error) => {
      assert.deepEqual([error.status, error.error], [status, { ...ERROR, field: 'prompt' }]);
      return error instanceof ApiError;
    });
    assert.equal(seen.length, 1);
  }
});

test('other answers become errors as well', async () => {
  const detail = serverWith(json({ detail: 'This app is asleep.' }, { status: 400 }));
  await assert.rejects(detail.api.specs(), {
    error: { code: 'recorded', values: { what: 'This app is asleep.' }, field: null, charged: null },
  });
  const page = serverWith(proxy(418));
  await assert.rejects(page.api.specs(), {
    status: 418,
    error: { code: 'server-answered', values: { status: '418' }, field: null, charged: null },
  });
});

test('attempts end at the deadline with what went wrong last', async () => {
  const { api, seen } = serverWith();
  await assert.rejects(api.submitJob(BODY, { key: 'k', patience: 3000 }), { status: 0 });
  assert.equal(seen.length, 4); // after 0, 400, 1200 and 2800 ms
});

test('an abort ends the attempts', async () => {
  const controller = new AbortController();
  const { api, seen } = serverWith(offline(), async () => {
    controller.abort(new Error('stopped'));
    throw offline();
  });
  await assert.rejects(api.submitJob(BODY, { key: 'k', signal: controller.signal }), /stopped/);
  assert.equal(seen.length, 2);
});

test('questions are repeated; what might run twice is not', async () => {
  const { api, seen } = serverWith(offline(), json({ id: 'j' }));
  await api.job('j');
  assert.equal(seen.length, 2);
  const calls = [
    (/** @type {typeof api} */ each) => each.uploadReference(new Blob(['x'])),
    (/** @type {typeof api} */ each) => each.referenceFromUrl('https://a.test/x.png'),
    (/** @type {typeof api} */ each) => each.referenceFromResult(1),
    (/** @type {typeof api} */ each) => each.cancelJob('j'),
    (/** @type {typeof api} */ each) => each.deleteResults([1]),
    (/** @type {typeof api} */ each) => each.checkProvider('wavespeed'),
  ];
  for (const call of calls) {
    const each = serverWith(offline(), json({}));
    await assert.rejects(call(each.api), {
      status: 0,
      error: { code: 'connection-lost', values: {}, field: null, charged: null },
    });
    assert.equal(each.seen.length, 1);
  }
});

test('a pasted key goes into the header of what needs it, and nowhere else', async () => {
  const { api, seen } = serverWith(json({ id: 'j' }), json({ balance: 1 }), json({ id: 'j' }), json({}));
  assert.equal(api.keys.set('wavespeed', ' secret-1 '), true);
  await api.submitJob(BODY, { key: 'k', provider: 'wavespeed' });
  await api.checkProvider('wavespeed');
  await api.submitJob(BODY, { key: 'k', provider: 'aimlapi' });
  await api.job('j');
  assert.deepEqual(
    seen.map(({ headers }) => headers.get('x-provider-key')),
    ['secret-1', 'secret-1', null, null],
  );
  assert.doesNotMatch(JSON.stringify(seen.map(({ url, body }) => [url, body])), /secret/);
});

test('what no header takes is no key', () => {
  const keys = createKeys();
  assert.equal(keys.set('a', 'schlüssel'), false);
  assert.equal(keys.set('a', 'two words'), false);
  assert.equal(keys.set('a', ''), false);
  assert.equal(keys.get('a'), null);
  assert.equal(keys.get(null), null);
});

test('idempotency keys differ', () => {
  // Node 18 has no global `crypto`, browsers do.
  const source = /** @type {any} */ ({
    getRandomValues: (/** @type {Uint8Array} */ bytes) => bytes.map(() => Math.random() * 256),
  });
  assert.match(newKey(source), /^[0-9a-f]{32}$/);
  assert.notEqual(newKey(source), newKey(source));
});
