import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actualScale, carriedOver, FITTED, held, isDeep, limitsOf, percentOf, scaledTo, underLoupe } from './zoom.js';

const LIMITS = { least: 1, most: 100 };

test('the spot under the pointer stays where it is, in and out', () => {
  const point = { x: 80, y: -30 };
  const spot = (/** @type {import('./zoom.js').Zoom} */ zoom) => [
    (point.x - zoom.x) / zoom.scale,
    (point.y - zoom.y) / zoom.scale,
  ];
  let zoom = scaledTo(FITTED, 3, point, LIMITS);
  assert.deepEqual(spot(zoom).map(Math.round), [80, -30]);
  const before = spot(zoom);
  zoom = scaledTo(zoom, 2, point, LIMITS);
  assert.deepEqual(
    spot(zoom).map((each) => each.toFixed(6)),
    before.map((each) => each.toFixed(6)),
  );
});

test('a pixel of the file is one of the screen at the actual scale, whatever the density', () => {
  assert.equal(actualScale(2048, 512, 1), 4);
  assert.equal(actualScale(2048, 512, 2), 2);
  assert.equal(percentOf({ ...FITTED, scale: 4 }, 4), 100);
  assert.equal(percentOf(FITTED, 4), 25);
});

test('squares are drawn beyond 400 percent, not at it', () => {
  assert.equal(isDeep({ ...FITTED, scale: 16 }, 4), false);
  assert.equal(isDeep({ ...FITTED, scale: 16.1 }, 4), true);
});

test('large pictures go down to what fits, small ones to their own pixels, and all far up', () => {
  assert.deepEqual(limitsOf(4), { least: 1, most: 128 });
  assert.deepEqual(limitsOf(0.25), { least: 0.25, most: 8 });
  assert.equal(scaledTo(FITTED, 0.1, { x: 0, y: 0 }, limitsOf(4)).scale, 1);
  assert.equal(scaledTo(FITTED, 1e9, { x: 0, y: 0 }, limitsOf(4)).scale, 128);
});

test('what is larger than its frame covers it, what is smaller stays in the middle', () => {
  const frame = { width: 400, height: 400 };
  const fitted = { width: 400, height: 200 };
  assert.deepEqual(held({ scale: 1, x: 50, y: 50 }, fitted, frame), FITTED);
  assert.deepEqual(held({ scale: 2, x: 900, y: 50 }, fitted, frame), { scale: 2, x: 200, y: 0 });
  assert.deepEqual(held({ scale: 4, x: -100, y: -900 }, fitted, frame), { scale: 4, x: -100, y: -200 });
});

test('in frames of another size what fits still fits, and pixels that were enlarged stay as large', () => {
  assert.deepEqual(carriedOver(FITTED, 300, 900), FITTED);
  const before = { scale: 12, x: 60, y: -30 };
  const after = carriedOver(before, 300, 900);
  assert.equal(after.scale * 900, before.scale * 300);
  assert.deepEqual([after.x, after.y], [60, -30]);
});

test('the loupe shows what lies under it, enlarged', () => {
  const picture = { file: { width: 2000, height: 1000 }, fitted: { width: 400, height: 200 } };
  assert.deepEqual(underLoupe(FITTED, { x: 0, y: 0 }, 160, 4, picture), { x: 900, y: 400, width: 200, height: 200 });
  assert.deepEqual(underLoupe({ scale: 2, x: 40, y: 0 }, { x: 40, y: 20 }, 160, 4, picture), {
    x: 950,
    y: 500,
    width: 100,
    height: 100,
  });
});
