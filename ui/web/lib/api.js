// The API of the page, `/studio/v1`.
//
// What may be repeated after a lost line: GET, and the one POST that carries an idempotency key. Nothing else is ever
// sent twice by itself, for it may have arrived.

import { message } from './message.js';
import { backoff, retryAfter, wait } from './wait.js';

/** @import { Job, JobBody, ReadRecipe, Reference, Result, ResultPage, Specs, StudioError } from '../types.js' */

/** Milliseconds between attempts. */
const PAUSE = { first: 400, most: 4000 };
/** Milliseconds for which a job's submission, or a question, is repeated. */
const PATIENCE = { submit: 600_000, get: 30_000 };
/** Milliseconds after which an attempt counts as lost: a connection that slept may never say so. */
const ATTEMPT = 30_000;
/** Answers of a proxy whose server is away. */
const UNREACHED = new Set([502, 503, 504]);
/** The widths in which the server shows pictures. */
export const WIDTHS = [256, 512, 1024, 2048];

/**
 * Where the API is: modules are served at `{root}/web/{build}/lib/`, so that their own address tells, whatever the
 * path prefix.
 */
export const BASE = new URL('../../../studio/v1/', import.meta.url);

/** A refusal of the server, or a failure on the way to it. */
export class ApiError extends Error {
  /**
   * @param {number} status of the answer; 0 where none came
   * @param {StudioError} error what to say
   * @param {{ retryAfter?: number | null, own?: boolean }} [more] milliseconds that the server asks to wait; whether the
   *   API itself answered, and no proxy
   */
  constructor(status, error, { retryAfter = null, own = false } = {}) {
    super(`${status} ${error.code}`);
    this.name = 'ApiError';
    this.status = status;
    this.error = error;
    this.retryAfter = retryAfter;
    this.own = own;
  }
}

/**
 * Pasted keys by provider. They live in the tab's memory alone and leave it in a header alone.
 * @typedef {object} Keys
 * @property {(provider: string, key: string) => boolean} set false where it cannot be a key: it has letters that no
 *   header takes
 * @property {(provider: string | null) => string | null} get
 * @property {(provider: string) => void} forget
 */

/** @returns {Keys} */
export function createKeys() {
  /** @type {Map<string, string>} */
  const keys = new Map();
  return {
    set(provider, key) {
      const pasted = key.trim();
      if (!/^[\x21-\x7e]+$/.test(pasted)) return false;
      keys.set(provider, pasted);
      return true;
    },
    get: (provider) => (provider === null ? null : (keys.get(provider) ?? null)),
    forget: (provider) => void keys.delete(provider),
  };
}

/**
 * Return a new idempotency key. `crypto.randomUUID` is missing on plain http, where only loopback counts as secure.
 * @param {Pick<Crypto, 'getRandomValues'>} [source]
 */
export function newKey(source = crypto) {
  return [...source.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * How a submission goes.
 * @typedef {object} SubmitOptions
 * @property {string} key the idempotency key
 * @property {string | null} [provider] whose pasted key goes along
 * @property {number} [patience] milliseconds
 * @property {AbortSignal} [signal] ends the attempts; whether one has arrived is then unknown
 * @property {(why: ApiError) => void} [onWait] is called before each further attempt
 */

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * Return the API's client.
 * @param {object} [options]
 * @param {URL | string} [options.base] ends in a slash
 * @param {typeof fetch} [options.fetch]
 * @param {Keys} [options.keys]
 * @param {EventTarget} [options.wakers] `window`: its `online` event ends a wait
 * @param {typeof wait} [options.wait]
 * @param {() => number} [options.now]
 * @param {() => number} [options.random]
 */
export function createApi(options = {}) {
  const {
    base = BASE,
    fetch: ask = (...request) => fetch(...request),
    keys = createKeys(),
    wakers = typeof window === 'undefined' ? undefined : window,
    wait: pause = wait,
    now = Date.now,
    random = Math.random,
  } = options;

  /** @param {string} path relative to the API's base */
  const at = (path) => new URL(path, base).href;

  /**
   * Send a request once.
   * @template T
   * @param {string} path
   * @param {RequestInit} request
   * @param {(answer: Response) => Promise<T>} [read]
   * @returns {Promise<T>}
   */
  async function once(path, request, read = (answer) => answer.json()) {
    /** @type {Response} */
    let answer;
    try {
      answer = await ask(at(path), { credentials: 'same-origin', ...request });
    } catch (failure) {
      request.signal?.throwIfAborted();
      throw lost(failure);
    }
    if (!answer.ok) throw await refused(answer, now());
    try {
      return await read(answer);
    } catch (failure) {
      request.signal?.throwIfAborted();
      throw lost(failure); // it was cut off on its way
    }
  }

  /**
   * Send a request until it is answered; only what may arrive twice.
   * @template T
   * @param {string} path
   * @param {RequestInit} request
   * @param {number} patience
   * @param {(error: ApiError) => boolean} passing whether a further attempt may help
   * @param {(why: ApiError) => void} [onWait]
   * @returns {Promise<T>}
   */
  async function repeated(path, request, patience, passing, onWait) {
    const deadline = now() + patience;
    for (let failed = 1; ; failed += 1) {
      const attempt = withTimeout(request.signal ?? undefined, ATTEMPT);
      try {
        return await once(path, { ...request, signal: attempt.signal });
      } catch (error) {
        request.signal?.throwIfAborted();
        const why = error instanceof ApiError ? error : lost(error);
        const delay = why.retryAfter ?? backoff(failed, PAUSE, random);
        if (!passing(why) || now() + delay > deadline) throw why;
        onWait?.(why);
        // A server that asks for a pause is not asked earlier because the network is back.
        await pause(delay, request.signal ?? undefined, why.retryAfter === null ? wakers : undefined);
      } finally {
        attempt.clear();
      }
    }
  }

  /**
   * @template T
   * @param {string} path
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  const get = (path, signal) => repeated(path, signal ? { signal } : {}, PATIENCE.get, mayPass);

  /**
   * @template T
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {{ headers?: { [name: string]: string }, signal?: AbortSignal }} [more]
   * @returns {Promise<T>}
   */
  const send = (method, path, body, { headers = {}, signal } = {}) =>
    once(path, {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });

  /**
   * @param {string | null | undefined} provider
   * @returns {{ [name: string]: string }}
   */
  const withKey = (provider) => {
    const key = keys.get(provider ?? null);
    return key === null ? {} : { 'X-Provider-Key': key };
  };

  /**
   * Begin a job, or an experiment. After a lost line the same body is sent with the same key until the server has
   * answered, so that no click is lost and none runs twice.
   * @template T
   * @param {string} path
   * @param {unknown} body
   * @param {SubmitOptions} options
   * @returns {Promise<T>}
   */
  function begin(path, body, { key, provider, patience = PATIENCE.submit, signal, onWait }) {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key, ...withKey(provider) };
    const request = { method: 'POST', headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) };
    return repeated(path, request, patience, mayPass, onWait);
  }

  return {
    keys,
    at,
    get,
    send,
    once,
    begin,
    /** The address of the stream of events. */
    events: at('events'),

    /** @returns {Promise<Specs>} */
    specs: () => get('specs'),

    /**
     * Store a picture as a reference. It is not repeated: the file may be large, and the person still has it.
     * @param {Blob} file
     * @param {{ name?: string, signal?: AbortSignal }} [more]
     * @returns {Promise<Reference>}
     */
    uploadReference(file, { name, signal } = {}) {
      const body = new FormData();
      body.append('file', file, name ?? ('name' in file ? String(file.name) : 'picture'));
      return once('references', { method: 'POST', body, ...(signal ? { signal } : {}) });
    },

    /**
     * Ask what a picture's file says of how it was made.
     * @param {Blob} file
     * @returns {Promise<ReadRecipe>}
     */
    readRecipe(file) {
      const body = new FormData();
      body.append('file', file, 'picture');
      return once('recipes/read', { method: 'POST', body });
    },

    /**
     * @param {string} url
     * @param {{ signal?: AbortSignal }} [more]
     * @returns {Promise<Reference>}
     */
    referenceFromUrl: (url, more) => send('POST', 'references', { url }, more),

    /**
     * @param {number} result its id
     * @param {{ signal?: AbortSignal }} [more]
     * @returns {Promise<Reference>}
     */
    referenceFromResult: (result, more) => send('POST', 'references', { result }, more),

    /**
     * @param {string} digest
     * @param {AbortSignal} [signal]
     * @returns {Promise<Reference>}
     */
    reference: (digest, signal) => get(`references/${digest}`, signal),

    /**
     * @param {JobBody} body
     * @param {SubmitOptions} options
     * @returns {Promise<Job>}
     */
    submitJob: (body, options) => begin('jobs', body, options),

    /**
     * Return a small draft of what a job would make; nothing of it is recorded.
     * @param {JobBody} body
     * @param {AbortSignal} signal
     * @returns {Promise<Blob>}
     */
    draft: (body, signal) =>
      once(
        'live',
        { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal },
        (answer) => answer.blob(),
      ),

    /**
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Job>}
     */
    job: (id, signal) => get(`jobs/${id}`, signal),

    /**
     * @param {string} id
     * @returns {Promise<Job>}
     */
    cancelJob: (id) => send('POST', `jobs/${id}/cancel`),

    /**
     * @param {{ q?: string, limit?: number, cursor?: string | null, signal?: AbortSignal }} [query]
     * @returns {Promise<ResultPage>}
     */
    results({ q, limit, cursor, signal } = {}) {
      const query = new URLSearchParams();
      if (q) query.set('q', q);
      if (limit) query.set('limit', String(limit));
      if (cursor) query.set('cursor', cursor);
      return get(`results?${query}`, signal);
    },

    /**
     * @param {number} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Result>}
     */
    result: (id, signal) => get(`results/${id}`, signal),

    /**
     * @param {number[]} ids
     * @returns {Promise<{ deleted: number[] }>}
     */
    deleteResults: (ids) => send('DELETE', 'results', { ids }),

    /**
     * Ask what a provider's account has left. A key that is good resumes the jobs that wait for one.
     * @param {string} provider
     * @returns {Promise<{ balance: number | null }>}
     */
    checkProvider: (provider) => send('POST', `providers/${provider}/check`, undefined, { headers: withKey(provider) }),

    /** @param {string} digest */
    referenceFile: (digest) => at(`references/${digest}/file`),
    /**
     * @param {string} digest
     * @param {number} width pixels of the screen
     */
    referenceView: (digest, width) => at(`references/${digest}/view?width=${viewWidth(width)}`),
    /**
     * @param {number} id
     * @param {string} [name] of the download
     * @param {'embed' | 'mark' | 'none'} [recipe] what it holds besides the picture; the app's owner chooses else
     */
    resultFile: (id, name, recipe) =>
      at(
        `results/${id}/file${name ? `?name=${encodeURIComponent(name)}` : ''}${name && recipe ? `&recipe=${recipe}` : ''}`,
      ),
    /**
     * @param {number} id
     * @param {string} name of the download
     */
    resultRecipe: (id, name) => at(`results/${id}/recipe?name=${encodeURIComponent(name)}`),
    /**
     * @param {number} id
     * @param {number} width pixels of the screen
     */
    resultView: (id, width) => at(`results/${id}/view?width=${viewWidth(width)}`),
    /**
     * @param {string} job its id
     * @param {number} place of the image, from 0
     * @param {number} count of the job's previews: a new number is a new address
     */
    jobPreview: (job, place, count) => at(`jobs/${job}/preview/${place}?${count}`),
  };
}

/**
 * Return the smallest width that the server shows and that is at least as wide, else the widest.
 * @param {number} width pixels of the screen
 */
export function viewWidth(width) {
  return WIDTHS.find((each) => each >= width) ?? WIDTHS[WIDTHS.length - 1] ?? width;
}

/**
 * Return whether a further attempt may help: after a lost line, when a proxy's server is away, when the API asks to wait.
 * @param {ApiError} error
 */
function mayPass({ status, own, retryAfter }) {
  return status === 0 || (own ? status === 503 && retryAfter !== null : UNREACHED.has(status));
}

/**
 * @param {unknown} failure
 * @returns {ApiError}
 */
function lost(failure) {
  const error = new ApiError(0, { ...message('connection-lost'), field: null, charged: null });
  error.cause = failure;
  return error;
}

/**
 * Return the error of an answer. Whatever stands before the API may answer in its own way: a proxy, or a check of the
 * app that comes before the routes.
 * @param {Response} answer
 * @param {number} now
 */
async function refused(answer, now) {
  const body = await answer.json().catch(() => null);
  const plain = { field: null, charged: null };
  /** @type {StudioError} */
  let error = { ...message('server-answered', { status: String(answer.status) }), ...plain };
  const own = typeof body?.error?.code === 'string';
  if (own) error = { ...plain, values: {}, ...body.error };
  else if (typeof body?.detail === 'string') error = { ...message('recorded', { what: body.detail }), ...plain };
  return new ApiError(answer.status, error, { retryAfter: retryAfter(answer.headers, now), own });
}

/**
 * Return a signal that aborts with another one, or after a time.
 * @param {AbortSignal | undefined} signal
 * @param {number} milliseconds
 */
function withTimeout(signal, milliseconds) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new Error('no answer')), milliseconds);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const clear = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, clear };
}
