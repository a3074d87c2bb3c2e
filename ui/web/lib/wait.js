// Waiting, so that it can be ended early: by an abort, or by the browser's word that the network is back.

/**
 * Wait. Rejects with the signal's reason where that aborts.
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 * @param {EventTarget} [wakers] an `online` event at it ends the wait
 * @returns {Promise<void>}
 */
export function wait(milliseconds, signal, wakers) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(finish, milliseconds);
    const abort = () => {
      clear();
      reject(signal?.reason);
    };
    function finish() {
      clear();
      resolve();
    }
    function clear() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      wakers?.removeEventListener('online', finish);
    }
    signal?.addEventListener('abort', abort);
    wakers?.addEventListener('online', finish);
  });
}

/**
 * Return the milliseconds before a further attempt: twice as long each time, up to a limit, and spread over the upper
 * half of that, so that a thousand browsers do not come back in the same moment.
 * @param {number} failed attempts so far, from 1
 * @param {{ first: number, most: number }} range milliseconds
 * @param {() => number} random
 */
export function backoff(failed, { first, most }, random) {
  const full = Math.min(first * 2 ** Math.min(failed - 1, 20), most);
  return full * (0.5 + random() / 2);
}

/**
 * Return the milliseconds that an answer asks to wait, null where it does not.
 * @param {Headers} headers
 * @param {number} now milliseconds since 1970
 */
export function retryAfter(headers, now) {
  const given = headers.get('retry-after');
  if (given === null) return null;
  const seconds = Number(given);
  const delay = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(given) - now;
  return Number.isFinite(delay) ? Math.max(0, delay) : null;
}
