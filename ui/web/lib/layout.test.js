import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrange, GAP, isUpright, ratioOf, screenPixels } from './layout.js';

const RATIOS = [4 / 3, 3 / 2, 2 / 3, 1, 3];

test('a phone and a tablet are held upright where they are narrow, and a desk never is', () => {
  const upright = [
    [390, 844],
    [690, 500],
    [820, 1180],
  ];
  const not = [
    [1280, 720],
    [844, 390],
    [1024, 1366],
    [1000, 700],
  ];
  for (const [width = 0, height = 0] of upright) assert.ok(isUpright({ width, height }), `${width}x${height}`);
  for (const [width = 0, height = 0] of not) assert.ok(!isUpright({ width, height }), `${width}x${height}`);
});

test('what stands under pictures takes height from a single row alone', () => {
  const [beside] = arrange({ width: 1000, height: 300 }, [1, 1], { caption: 20 }).pictures;
  const [over] = arrange({ width: 300, height: 1000 }, [1, 1], { caption: 20 }).pictures;
  assert.deepEqual([beside?.height, over?.height], [280, 300]);
});

test('pictures are side by side or one over the other, whichever makes them larger', () => {
  const wide = { width: 1000, height: 500 };
  const tall = { width: 500, height: 1000 };
  assert.deepEqual([arrange(wide, [1, 1]).columns, arrange(tall, [1, 1]).columns], [2, 1]);
  assert.deepEqual([arrange(wide, [5, 5]).columns, arrange(tall, [0.2, 0.2]).columns], [1, 2]);
  const square = arrange({ width: 600, height: 600 }, Array(4).fill(1));
  assert.deepEqual([square.columns, square.rows], [2, 2]);
  assert.deepEqual(arrange({ width: 1000, height: 450 }, Array(5).fill(1)).columns, 3);
  assert.equal(arrange({ width: 700, height: 300 }, [2]).pictures[0]?.width, 600);
  assert.equal(arrange(wide, []).columns, 1);
});

test('nothing sticks out of its area, and shapes are kept', () => {
  for (const width of [320, 500, 1000, 1700]) {
    for (const height of [200, 480, 900]) {
      for (let count = 1; count <= 9; count += 1) {
        const ratios = Array.from({ length: count }, (_, index) => RATIOS[index % RATIOS.length] ?? 1);
        const { columns, rows, cell, pictures } = arrange({ width, height }, ratios, { caption: 20 });
        assert.ok(columns * rows >= count && columns * (rows - 1) < count);
        assert.ok(columns * cell.width + (columns - 1) * GAP <= width + 1e-6);
        assert.ok(rows * cell.height + (rows > 1 ? 0 : 20) + (rows - 1) * GAP <= height + 1e-6);
        pictures.forEach((picture, index) => {
          assert.ok(picture.width <= cell.width + 1e-6 && picture.height <= cell.height + 1e-6);
          assert.ok(Math.abs(picture.width / picture.height - (ratios[index] ?? 1)) < 1e-6);
        });
      }
    }
  }
});

test('a screen gets the pixels that it shows', () => {
  assert.deepEqual(
    [screenPixels(300, 1), screenPixels(300, 3), screenPixels(300, 0.5), screenPixels(300.2, 1.5)],
    [300, 600, 300, 451],
  );
  assert.deepEqual([ratioOf({ width: 4, height: 2 }), ratioOf(null), ratioOf({ width: 0, height: 3 })], [2, 1, 1]);
});
