import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparable, framesIn, letterOf, moved, nextPair, pairIn, REFERENCE, swapped } from './order.js';

const IDS = [11, 12, 13];

test('pictures are called by letters, each is there once, and there are nine at most', () => {
  assert.deepEqual(
    IDS.map((_, at) => letterOf(at)),
    ['A', 'B', 'C'],
  );
  assert.deepEqual(comparable([5, 5, Number.NaN, -1, 0, 6]), [5, 6]);
  assert.equal(comparable(Array.from({ length: 20 }, (_, at) => at + 1)).length, 9);
});

test('a picture moves to another place, and the others close up', () => {
  assert.deepEqual(moved(IDS, 0, 2), [12, 13, 11]);
  assert.deepEqual(moved(IDS, 2, 0), [13, 11, 12]);
  assert.deepEqual(moved(IDS, 1, 99), [11, 13, 12]);
  assert.deepEqual(moved(IDS, 1, -1), [12, 11, 13]);
});

test('two pictures change places, and a digit without a picture does nothing', () => {
  assert.deepEqual(swapped(IDS, 0, 2), [13, 12, 11]);
  assert.deepEqual(swapped(IDS, 0, 7), IDS);
});

test('the chosen pair stays as far as its pictures are there', () => {
  assert.deepEqual(pairIn(IDS, null, true), [11, 12]);
  assert.deepEqual(pairIn(IDS, [13, 11], true), [13, 11]);
  assert.deepEqual(pairIn(IDS, [99, 13], true), [11, 13]);
  assert.deepEqual(pairIn(IDS, [12, 99], true), [12, 11]);
  assert.deepEqual(pairIn(IDS, [REFERENCE, 12], true), [REFERENCE, 12]);
  assert.deepEqual(pairIn(IDS, [REFERENCE, 12], false), [11, 12]);
  assert.deepEqual(pairIn([11], null, true), [REFERENCE, 11]);
  assert.equal(pairIn([11], null, false), null);
});

test('one goes through all pairs and around, and against the reference through the pictures', () => {
  assert.deepEqual(nextPair(IDS, [11, 12], 1), [11, 13]);
  assert.deepEqual(nextPair(IDS, [11, 13], 1), [12, 13]);
  assert.deepEqual(nextPair(IDS, [12, 13], 1), [11, 12]);
  assert.deepEqual(nextPair(IDS, [12, 11], -1), [12, 13]);
  assert.deepEqual(nextPair(IDS, [REFERENCE, 13], 1), [REFERENCE, 11]);
  assert.deepEqual(nextPair(IDS, [11, REFERENCE], -1), [13, REFERENCE]);
});

test('frames fill the area, and stand one under the other on a phone', () => {
  const options = { gap: 8, caption: 28, single: false };
  const { columns, rows, frame } = framesIn({ width: 960, height: 400 }, [1.5, 1.5, 1.5], options);
  assert.deepEqual([columns, rows], [3, 1]);
  assert.ok(frame.width * 3 + 16 <= 960 && frame.height + 28 <= 400);
  const nine = framesIn({ width: 960, height: 600 }, Array(9).fill(1.5), options);
  assert.deepEqual([nine.columns, nine.rows], [3, 3]);
  assert.ok(3 * (nine.frame.height + 28) + 16 <= 600);
  const phone = framesIn({ width: 366, height: 500 }, [1.5, 0.5], { ...options, single: true });
  assert.deepEqual([phone.columns, phone.rows, phone.frame], [1, 2, { width: 366, height: 472 }]);
});
