// A stream of server-sent events, read by `fetch`.
//
// Not by EventSource: that cannot say from where to resume when another tab had the stream before, hides the comments
// that show a line is alive (after a night's sleep a dead line looks open), and after an answer such as 503 it is closed
// without a word of when to come again.

import { retryAfter } from './wait.js';

/** @typedef {{ type: string, data: string, id: string | null }} StreamEvent */

/**
 * What a stream reports.
 * @typedef {object} StreamHandlers
 * @property {() => void} onOpen the server has answered with a stream
 * @property {(event: StreamEvent) => void} onEvent
 * @property {() => void} onSign anything has come, a heartbeat too
 * @property {(why: { status: number, retryAfter: number | null }) => void} onEnd once, however it ended, but not after
 *   `close`; `status` is 0 where the line broke
 */

/**
 * Opens a stream and returns what closes it.
 * @typedef {(lastId: string | null, handlers: StreamHandlers) => () => void} Connect
 */

/**
 * Return what opens streams of an address.
 * @param {string} url
 * @param {{ fetch?: typeof fetch, now?: () => number }} [options]
 * @returns {Connect}
 */
export function streamOf(url, options = {}) {
  const { fetch: ask = (...request) => fetch(...request), now = Date.now } = options;
  return (lastId, handlers) => {
    const controller = new AbortController();
    const { signal } = controller;
    read().then(
      (why) => signal.aborted || handlers.onEnd(why),
      () => signal.aborted || handlers.onEnd({ status: 0, retryAfter: null }),
    );
    return () => controller.abort();

    async function read() {
      /** @type {{ [name: string]: string }} */
      const headers = { Accept: 'text/event-stream', ...(lastId === null ? {} : { 'Last-Event-ID': lastId }) };
      const answer = await ask(url, { headers, signal, cache: 'no-store', credentials: 'same-origin' });
      const type = answer.headers.get('content-type') ?? '';
      if (!answer.ok || !answer.body || !type.startsWith('text/event-stream')) {
        answer.body?.cancel().catch(() => {});
        return { status: answer.status, retryAfter: retryAfter(answer.headers, now()) };
      }
      if (!signal.aborted) handlers.onOpen();
      const parse = createParser(handlers.onEvent);
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (signal.aborted) break;
        if (done) return { status: 0, retryAfter: null };
        handlers.onSign();
        parse(decoder.decode(value, { stream: true }));
      }
      return { status: 0, retryAfter: null };
    }
  };
}

/**
 * Return what takes a stream's text piece by piece and reports its events, by the rules of the HTML standard.
 * @param {(event: StreamEvent) => void} onEvent
 * @returns {(text: string) => void}
 */
export function createParser(onEvent) {
  let rest = '';
  let first = true;
  let type = '';
  /** @type {string[]} */
  let data = [];
  /** @type {string | null} */
  let id = null;

  /** @param {string} line */
  function take(line) {
    if (line === '') {
      if (data.length) onEvent({ type: type || 'message', data: data.join('\n'), id });
      type = '';
      data = [];
      id = null;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') type = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
  }

  return (text) => {
    rest += first ? text.replace(/^\uFEFF/, '') : text;
    first &&= text === '';
    // A carriage return at the end may be the first half of a line's end.
    const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
    const lines = whole.split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + rest.slice(whole.length);
    lines.forEach(take);
  };
}
