import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cleared,
  dayBounds,
  dayIn,
  partsOf,
  rangeChoice,
  rangeValues,
  rangeWords,
  sameFilter,
  without,
  withValues,
} from './filter.js';

test('an empty value is taken away, and so is the order that is there anyway', () => {
  assert.deepEqual(withValues({ q: 'lake', star: 'true' }, { q: '', star: null, tag: 'a', sort: 'newest' }), {
    tag: 'a',
  });
  assert.deepEqual(withValues({}, { sort: 'cost' }), { sort: 'cost' });
});

test('a range is one part, and goes as one', () => {
  const filter = { q: 'x', sort: 'cost', since: '1', until: '2', pixels_min: '3', star: 'true' };
  assert.deepEqual(partsOf(filter), ['date', 'size', 'star']);
  assert.deepEqual(without(filter, 'date'), { q: 'x', sort: 'cost', pixels_min: '3', star: 'true' });
  assert.deepEqual(without(filter, 'star'), { q: 'x', sort: 'cost', since: '1', until: '2', pixels_min: '3' });
  assert.deepEqual(cleared(filter), { sort: 'cost' });
});

test('filters are compared by what they find', () => {
  assert.ok(sameFilter({ a: '1', b: '2' }, { b: '2', a: '1' }));
  assert.ok(!sameFilter({ a: '1' }, { a: '1', b: '2' }));
});

test('each range of a menu is known again in the filter that it makes', () => {
  for (const part of /** @type {const} */ (['size', 'cost'])) {
    for (const choice of [0, 1, 2, 3]) {
      assert.equal(rangeChoice(part, withValues({}, rangeValues(part, choice))), choice);
    }
    assert.equal(rangeChoice(part, {}), -1);
    assert.deepEqual(withValues({ cost_max: '1', pixels_max: '1' }, rangeValues(part, -1)), {
      [part === 'size' ? 'cost_max' : 'pixels_max']: '1',
    });
  }
});

test('a range is said in words', () => {
  const said = (/** @type {'size' | 'cost'} */ part, /** @type {number} */ choice) =>
    rangeWords(part, withValues({}, rangeValues(part, choice)));
  assert.deepEqual(said('size', 0), { code: 'library-size-to', values: { to: 0.5 } });
  assert.deepEqual(said('size', 2), { code: 'library-size-between', values: { from: 1, to: 2 } });
  assert.deepEqual(said('size', 3), { code: 'library-size-from', values: { from: 2 } });
  assert.deepEqual(said('cost', 0), { code: 'price-free', values: {} });
  assert.deepEqual(said('cost', 1), { code: 'library-cost-to', values: { to: 0.01 } });
  assert.deepEqual(said('cost', 3), { code: 'library-cost-from', values: { from: 0.05 } });
});

test('a day lasts from its first moment to its last, where clocks change too', () => {
  for (const day of ['2026-03-29', '2026-10-25', '2026-12-31']) {
    const from = Number(dayBounds(day, false));
    const to = Number(dayBounds(day, true));
    assert.equal(dayIn(String(from)), day);
    assert.equal(dayIn(String(to)), day);
    assert.notEqual(dayIn(String(to + 1)), day);
    assert.notEqual(dayIn(String(from - 1)), day);
  }
  assert.equal(dayBounds('', false), null);
  assert.equal(dayIn(undefined), '');
  assert.equal(dayIn('x'), '');
});
