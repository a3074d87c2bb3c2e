import assert from 'node:assert/strict';
import { test } from 'node:test';
import { room } from '../testing/values.js';
import { isNearlyFull, removedBy } from './room.js';

test('a run removes as many of the oldest pictures as it has no room for', () => {
  const mine = room({ free_bytes: 250, removable_bytes: 1000, removable_pictures: 10 });
  assert.deepEqual(
    [1, 2, 3, 4, 99].map((images) => removedBy(mine, images)),
    [0, 0, 1, 2, 10],
  );
});

test('nothing of mine is removed where others have more, all is protected, or nothing is known', () => {
  const full = { free_bytes: 0, removable_bytes: 1000, removable_pictures: 10 };
  assert.equal(removedBy(room(full), 1), 1);
  assert.equal(removedBy(room({ ...full, goes_first: false }), 1), 0);
  assert.equal(removedBy(room({ ...full, oldest: null }), 1), 0);
  assert.equal(removedBy(room({ ...full, removable_pictures: 0 }), 1), 0);
  assert.equal(removedBy(null, 1), 0);
});

test('storage is nearly full while there is something that may go', () => {
  assert.equal(isNearlyFull(room({ full: 0.89 })), false);
  assert.equal(isNearlyFull(room({ full: 0.9 })), true);
  assert.equal(isNearlyFull(room({ full: 0.9, oldest: null })), false);
});
