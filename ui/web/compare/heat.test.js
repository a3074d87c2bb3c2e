import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourAt, colours, gradient, measure, paint, scaleFor, summary } from './heat.js';

/** @param {[number, number, number][]} pixels */
const rgba = (pixels) => new Uint8ClampedArray(pixels.flatMap((each) => [...each, 255]));

test('a pixel differs by the largest difference of its channels', () => {
  const into = new Uint8Array(4);
  const counts = new Uint32Array(256);
  const one = rgba([
    [0, 0, 0],
    [10, 20, 30],
    [255, 0, 0],
  ]);
  const other = rgba([
    [0, 0, 0],
    [13, 11, 30],
    [0, 0, 9],
  ]);
  measure(one, other, into, 1, counts);
  assert.deepEqual([...into], [0, 0, 9, 255]);
  const { share, mean, most } = summary(counts);
  assert.deepEqual([share.toFixed(3), mean, most], ['0.667', 88, 255]);
});

test('pictures that are the same do not differ', () => {
  const counts = new Uint32Array(256);
  counts[0] = 500;
  assert.deepEqual(summary(counts), { share: 0, mean: 0, most: 0 });
  assert.equal(scaleFor(counts), 8);
  assert.deepEqual(summary(new Uint32Array(256)), { share: 0, mean: 0, most: 0 });
});

test('the scale ends where nearly all pixels fit, and a few hot ones do not hide the rest', () => {
  const counts = new Uint32Array(256);
  counts[3] = 100_000;
  counts[20] = 1000;
  assert.equal(scaleFor(counts), 32);
  counts[250] = 50;
  assert.equal(scaleFor(counts), 32);
  counts[250] = 5000;
  assert.equal(scaleFor(counts), 255);
});

test('each colour is lighter than the last, and beyond the end they stay', () => {
  const light = (/** @type {number} */ part) => {
    const [red, green, blue] = colourAt(part);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (let step = 0; step < 10; step += 1) assert.ok(light((step + 1) / 10) > light(step / 10));
  assert.deepEqual(colourAt(3), colourAt(1));
  assert.match(gradient(), /^linear-gradient\(90deg, rgb\(0 0 4\)/);
});

test('differences are painted by the scale', () => {
  const into = new Uint32Array(3);
  paint(new Uint8Array([0, 16, 200]), colours(16), into);
  const bytes = [...new Uint8Array(into.buffer)];
  assert.deepEqual(bytes, [...colourAt(0), 255, ...colourAt(1), 255, ...colourAt(1), 255]);
});
