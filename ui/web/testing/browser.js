// A browser for tests: a clock that tests move, channels, locks, tabs, and a server with streams.

/** @import { Browser, Channel, Locks } from '../lib/events.js' */
/** @import { Connect, StreamHandlers } from '../lib/sse.js' */

/** Let everything that is ready happen. */
export const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A clock whose hands a test moves. */
export function createClock() {
  let now = 1_000_000;
  let ids = 0;
  /** @type {Map<number, { at: number, then: () => void }>} */
  const waiting = new Map();
  return {
    now: () => now,
    /** @type {(then: () => void, milliseconds: number) => number} */
    setTimeout(then, milliseconds) {
      ids += 1;
      waiting.set(ids, { at: now + milliseconds, then });
      return ids;
    },
    /** @type {(id: number | undefined) => void} */
    clearTimeout(id) {
      if (id !== undefined) waiting.delete(id);
    },
    /** @param {number} milliseconds */
    async pass(milliseconds) {
      const end = now + milliseconds;
      await settled();
      for (;;) {
        const next = [...waiting].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (!next) break;
        waiting.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].then();
        await settled();
      }
      now = end;
    },
    /**
     * The computer sleeps: time passes, and no timer runs before it wakes.
     * @param {number} milliseconds
     */
    sleep(milliseconds) {
      now += milliseconds;
    },
  };
}

/** Channels that reach each other, as BroadcastChannel does: everybody but the sender, later, a copy. */
export function createAir() {
  /** @type {Set<Channel>} */
  const open = new Set();
  return () => {
    /** @type {Channel} */
    const channel = {
      onmessage: null,
      postMessage(message) {
        const copy = structuredClone(message);
        for (const other of open) {
          if (other === channel) continue;
          queueMicrotask(() => {
            if (open.has(other)) other.onmessage?.call(/** @type {any} */ (other), /** @type {any} */ ({ data: copy }));
          });
        }
      },
      close: () => void open.delete(channel),
    };
    open.add(channel);
    return channel;
  };
}

/**
 * One lock, as the Web Locks API gives it: one holder, others in a line, and it can be stolen.
 * @returns {Locks & { holder: () => boolean }}
 */
export function createLocks() {
  /** @typedef {{ run: () => void, lose: (reason: Error) => void }} Claim */
  /** @type {Claim[]} */
  const line = [];
  /** @type {Claim | null} */
  let holder = null;
  const aborted = () => new DOMException('aborted', 'AbortError');
  function next() {
    holder = line.shift() ?? null;
    holder?.run();
  }
  return {
    holder: () => holder !== null,
    request: (_, { signal, steal }, held) =>
      new Promise((resolve, reject) => {
        /** @type {Claim} */
        const claim = {
          lose: reject,
          run: () =>
            queueMicrotask(() =>
              held().then(() => {
                resolve();
                if (holder === claim) next();
              }, reject),
            ),
        };
        signal?.addEventListener('abort', () => {
          const place = line.indexOf(claim);
          if (place < 0) return;
          line.splice(place, 1);
          reject(aborted());
        });
        if (steal) {
          holder?.lose(aborted());
          holder = claim;
          claim.run();
        } else {
          line.push(claim);
          if (holder === null) next();
        }
      }),
  };
}

/** A server: it remembers who asks from where, and speaks to whoever is connected. */
export function createServer() {
  /** @type {Set<StreamHandlers>} */
  const streams = new Set();
  /** @type {(string | null)[]} */
  const asked = [];
  /** @type {((lastId: string | null, handlers: StreamHandlers) => void) | null} */
  let greeting = null;
  /** @type {{ status: number, retryAfter: number | null } | null} */
  let refusal = null;
  /** @type {Connect} */
  const connect = (lastId, handlers) => {
    asked.push(lastId);
    let open = true;
    queueMicrotask(() => {
      if (!open) return;
      if (refusal) {
        open = false;
        handlers.onEnd(refusal);
        return;
      }
      streams.add(handlers);
      handlers.onOpen();
      greeting?.(lastId, handlers);
    });
    return () => {
      open = false;
      streams.delete(handlers);
    };
  };
  return {
    connect,
    asked,
    open: () => streams.size,
    /** @param {(lastId: string | null, handlers: StreamHandlers) => void} given is called with each new stream */
    greet(given) {
      greeting = given;
    },
    /**
     * @param {string} type
     * @param {unknown} data
     * @param {string | null} [id]
     */
    say(type, data, id = null) {
      for (const handlers of [...streams]) {
        handlers.onSign();
        handlers.onEvent({ type, data: JSON.stringify(data), id });
      }
    },
    beat() {
      for (const handlers of [...streams]) handlers.onSign();
    },
    /** @param {{ status: number, retryAfter: number | null }} [why] */
    down(why = { status: 0, retryAfter: null }) {
      refusal = why;
      for (const handlers of [...streams]) {
        streams.delete(handlers);
        handlers.onEnd(why);
      }
    },
    up() {
      refusal = null;
    },
  };
}

/**
 * A browser with tabs.
 * @param {ReturnType<typeof createClock>} clock
 * @param {{ locks?: boolean }} [options]
 */
export function createBrowser(clock, { locks: able = true } = {}) {
  const channel = createAir();
  const locks = able ? createLocks() : undefined;
  let seed = 0;
  /** A tab: what it sees of the browser, and what happens to it. */
  function tab() {
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const window = new EventTarget();
    let frozen = false;
    seed += 1;
    /** @type {Browser} */
    const browser = {
      locks,
      channel() {
        const inner = channel();
        /** @type {Channel} */
        const outer = {
          onmessage: null,
          postMessage: (message) => inner.postMessage(message),
          close: () => inner.close(),
        };
        inner.onmessage = (event) => {
          if (!frozen) outer.onmessage?.call(/** @type {any} */ (outer), event);
        };
        return outer;
      },
      document,
      window,
      timers: {
        now: clock.now,
        clearTimeout: clock.clearTimeout,
        setTimeout: (then, milliseconds) => clock.setTimeout(() => frozen || then(), milliseconds),
      },
      random: () => 0.5 + seed / 1000,
    };
    return {
      browser,
      hide: () => turn('hidden'),
      show: () => turn('visible'),
      leave: () => window.dispatchEvent(new Event('pagehide')),
      comeBack: () => window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })),
      online: () => window.dispatchEvent(new Event('online')),
      /** Freeze it without a word, as some browsers do. */
      freeze() {
        frozen = true;
      },
      thaw() {
        frozen = false;
      },
    };
    /** @param {string} state */
    function turn(state) {
      document.visibilityState = state;
      document.dispatchEvent(new Event('visibilitychange'));
    }
  }
  return { tab, locks };
}
