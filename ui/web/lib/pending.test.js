import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reference } from '../testing/values.js';
import { openPending } from './pending.js';

/** @import { Pending } from './state.js' */

/** @param {number} [at] @returns {Pending} */
function pending(at = 1000) {
  const used = { ...reference(), notices: [] };
  const body = /** @type {any} */ ({ reference: used.digest, backend: 'one', prompt: 'a lake', style: [], params: {} });
  return { key: 'k1', body, reference: used, at, waiting: /** @type {any} */ ({ code: 'connection-lost' }) };
}

function storage(first = '') {
  let item = first;
  return {
    getItem: () => item || null,
    setItem(/** @type {string} */ _, /** @type {string} */ text) {
      item = text;
    },
  };
}

test('what was sent before a reload is there after it, to be sent again', () => {
  const session = storage();
  openPending({ session }).save([pending()]);
  assert.deepEqual(openPending({ session, now: () => 1010 }).read(), [{ ...pending(), waiting: null }]);
});

test('a click of an hour ago is no longer meant', () => {
  const session = storage();
  openPending({ session }).save([pending()]);
  assert.deepEqual(openPending({ session, now: () => 1000 + 3601 }).read(), []);
});

test('whatever else is stored there is no run', () => {
  for (const item of ['', 'x', '1', '[1]', '[null]', '[{"key":"k"}]', '{"a":1}']) {
    assert.deepEqual(openPending({ session: storage(item), now: () => 0 }).read(), []);
  }
});

test('a full storage costs the memory alone', () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error('full');
    },
  };
  openPending({ session: full }).save([pending()]);
  assert.deepEqual(openPending({ session: full }).read(), []);
});
