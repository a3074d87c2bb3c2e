import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clamped, MOST, zoomedAt } from './zoom.js';

const WHOLE = { scale: 1, x: 0, y: 0 };

test('the pixel under the pointer stays where it is', () => {
  const point = { x: 120, y: -40 };
  const before = { scale: 2, x: 30, y: 10 };
  const after = zoomedAt(before, 1.5, point);
  const pixel = (/** @type {import('./zoom.js').Zoom} */ zoom) => ({
    x: (point.x - zoom.x) / zoom.scale,
    y: (point.y - zoom.y) / zoom.scale,
  });
  assert.ok(Math.abs(pixel(before).x - pixel(after).x) < 1e-9);
  assert.ok(Math.abs(pixel(before).y - pixel(after).y) < 1e-9);
});

test('a picture is never smaller than its box, and never enlarged without end', () => {
  assert.equal(zoomedAt(WHOLE, 0.1, { x: 5, y: 5 }).scale, 1);
  assert.equal(zoomedAt(WHOLE, 1e6, { x: 0, y: 0 }).scale, MOST);
});

test('a picture that fits does not move, and an enlarged one moves to its edges', () => {
  const box = { width: 100, height: 50 };
  assert.deepEqual(clamped({ scale: 1, x: 40, y: -9 }, box), { scale: 1, x: 0, y: -0 });
  assert.deepEqual(clamped({ scale: 3, x: 400, y: -400 }, box), { scale: 3, x: 100, y: -50 });
});
