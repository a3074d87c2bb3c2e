import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementHeight, scrolled, spotOf } from './scroll.js';

const SHORT = { height: 50_000, view: 700, highest: 100_000 };
const TALL = { height: 1_000_000, view: 700, highest: 100_000 };

test('what fits scrolls as it is', () => {
  assert.equal(elementHeight(SHORT), 50_000);
  assert.deepEqual(spotOf(1234, SHORT), { top: 1234, scroll: 1234 });
  assert.deepEqual(scrolled({ top: 1234, scroll: 1234 }, 40_000, SHORT), { top: 40_000, scroll: 40_000 });
  assert.deepEqual(spotOf(99_999, SHORT), { top: 49_300, scroll: 49_300 });
  assert.deepEqual(spotOf(10, { height: 300, view: 700 }), { top: 0, scroll: 0 });
});

test('what is higher than an element can be is reached from end to end by the scrollbar', () => {
  assert.equal(elementHeight(TALL), 100_000);
  assert.deepEqual(scrolled({ top: 0, scroll: 0 }, 99_300, TALL), { top: 999_300, scroll: 99_300 });
  const half = scrolled({ top: 0, scroll: 0 }, 49_650, TALL);
  assert.ok(Math.abs(half.top - 499_650) < 10);
  assert.deepEqual(scrolled({ top: 999_300, scroll: 99_300 }, 0, TALL), { top: 0, scroll: 0 });
});

test('small movements move it pixel by pixel', () => {
  let spot = spotOf(500_000, TALL);
  for (let turn = 0; turn < 100; turn += 1) {
    const next = scrolled(spot, spot.scroll + 120, TALL);
    assert.equal(next.top, spot.top + 120);
    spot = next;
  }
});

test('by small movements one comes to both ends, and the element never before', () => {
  for (const by of [-120, 120]) {
    let spot = spotOf(by < 0 ? 60_000 : 940_000, TALL);
    for (let turn = 0; turn < 1000; turn += 1) {
      const wanted = spot.scroll + by;
      const next = scrolled(spot, Math.min(99_300, Math.max(0, wanted)), TALL);
      assert.ok(Math.abs(next.top - spot.top) <= 120, `${turn}: from ${spot.top} to ${next.top}`);
      spot = next;
    }
    assert.equal(spot.top, by < 0 ? 0 : 999_300);
  }
});
