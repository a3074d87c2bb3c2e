import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, retryAfter, wait } from './wait.js';

test('a wait ends by time, by an abort, or when the browser is online again', async () => {
  await wait(1);
  const controller = new AbortController();
  const aborted = wait(60_000, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  await assert.rejects(wait(60_000, controller.signal), /enough/);
  const wakers = new EventTarget();
  const woken = wait(60_000, undefined, wakers);
  wakers.dispatchEvent(new Event('online'));
  await woken;
});

test('pauses double up to a limit and are spread', () => {
  const range = { first: 100, most: 1000 };
  assert.deepEqual(
    [1, 2, 3, 4, 5, 99].map((failed) => backoff(failed, range, () => 1)),
    [100, 200, 400, 800, 1000, 1000],
  );
  assert.equal(
    backoff(5, range, () => 0),
    500,
  );
});

test('a server asks to wait in seconds or until a date', () => {
  const asked = (/** @type {string} */ value) =>
    retryAfter(new Headers({ 'Retry-After': value }), Date.UTC(2026, 0, 1));
  assert.equal(asked('2'), 2000);
  assert.equal(asked('Thu, 01 Jan 2026 00:00:05 GMT'), 5000);
  assert.equal(asked('Thu, 01 Jan 2025 00:00:05 GMT'), 0);
  assert.equal(asked('soon'), null);
  assert.equal(retryAfter(new Headers(), 0), null);
});
