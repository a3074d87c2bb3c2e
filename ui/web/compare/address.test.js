import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST, read, written } from './address.js';

/** @import { How } from './address.js' */

test('what is written is read again', () => {
  /** @type {How[]} */
  const all = [
    FIRST,
    { look: 'slide', pair: [3, 0], reference: true },
    { look: 'difference', pair: [1_700_000_000_000_001, 7], reference: false },
    { look: 'blink', pair: null, reference: false },
  ];
  for (const how of all) assert.deepEqual(read(written(how)), how);
  assert.equal(written(FIRST), null);
  assert.equal(written({ ...FIRST, reference: false }), 'grid.alone');
});

test('what is spelt wrong is as one begins', () => {
  for (const text of [null, '', 'cube', 'grid.x.y', 'grid.3', 'grid.4.4', 'grid.-1.2']) {
    assert.deepEqual(read(text), FIRST);
  }
});
