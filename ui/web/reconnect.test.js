import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

const SOURCE = readFileSync(new URL('reconnect.js', import.meta.url), 'utf8');
const PAGE = 'http://app.test/prefix/';
const LOST = 'The connection was lost.';

/**
 * @typedef {(request: Request) => Response | Promise<Response>} Server
 * @typedef {object} Options
 * @property {string} [safe]
 */

/**
 * A page with the script in its head, and what its server does.
 * @param {Server} server
 * @param {Options} [options]
 */
function pageWith(server, { safe = 'all' } = {}) {
  /** @type {string[]} */
  const asked = [];
  let reloads = 0;
  const navigation = new EventTarget();
  const location = {
    origin: 'http://app.test',
    reload() {
      const event = Object.assign(new Event('navigate', { cancelable: true }), {
        navigationType: 'reload',
        userInitiated: false,
      });
      if (navigation.dispatchEvent(event)) reloads += 1;
    },
  };
  const document = { baseURI: PAGE, currentScript: { dataset: { health: 'healthz', safe, lost: LOST } } };
  /** @type {any} */
  const window = {
    navigation,
    /** @type {typeof fetch} */
    fetch: async (input, init) => {
      const request = new Request(typeof input === 'string' ? new URL(input, PAGE) : input, /** @type {any} */ (init));
      asked.push(request.url.slice(PAGE.length));
      const answer = await server(request);
      if (request.signal.aborted) throw request.signal.reason;
      return answer;
    },
  };
  // The pauses are of no interest here.
  const setTimeout = (/** @type {() => void} */ then) => globalThis.setTimeout(then, 0);
  runInNewContext(SOURCE, {
    ...{
      window,
      document,
      location,
      setTimeout,
      URL,
      Request,
      Response,
      Headers,
      ReadableStream,
      TextDecoder,
      TextEncoder,
    },
  });
  return { window, location, asked, reloads: () => reloads };
}

const broken = () => {
  throw new TypeError('Failed to fetch');
};
const json = (/** @type {unknown} */ body) =>
  new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } });

/**
 * A server that fails the first times, and does well from then on.
 * @param {Server[]} failures
 */
function away(...failures) {
  let health = failures.length ? 2 : 0;
  return (/** @type {Request} */ request) => {
    if (request.url.endsWith('/healthz')) {
      health -= 1;
      return health > 0 ? broken() : new Response('ok');
    }
    const failure = failures.shift();
    return failure ? failure(request) : json({ event_id: 'e1' });
  };
}

/**
 * @param {any} window
 * @param {object} [more]
 */
const join = (window, more = {}) =>
  window.fetch(`${PAGE}gradio_api/queue/join?`, {
    method: 'POST',
    body: JSON.stringify({ data: [], fn_index: 3, session_hash: 's', ...more }),
  });

/**
 * Read a stream of answers as gradio does.
 * @param {any} window
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ msg: string, event_id?: string }[]>}
 */
async function messages(window, signal) {
  const request = new Request(`${PAGE}gradio_api/queue/data?session_hash=s`, signal ? { signal } : {});
  const answer = await window.fetch(request);
  assert.equal(answer.ok, true);
  const text = await answer.text();
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((/** @type {string} */ each) => JSON.parse(each.replace(/^data: /, '')));
}

/** @param {(string | Error)[]} pieces the last may break the stream */
function stream(...pieces) {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    pull(controller) {
      const next = pieces.shift();
      if (next === undefined) controller.close();
      else if (next instanceof Error) controller.error(next);
      else controller.enqueue(encoder.encode(next));
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}
const data = (/** @type {object} */ message) => `data: ${JSON.stringify(message)}\n\n`;
const QUIET = { msg: 'process_completed', event_id: 'e1', success: false, output: { error: '', visible: false } };
const CLOSE = { msg: 'close_stream' };
const cut = new TypeError('network error');

test('gradio never learns that it may reload', async () => {
  const { window, asked } = pageWith(() => json({ app_id: 7 }));
  assert.equal((await window.fetch(`${PAGE}gradio_api/app_id`)).status, 503);
  assert.equal((await window.fetch(new URL(`${PAGE}gradio_api/app_id/`))).status, 503);
  assert.deepEqual(asked, []);
});

test('everything else passes as it came', async () => {
  const { window, asked } = pageWith(broken);
  await assert.rejects(window.fetch(`${PAGE}studio/v1/jobs`, { method: 'POST' }), TypeError);
  await assert.rejects(window.fetch('http://other.test/gradio_api/queue/join'), TypeError);
  await assert.rejects(window.fetch('gradio_api/info'), TypeError);
  assert.equal(asked.length, 3);
});

test('a click is held until the server is back, and sent again', async () => {
  for (const failure of [broken, () => new Response('', { status: 502 }), () => new Response('', { status: 504 })]) {
    const { window, asked } = pageWith(away(failure));
    const answer = await join(window);
    assert.equal(JSON.stringify(await answer.json()), '{"event_id":"e1"}');
    assert.deepEqual(
      asked,
      ['gradio_api/queue/join', 'healthz', 'healthz', 'gradio_api/queue/join'].map((each) =>
        each.replace('join', 'join?'),
      ),
    );
  }
});

test('a server that is busy answers for itself', async () => {
  const { window, asked } = pageWith(() => new Response('{"detail":"busy"}', { status: 503 }));
  assert.equal((await join(window)).status, 503);
  assert.equal(asked.length, 1);
});

test('what may not run twice is never sent twice, and gradio goes on', async () => {
  for (const safe of ['', '1, 2']) {
    const { window, asked } = pageWith(away(broken), { safe });
    const answer = await join(window);
    assert.equal(answer.status, 500);
    assert.equal((await answer.json()).error, LOST);
    assert.equal(asked.length, 1);
  }
  const run = pageWith(away(broken), { safe: '3' });
  assert.equal((await run.window.fetch(`${PAGE}gradio_api/run/predict`, { method: 'POST', body: '{}' })).status, 500);
  assert.equal(run.asked.length, 1);
});

test('an event that is named, or carries a key, may run twice', async () => {
  const named = pageWith(away(broken), { safe: '2,3' });
  assert.equal((await join(named.window)).status, 200);
  const keyed = pageWith(away(broken), { safe: '' });
  assert.equal((await join(keyed.window, { data: [{ idempotency_key: 'k' }] })).status, 200);
  const inEvent = pageWith(away(broken), { safe: '' });
  assert.equal((await join(inEvent.window, { event_data: { idempotency_key: 'k' } })).status, 200);
});

test('tries have an end, and an abort passes through', async () => {
  const { window, asked } = pageWith((request) => (request.url.endsWith('healthz') ? new Response('ok') : broken()));
  assert.equal((await join(window)).status, 500);
  assert.equal(asked.filter((each) => each.includes('join')).length, 5);
  const controller = new AbortController();
  const aborted = pageWith(() => {
    controller.abort();
    return broken();
  });
  const request = aborted.window.fetch(`${PAGE}gradio_api/queue/join`, {
    method: 'POST',
    body: '{}',
    signal: controller.signal,
  });
  await assert.rejects(request);
});

test('a stream that goes well passes as it came', async () => {
  const done = { msg: 'process_completed', event_id: 'e1', success: true, output: { data: ['\n☾'] } };
  const text = `data: {"msg":"heartbeat"}\n\n${data(done)}${data(CLOSE)}`;
  const { window } = pageWith((request) =>
    request.method === 'POST' ? json({ event_id: 'e1' }) : stream(...(text.match(/.{1,7}/gs) ?? [])),
  );
  await join(window);
  assert.deepEqual(await messages(window), [{ msg: 'heartbeat' }, done, CLOSE]);
});

test('a stream that breaks, ends too early, is refused or never opens ends its events quietly', async () => {
  for (const open of [
    () => stream(data({ msg: 'process_starts', event_id: 'e1' }), 'data: {"msg":', cut),
    () => stream(data({ msg: 'process_starts', event_id: 'e1' })),
    () => new Response('', { status: 502 }),
    () => new Response('', { status: 404 }),
    broken,
  ]) {
    const { window } = pageWith((request) => (request.method === 'POST' ? json({ event_id: 'e1' }) : open()));
    await join(window);
    const seen = await messages(window);
    assert.deepEqual(
      seen.filter(({ msg }) => msg !== 'process_starts'),
      [QUIET, CLOSE],
    );
    assert.deepEqual(
      await messages(window).then((each) => each.filter(({ msg }) => msg !== 'process_starts')),
      [CLOSE],
      'each ends once',
    );
  }
});

test('only the events that still wait are ended', async () => {
  let count = 0;
  const finished = { msg: 'process_completed', event_id: 'e1', success: true, output: { data: [] } };
  const early = { msg: 'process_completed', event_id: 'e3', success: true, output: { data: [] } };
  const { window } = pageWith((request) => {
    if (request.method !== 'POST') return stream(data(finished), data(early), cut);
    count += 1;
    return json({ event_id: `e${count}` });
  });
  await join(window);
  await join(window);
  const seen = await messages(window);
  assert.deepEqual(
    seen.map(({ msg, event_id }) => [msg, event_id]),
    [
      ['process_completed', 'e1'],
      ['process_completed', 'e3'],
      ['process_completed', 'e2'],
      ['close_stream', undefined],
    ],
  );
});

test('an answer that was faster than the question is not waited for', async () => {
  const early = { msg: 'process_completed', event_id: 'e1', success: true, output: { data: [] } };
  let open = /** @type {(answer: Response) => void} */ (() => {});
  const { window } = pageWith((request) => {
    if (request.method === 'POST') return json({ event_id: 'e1' });
    return new Promise((resolve) => {
      open = resolve;
    });
  });
  const seen = messages(window);
  await new Promise((resolve) => setTimeout(resolve, 0));
  /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
  let line;
  open(
    new Response(
      new ReadableStream({
        start: (controller) => {
          line = controller;
        },
      }),
    ),
  );
  line?.enqueue(new TextEncoder().encode(data(early)));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await join(window);
  line?.error(cut);
  assert.deepEqual(
    (await seen).map(({ msg }) => msg),
    ['process_completed', 'close_stream'],
  );
});

test('a session that the server has forgotten ends quietly', async () => {
  const forgotten = { msg: 'unexpected_error', message: 'Session not found', session_not_found: true, success: false };
  const { window } = pageWith((request) =>
    request.method === 'POST' ? json({ event_id: 'e1' }) : stream(data(forgotten)),
  );
  await join(window);
  assert.deepEqual(await messages(window), [QUIET, CLOSE]);
});

test('an aborted stream is aborted', async () => {
  const controller = new AbortController();
  const { window } = pageWith(() => {
    controller.abort(new Error('closed'));
    return broken();
  });
  await assert.rejects(messages(window, controller.signal));
});

test('an answer to a click that breaks off is no reason to click again', async () => {
  const { window, asked } = pageWith(() => stream('{"event_', cut));
  assert.equal((await join(window)).status, 500);
  assert.equal(asked.length, 1);
});

test('the page reloads when the person says so, and never by itself', async () => {
  const { window, location, reloads } = pageWith(broken);
  location.reload();
  assert.equal(reloads(), 0);
  window.studio.reload();
  assert.equal(reloads(), 1);
});
