// A lost line must not cost the page. A classic script in the head, before gradio's module, which it wraps from outside.
//
// When an event's request fails, or the stream of its answers breaks, gradio says that the connection was lost, asks for
// `app_id` every two seconds, and reloads the page on any answer. Until then it ignores every event, and nothing resets
// that. So it must never notice:
//   1. `app_id` is answered here, with 503.
//   2. An event's request is held until the server is back and then sent again, if it may run twice. Where it may not,
//      it ends with a sentence. Our own 503 ("busy") passes as it came.
//   3. A stream of answers that breaks ends the events that wait for it quietly, and closes.
//
// Attributes of its element:
//   data-health  the address that answers when the server is there, relative to the page
//   data-safe    'all', or the numbers of the functions whose events may run twice. An event that carries an
//                `idempotency_key` in its data always may.
//   data-lost    what to say where an event may have been lost
(() => {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const { health = 'healthz', safe = '', lost = '' } = script?.dataset ?? {};
  const safeFunctions = new Set(safe.split(/[\s,]+/).filter(Boolean));
  const ask = window.fetch.bind(window);
  const PAUSE = 500;
  const TRIES = 5;
  const AWAY = [502, 504];

  /** Events that wait for an answer, by session, and those whose answer came before we knew of them. */
  /** @type {Map<string, { waiting: Set<string>, answered: Set<string> }>} */
  const sessions = new Map();

  /** @param {string} hash */
  function session(hash) {
    const known = sessions.get(hash) ?? { waiting: new Set(), answered: new Set() };
    sessions.set(hash, known);
    return known;
  }

  window.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, document.baseURI);
    const route = url.origin === location.origin ? (url.pathname.split('/gradio_api/')[1] ?? '') : '';
    if (/^app_id\/?$/.test(route)) return Promise.resolve(new Response('', { status: 503 }));
    if (/^(queue\/join|run\/|component_server)/.test(route)) return sent(input, init, route);
    if (/^queue\/data/.test(route)) return answers(input, init, url.searchParams.get('session_hash') ?? '');
    return ask(input, init);
  };

  // ---- an event's request ------------------------------------------------------------------------

  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit | undefined} init
   * @param {string} route
   */
  async function sent(input, init, route) {
    const body = await bodyOf(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    for (let attempt = 1; ; attempt += 1) {
      const answer = await ask(input instanceof Request ? input.clone() : input, init).catch((failure) => {
        if (signal?.aborted) throw failure;
        return null;
      });
      if (answer !== null && !AWAY.includes(answer.status))
        return route.startsWith('queue/join') ? noted(answer, body) : answer;
      if (!mayRunTwice(body) || attempt === TRIES) return refusal();
      await back(signal);
    }
  }

  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit | undefined} init
   * @returns {Promise<any>} what was sent, as far as it is JSON
   */
  async function bodyOf(input, init) {
    try {
      return JSON.parse(
        typeof init?.body === 'string' ? init.body : input instanceof Request ? await input.clone().text() : '',
      );
    } catch {
      return null;
    }
  }

  /** @param {any} body */
  function mayRunTwice(body) {
    if (safeFunctions.has('all') || safeFunctions.has(String(body?.fn_index))) return true;
    const values = Array.isArray(body?.data) ? body.data : [];
    return [...values, body?.event_data].some((value) => typeof value?.idempotency_key === 'string');
  }

  // gradio shows `error` where a status is neither 200 nor 503, and goes on.
  function refusal() {
    return new Response(JSON.stringify({ error: lost, detail: lost }), {
      status: 500,
      headers: { 'Content-Type': 'application/json' },
    });
  }

  /**
   * Remember an event that was taken, before gradio reads the answer.
   * @param {Response} answer
   * @param {any} body
   */
  async function noted(answer, body) {
    const text = await answer.text().catch(() => null);
    if (text === null) return refusal(); // it was taken, and we do not know as what
    try {
      const { waiting, answered } = session(String(body?.session_hash));
      const { event_id: id } = JSON.parse(text);
      if (typeof id === 'string' && !answered.delete(id)) waiting.add(id);
    } catch {
      // A refusal: nothing waits.
    }
    const headers = new Headers(answer.headers);
    for (const name of ['content-encoding', 'content-length']) headers.delete(name);
    return new Response(text, { status: answer.status, statusText: answer.statusText, headers });
  }

  /**
   * Return when the server answers again.
   * @param {AbortSignal | null} [signal]
   */
  async function back(signal) {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      signal?.throwIfAborted();
      const answer = await ask(new URL(health, document.baseURI).href, { cache: 'no-store' }).catch(() => null);
      if (answer?.ok) return;
    }
  }

  // ---- the stream of answers ---------------------------------------------------------------------

  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit | undefined} init
   * @param {string} hash the session's
   */
  async function answers(input, init, hash) {
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const answer = await ask(input, init).catch((failure) => {
      if (signal?.aborted) throw failure;
      return null;
    });
    const body = answer?.ok ? answer.body : null;
    const headers = answer?.ok ? answer.headers : { 'Content-Type': 'text/event-stream' };
    return new Response(whole(body, hash, signal), { headers });
  }

  /**
   * Return a stream that never breaks: one that does, or ends too early, closes as a finished one.
   * @param {ReadableStream<Uint8Array> | null} body
   * @param {string} hash
   * @param {AbortSignal | null | undefined} signal
   * @returns {ReadableStream<Uint8Array>}
   */
  function whole(body, hash, signal) {
    const reader = body?.getReader();
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    let rest = '';
    let closed = false;
    return new ReadableStream({
      async pull(controller) {
        const text = await next().catch((failure) => {
          if (signal?.aborted) throw failure;
          return null;
        });
        if (text !== null) controller.enqueue(encoder.encode(text));
        else {
          if (!closed) controller.enqueue(encoder.encode(ending(hash)));
          controller.close();
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    });

    /** Return the next whole events, null at the end. */
    async function next() {
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) return null;
        rest += decoder.decode(value, { stream: true });
        const events = rest.split(/\r?\n\r?\n/);
        rest = events.pop() ?? '';
        if (events.length) return events.map(passed).join('');
      }
    }

    /** @param {string} event */
    function passed(event) {
      const message = messageOf(event);
      if (message?.msg === 'process_completed') {
        const { waiting, answered } = session(hash);
        if (!waiting.delete(message.event_id)) answered.add(message.event_id);
      }
      if (message?.msg === 'close_stream') closed = true;
      // After a restart the server does not know the session: the next event begins a new one by itself.
      if (message?.session_not_found) {
        closed = true;
        return ending(hash);
      }
      return `${event}\n\n`;
    }
  }

  /**
   * @param {string} event
   * @returns {any}
   */
  function messageOf(event) {
    try {
      return JSON.parse(event.replace(/^data:\s*/, ''));
    } catch {
      return null;
    }
  }

  /**
   * Return what ends the events that wait in a session, without a word to the person, and its stream.
   * @param {string} hash
   */
  function ending(hash) {
    const output = { error: '', visible: false };
    const ends = [...session(hash).waiting].map((id) => ({
      msg: 'process_completed',
      event_id: id,
      success: false,
      output,
    }));
    sessions.delete(hash);
    return [...ends, { msg: 'close_stream' }].map((message) => `data: ${JSON.stringify(message)}\n\n`).join('');
  }

  // ---- the second belt ---------------------------------------------------------------------------

  let reloading = false;
  window.studio = {
    reload() {
      reloading = true;
      location.reload();
    },
  };
  window.navigation?.addEventListener('navigate', (event) => {
    const { navigationType, userInitiated } = /** @type {any} */ (event);
    if (navigationType === 'reload' && !userInitiated && !reloading) event.preventDefault();
  });
})();
