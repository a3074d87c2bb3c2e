// One stream of events for all tabs of a browser, since a browser opens six connections to a host.
//
// Whoever holds a Web Lock is the leader: it has the stream and passes on what comes, by a BroadcastChannel. The others
// follow, and the browser gives the lock to the next one when the leader goes. A tab that joins asks the leader how
// everything stands. A visible tab that hears nothing for two heartbeats, or gets no answer, takes the lock away: the
// leader may be frozen, and learns of it when it thaws.
//
// Without Web Locks, which plain http outside this machine does not have, a tab has a stream of its own while it is
// visible.

import { changed } from './live.js';
import { backoff } from './wait.js';

/** @import { Change, Connection, Hello } from '../types.js' */
/** @import { Connect, StreamEvent } from './sse.js' */

/** Milliseconds. The server's heart beats every 15 s. */
const SILENCE = 32_000;
const TICK = 2_000;
const ANSWER = 1_000;
const RETRY = { first: 250, most: 1_500 };
/** After so long without a server, its return may take a little longer to be seen. */
const LONG_GONE = { after: 120_000, first: 5_000, most: 5_000 };
/** A loss that is over sooner is not worth a word. */
const OFFLINE = 3_000;
/** A hidden tab without a leader gives its stream up after this. */
const HIDDEN = 5_000;
/** At most one sign of life to the other tabs in this time. */
const PASS_ON = 5_000;

const NAME = 'srpo-studio:events';

/**
 * What a tab learns.
 * @typedef {{ kind: 'hello', hello: Hello } | { kind: 'change', change: Change }
 *   | { kind: 'connection', connection: Connection }} Update
 */

/**
 * What tabs tell each other. `since` is the id from which the leader resumed.
 * @typedef {{ kind: 'ask', from: string, lastId: string | null }
 *   | { kind: 'state', to: string, hello: Hello, id: string | null }
 *   | { kind: 'hello', hello: Hello, id: string | null, since: string | null }
 *   | { kind: 'change', change: Change, id: string | null }
 *   | { kind: 'connection', connection: Connection }
 *   | { kind: 'beat' }
 *   | { kind: 'poke' }} Word
 */

/** @typedef {Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>} Channel */
/** @typedef {{ request: (name: string, options: LockOptions, held: () => Promise<void>) => Promise<void> }} Locks */
/**
 * @typedef {object} Timers
 * @property {(then: () => void, milliseconds: number) => number} setTimeout
 * @property {(timer: number | undefined) => void} clearTimeout
 * @property {() => number} now milliseconds by a clock that goes on while the computer sleeps
 */

/**
 * The browser around a tab.
 * @typedef {object} Browser
 * @property {Locks | undefined} locks
 * @property {() => Channel} channel
 * @property {EventTarget & { readonly visibilityState: string }} document
 * @property {EventTarget} window
 * @property {Timers} timers
 * @property {() => number} random
 */

/**
 * This browser, as far as it goes.
 * @returns {Browser}
 */
export function thisBrowser() {
  const able = typeof navigator.locks?.request === 'function' && typeof BroadcastChannel === 'function';
  return {
    locks: able ? /** @type {Locks} */ (/** @type {unknown} */ (navigator.locks)) : undefined,
    channel: () => new BroadcastChannel(NAME),
    document,
    window,
    timers: {
      setTimeout: (then, milliseconds) => window.setTimeout(then, milliseconds),
      clearTimeout: (timer) => window.clearTimeout(timer),
      now: Date.now,
    },
    random: Math.random,
  };
}

/**
 * @typedef {object} Events
 * @property {(callback: (update: Update) => void) => () => void} onState begins to report; returns what ends it. The
 *   latest state comes at once where it is known.
 * @property {() => void} start
 * @property {() => void} stop
 * @property {() => void} retry tries at once where the server was away
 * @property {() => 'stopped' | 'follower' | 'leader' | 'alone'} role
 * @property {() => string | null} lastId
 */

/**
 * @param {Connect} connect opens the stream
 * @param {Browser} [browser]
 * @returns {Events}
 */
export function createEvents(connect, browser = thisBrowser()) {
  const { locks, timers, random } = browser;
  const tab = random().toString(36).slice(2);
  const visible = () => browser.document.visibilityState === 'visible';

  /** @type {Set<(update: Update) => void>} */
  const listeners = new Set();
  /** @type {'stopped' | 'follower' | 'leader' | 'alone'} */
  let role = 'stopped';
  /** @type {Connection} */
  let connection = 'connecting';
  /** @type {Hello | null} */
  let latest = null;
  /** @type {string | null} */
  let lastId = null;
  /** When the server or the leader last gave a sign of life. */
  let heard = 0;
  /** When the stream was lost; null while there is one. */
  let lostAt = /** @type {number | null} */ (null);
  let failed = 0;
  let notBefore = 0;
  let passedOn = 0;

  /** @type {Channel | null} */
  let channel = null;
  /** @type {(() => void) | null} */
  let closeStream = null;
  /** @type {(() => void) | null} ends holding the lock, or waiting for it */
  let leaveLock = null;
  /** @type {{ [name: string]: number | undefined }} */
  const timer = {};

  // ---- to the page -------------------------------------------------------------------------------

  /** @param {Update} update */
  function report(update) {
    for (const listener of [...listeners]) listener(update);
  }

  /** @param {Connection} now */
  function setConnection(now) {
    if (now === connection) return;
    connection = now;
    report({ kind: 'connection', connection });
    if (role === 'leader') tell({ kind: 'connection', connection });
  }

  /**
   * @param {Hello} hello
   * @param {string | null} id
   */
  function takeHello(hello, id) {
    // Whoever knew something and is not told what came since has to ask for it.
    const stale = hello.stale || (latest !== null && hello.results === undefined);
    const { results: _, deleted: __, stale: ___, ...plain } = hello;
    latest = plain;
    if (id !== null) lastId = id;
    report({ kind: 'hello', hello: stale ? { ...hello, stale } : hello });
  }

  /**
   * @param {Change} change
   * @param {string | null} id
   */
  function takeChange(change, id) {
    if (id !== null && lastId !== null && Number(id) <= Number(lastId)) return; // two streams overlapped
    if (id !== null) lastId = id;
    if (latest !== null) latest = changed(latest, change);
    report({ kind: 'change', change });
  }

  // ---- the stream: of the leader, or of a tab that is alone ---------------------------------------

  function openStream() {
    timers.clearTimeout(timer.retry);
    timer.retry = undefined;
    if (closeStream) return;
    const since = lastId;
    heard = timers.now();
    closeStream = connect(since, {
      onOpen() {},
      onSign() {
        heard = timers.now();
        if (connection === 'live' && heard - passedOn >= PASS_ON) tell({ kind: 'beat' });
      },
      onEvent: (event) => fromServer(event, since),
      onEnd: ({ retryAfter }) => lose(retryAfter),
    });
  }

  /**
   * @param {StreamEvent} event
   * @param {string | null} since
   */
  function fromServer({ type, data, id }, since) {
    if (type === 'hello') {
      /** @type {Hello} */
      const hello = JSON.parse(data);
      failed = 0;
      lostAt = null;
      setConnection('live');
      takeHello(hello, id);
      tell({ kind: 'hello', hello, id, since });
    } else if (type === 'change') {
      /** @type {Change} */
      const change = JSON.parse(data);
      takeChange(change, id);
      tell({ kind: 'change', change, id });
    }
  }

  /** @param {number | null} retryAfter */
  function lose(retryAfter) {
    dropStream();
    failed += 1;
    lostAt ??= timers.now();
    showLoss();
    const range = timers.now() - lostAt > LONG_GONE.after ? LONG_GONE : RETRY;
    notBefore = timers.now() + (retryAfter ?? 0);
    timer.retry = timers.setTimeout(openStream, retryAfter ?? backoff(failed, range, random));
  }

  function showLoss() {
    if (lostAt !== null) setConnection(timers.now() - lostAt >= OFFLINE ? 'offline' : 'connecting');
  }

  function dropStream() {
    timers.clearTimeout(timer.retry);
    timer.retry = undefined;
    closeStream?.();
    closeStream = null;
  }

  // ---- the other tabs ----------------------------------------------------------------------------

  /** @param {Word} word */
  function tell(word) {
    if (!channel || (role === 'alone' && word.kind !== 'ask')) return;
    if (role === 'leader') passedOn = timers.now();
    channel.postMessage(word);
  }

  /** @param {Word} word */
  function hear(word) {
    if (role === 'leader') {
      if (word.kind === 'poke') retry();
      if (word.kind === 'ask') answer(word.from, word.lastId);
      return;
    }
    if (word.kind === 'ask' || word.kind === 'poke') return;
    heard = timers.now();
    timers.clearTimeout(timer.answer);
    timer.answer = undefined;
    if (word.kind === 'connection') setConnection(word.connection);
    else setConnection('live');
    if (word.kind === 'hello') {
      const missed = word.hello.results !== undefined && word.since !== lastId && latest !== null;
      takeHello(missed ? { ...word.hello, stale: true } : word.hello, word.id);
    } else if (word.kind === 'change') takeChange(word.change, word.id);
    else if (word.kind === 'state' && word.to === tab) takeHello(word.hello, word.id);
  }

  /**
   * Tell a tab that has joined, or was asleep, how everything stands.
   * @param {string} to
   * @param {string | null} known the last id that it has seen
   */
  function answer(to, known) {
    // Where it has missed nothing, no result is new, and it need not fetch them again.
    const missed = known === null || known !== lastId;
    if (latest === null || connection !== 'live') tell({ kind: 'connection', connection });
    else tell({ kind: 'state', to, hello: missed ? latest : { ...latest, results: [] }, id: lastId });
  }

  /** Ask the leader how everything stands, and take its place where no answer comes. */
  function ask() {
    if (timer.answer !== undefined) return;
    tell({ kind: 'ask', from: tab, lastId });
    timer.answer = timers.setTimeout(() => {
      timer.answer = undefined;
      if (role === 'follower' && visible()) compete(true);
    }, ANSWER);
  }

  /** @param {boolean} steal */
  function compete(steal) {
    leaveLock?.();
    const waiting = new AbortController();
    let held = false;
    let left = false;
    /** @type {() => void} */
    let release = () => {};
    leaveLock = () => {
      left = true;
      release();
      waiting.abort();
    };
    const options = steal ? { steal } : { signal: waiting.signal };
    locks
      ?.request(NAME, options, () => {
        if (left) return Promise.resolve();
        held = true;
        role = 'leader';
        timers.clearTimeout(timer.answer);
        timer.answer = undefined;
        openStream();
        return new Promise((resolve) => {
          release = () => resolve();
        });
      })
      .catch(() => {})
      .then(() => {
        if (left) return;
        if (held) {
          // Another tab has taken the lock: it heard nothing from this one.
          dropStream();
          follow();
        } else goAlone(); // a browser may have locks and refuse them, in a frame for one
      });
  }

  function goAlone() {
    timers.clearTimeout(timer.answer);
    timer.answer = undefined;
    leaveLock = null;
    role = 'alone';
    if (visible()) openStream();
  }

  function follow() {
    role = 'follower';
    lostAt = null;
    heard = timers.now();
    compete(false);
    ask();
  }

  // ---- time, and what the browser does with the tab ----------------------------------------------

  function tick() {
    timers.clearTimeout(timer.tick);
    timer.tick = timers.setTimeout(tick, TICK);
    const silent = timers.now() - heard > SILENCE;
    if (role === 'leader' || role === 'alone') {
      if (closeStream && silent) {
        // A line may be dead without a word, after sleep above all.
        lose(0);
      }
      showLoss();
    } else if (role === 'follower' && visible()) {
      if (silent) ask();
      else if (connection !== 'live') tell({ kind: 'poke' });
    }
  }

  function retry() {
    // A busy server that asked for a pause gets it.
    if (timer.retry !== undefined && timers.now() >= notBefore) openStream();
  }

  function start() {
    if (role !== 'stopped') return;
    heard = timers.now();
    browser.window.addEventListener('online', wake);
    browser.document.addEventListener('visibilitychange', turn);
    if (locks) {
      channel = browser.channel();
      channel.onmessage = (event) => hear(event.data);
      follow();
    } else goAlone();
    tick();
  }

  function stop() {
    role = 'stopped';
    leaveLock?.();
    leaveLock = null;
    dropStream();
    lostAt = null;
    channel?.close();
    channel = null;
    for (const name of Object.keys(timer)) {
      timers.clearTimeout(timer[name]);
      timer[name] = undefined;
    }
    browser.window.removeEventListener('online', wake);
    browser.document.removeEventListener('visibilitychange', turn);
  }

  function wake() {
    tick();
    retry();
    if (role === 'follower') tell({ kind: 'poke' });
  }

  function turn() {
    timers.clearTimeout(timer.hidden);
    timer.hidden = undefined;
    if (visible()) {
      if (role === 'alone') openStream();
      wake();
    } else if (role === 'alone') {
      timer.hidden = timers.setTimeout(dropStream, HIDDEN);
    }
  }

  // A page in the back-forward cache may hold no lock and no line, and a frozen one leads nobody.
  let paused = false;
  const pause = () => {
    if (role === 'stopped') return;
    paused = true;
    stop();
  };
  const resume = () => {
    if (!paused) return;
    paused = false;
    start();
  };
  browser.window.addEventListener('pagehide', pause);
  browser.window.addEventListener('pageshow', resume);
  browser.document.addEventListener('freeze', pause);
  browser.document.addEventListener('resume', resume);

  return {
    onState(callback) {
      listeners.add(callback);
      callback({ kind: 'connection', connection });
      if (latest !== null) callback({ kind: 'hello', hello: latest });
      return () => void listeners.delete(callback);
    },
    start,
    stop() {
      paused = false;
      stop();
    },
    retry,
    role: () => role,
    lastId: () => lastId,
  };
}
