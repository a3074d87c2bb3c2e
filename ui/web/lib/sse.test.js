import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParser, streamOf } from './sse.js';

/** @import { StreamEvent } from './sse.js' */

/** @param {string[]} pieces */
function parsed(pieces) {
  /** @type {StreamEvent[]} */
  const events = [];
  const parse = createParser((event) => void events.push(event));
  pieces.forEach(parse);
  return events;
}

const STREAM =
  '\uFEFF: beat\n\nevent: hello\nid: 7\ndata: {"a":\ndata: 1}\n\ndata:x\r\n\r\nevent: none\n\nid\r\rdata\n\nretry: 9\nid: 8\ndata:  y\n\ndata: unfinished';

test('a stream is read by the rules, wherever it is cut', () => {
  const wanted = [
    { type: 'hello', data: '{"a":\n1}', id: '7' },
    { type: 'message', data: 'x', id: null },
    { type: 'message', data: '', id: null },
    { type: 'message', data: ' y', id: '8' },
  ];
  assert.deepEqual(parsed([STREAM]), wanted);
  assert.deepEqual(parsed([...STREAM]), wanted);
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    assert.deepEqual(parsed([STREAM.slice(0, cut), STREAM.slice(cut)]), wanted, `cut at ${cut}`);
  }
});

/** A server with one stream in hand. */
function server() {
  /** @type {{ headers: Headers, signal: AbortSignal | null | undefined }[]} */
  const asked = [];
  /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
  let line;
  /** @type {Response | Error | null} */
  let other = null;
  /** @type {typeof fetch} */
  const ask = async (_, request) => {
    asked.push({ headers: new Headers(request?.headers), signal: request?.signal });
    if (other instanceof Error) throw other;
    if (other) return other;
    const body = new ReadableStream({
      start(controller) {
        line = controller;
        request?.signal?.addEventListener('abort', () => controller.error(request.signal?.reason));
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
  };
  return {
    connect: streamOf('http://app.test/events', { fetch: ask, now: () => 0 }),
    asked,
    say: (/** @type {Uint8Array | string} */ text) =>
      line?.enqueue(typeof text === 'string' ? new TextEncoder().encode(text) : text),
    end: () => line?.close(),
    break: () => line?.error(new TypeError('network error')),
    answer: (/** @type {Response | Error} */ given) => {
      other = given;
    },
  };
}

function listener() {
  /** @type {unknown[]} */
  const log = [];
  return {
    log,
    onOpen: () => void log.push('open'),
    onEvent: (/** @type {StreamEvent} */ event) => void log.push(event),
    onSign: () => void log.push('sign'),
    onEnd: (/** @type {unknown} */ why) => void log.push(why),
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test('a stream resumes from an id, and reports signs, events and its end', async () => {
  const app = server();
  const handlers = listener();
  app.connect('41', handlers);
  await settled();
  assert.equal(app.asked[0]?.headers.get('last-event-id'), '41');
  app.say(': beat\n\n');
  await settled();
  const letters = new TextEncoder().encode('id: 42\ndata: ☾\n\n');
  app.say(letters.slice(0, 15));
  app.say(letters.slice(15));
  app.end();
  await settled();
  const event = { type: 'message', data: '☾', id: '42' };
  assert.deepEqual(handlers.log, ['open', 'sign', 'sign', 'sign', event, { status: 0, retryAfter: null }]);
});

test('a broken line, a refusal and an answer that is no stream end it', async () => {
  const broken = server();
  const first = listener();
  broken.connect(null, first);
  await settled();
  assert.equal(broken.asked[0]?.headers.has('last-event-id'), false);
  broken.break();
  await settled();
  assert.deepEqual(first.log, ['open', { status: 0, retryAfter: null }]);
  for (const [answer, why] of /** @type {const} */ ([
    [new Response('busy', { status: 503, headers: { 'Retry-After': '3' } }), { status: 503, retryAfter: 3000 }],
    [new Response('<html>', { headers: { 'Content-Type': 'text/html' } }), { status: 200, retryAfter: null }],
    [new TypeError('Failed to fetch'), { status: 0, retryAfter: null }],
  ])) {
    const app = server();
    app.answer(answer);
    const handlers = listener();
    app.connect(null, handlers);
    await settled();
    assert.deepEqual(handlers.log, [why]);
  }
});

test('a stream that was closed says nothing more', async () => {
  const app = server();
  const handlers = listener();
  const close = app.connect(null, handlers);
  await settled();
  close();
  await settled();
  assert.deepEqual(handlers.log, ['open']);
  assert.equal(app.asked[0]?.signal?.aborted, true);
  const early = listener();
  server().connect(null, early)();
  await settled();
  assert.deepEqual(early.log, []);
});
