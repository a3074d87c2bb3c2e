import assert from 'node:assert/strict';
import { test } from 'node:test';

import { beside } from './peek.js';

const ROOM = { left: 0, top: 0, right: 1000, bottom: 600 };
const box = (/** @type {number} */ left, /** @type {number} */ top) => ({
  left,
  top,
  right: left + 100,
  bottom: top + 100,
});

test('a cell is shown large on the side with the most room, near to it and within the room', () => {
  assert.deepEqual(beside(box(100, 100), ROOM, 1), { left: 208, top: 0, width: 600, height: 600 });
  assert.deepEqual(beside(box(800, 100), ROOM, 1), { left: 192, top: 0, width: 600, height: 600 });
  const wide = beside(box(450, 20), ROOM, 3);
  assert.deepEqual(wide, { left: 0, top: 128, width: 1000, height: 1000 / 3 });
  assert.equal(beside(box(450, 480), ROOM, 3).top + 1000 / 3, 472);
});

test('it does not cover the cell that it shows', () => {
  for (let left = 0; left <= 900; left += 100)
    for (let top = 0; top <= 500; top += 100) {
      const cell = box(left, top);
      const at = beside(cell, ROOM, 1.5);
      const apart =
        at.left >= cell.right ||
        at.left + at.width <= cell.left ||
        at.top >= cell.bottom ||
        at.top + at.height <= cell.top;
      assert.ok(apart, `${left}, ${top}`);
    }
});

test('where a cell fills the room, it is shown over it', () => {
  const cell = { left: 50, top: 50, right: 950, bottom: 550 };
  assert.deepEqual(beside(cell, ROOM, 1), { left: 200, top: 0, width: 600, height: 600 });
});
