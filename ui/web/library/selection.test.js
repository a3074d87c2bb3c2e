import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf, everything, isSelected, joined, NONE, toggled, withoutGone } from './selection.js';

test('pictures are turned on and off', () => {
  const two = toggled(toggled(NONE, 3), 5);
  assert.deepEqual([isSelected(two, 3), isSelected(two, 4), countOf(two, 100)], [true, false, 2]);
  assert.deepEqual([...toggled(two, 3).ids], [5]);
  assert.equal(countOf(NONE, 100), 0);
});

test('a range joins what is selected', () => {
  assert.deepEqual([...joined(toggled(NONE, 9), [1, 2, 9]).ids].sort(), [1, 2, 9]);
});

test('all are selected but some, and nothing that comes later', () => {
  const all = everything(50);
  assert.deepEqual([countOf(all, 40), isSelected(all, 50), isSelected(all, 51)], [40, true, false]);
  const but = toggled(all, 7);
  assert.deepEqual([countOf(but, 40), isSelected(but, 7)], [39, false]);
  assert.equal(countOf(joined(but, [7, 8]), 40), 40);
});

test('what is gone is selected no longer', () => {
  const some = joined(NONE, [1, 2, 3]);
  assert.deepEqual([...withoutGone(some, [2, 9]).ids], [1, 3]);
  assert.equal(withoutGone(some, [9]).ids, some.ids);
});
