import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carried, groupsOf, lastUpTo, startsOf } from './blocks.js';
import { GAP, HEADING, layoutOf, moved, placeAt, revealed, rowOf, rowsIn, tiles } from './layout.js';

/** @import { Block } from './types.js' */

/** @param {string | null} day @param {number} count @returns {Block} */
const block = (day, count) => ({ day, count, cursor: null, sum: 0 });
const BLOCKS = [block('2026-03-02', 5), block('2026-03-01', 200), block('2026-03-01', 30), block('2026-02-01', 1)];
const LAYOUT = layoutOf(groupsOf(BLOCKS), { columns: 4, tile: 100 });
const ROW = 100 + GAP;

test('blocks of a day are one group, wherever they are cut', () => {
  assert.deepEqual(groupsOf(BLOCKS), [
    { day: '2026-03-02', start: 0, count: 5, first: 0, blocks: 1 },
    { day: '2026-03-01', start: 5, count: 230, first: 1, blocks: 2 },
    { day: '2026-02-01', start: 235, count: 1, first: 3, blocks: 1 },
  ]);
  assert.deepEqual(startsOf(BLOCKS), [0, 5, 205, 235]);
  assert.deepEqual(groupsOf([block(null, 3), block(null, 4), block(null, 0)]), [
    { day: null, start: 0, count: 7, first: 0, blocks: 3 },
  ]);
  assert.deepEqual(groupsOf([block('2026-03-01', 0)]), []);
});

test('a list with hardly a picture a day is divided by months', () => {
  const sparse = ['2026-03-09', '2026-03-08', '2026-03-05', '2026-03-01', '2026-02-27', '2026-02-03', '2026-01-31'];
  assert.deepEqual(
    groupsOf(sparse.map((day) => block(day, 2))).map(({ day, start, count, blocks }) => [day, start, count, blocks]),
    [
      ['2026-03', 0, 8, 4],
      ['2026-02', 8, 4, 2],
      ['2026-01', 12, 2, 1],
    ],
  );
  assert.equal(groupsOf(sparse.map((day) => block(day, 4))).length, 7);
});

test('a value is found among rising ones', () => {
  assert.deepEqual(
    [-1, 0, 4, 5, 204, 205, 900].map((place) => lastUpTo([0, 5, 205, 235], place)),
    [-1, 0, 0, 1, 1, 2, 3],
  );
  assert.equal(lastUpTo([], 3), -1);
});

test('the place of a picture moves on with what comes before it, and never out of the list', () => {
  assert.equal(carried(10, 100, 103, true), 13);
  assert.equal(carried(10, 100, 103, false), 10);
  assert.equal(carried(99, 100, 50, true), 49);
  assert.equal(carried(1, 100, 0, true), 0);
});

test('tiles fill the width, and are about as wide as wanted', () => {
  for (const width of [320, 390, 954, 1560, 2400]) {
    for (const wanted of [80, 176, 304]) {
      const { columns, tile } = tiles(width, wanted);
      const used = columns * tile + (columns - 1) * GAP;
      assert.ok(used <= width && width - used < columns, `${width} ${wanted}`);
      assert.ok(Math.abs(tile - wanted) < wanted * 0.5, `${width} ${wanted} ${tile}`);
    }
  }
  assert.deepEqual(tiles(40, 304), { columns: 1, tile: 40 });
});

test('rows and headings stand one below the other', () => {
  const all = rowsIn(LAYOUT, 0, LAYOUT.height);
  assert.equal(all.length, LAYOUT.total);
  assert.deepEqual(
    all.map(({ number }) => number),
    all.map((_, at) => at),
  );
  let top = 0;
  for (const row of all) {
    assert.equal(row.top, top);
    top += row.heading ? HEADING : ROW;
  }
  assert.equal(
    all.reduce((sum, { count }) => sum + count, 0),
    236,
  );
});

test('of a part of the height only its rows are there, with those that are cut by its edges', () => {
  const all = rowsIn(LAYOUT, 0, LAYOUT.height);
  for (const [top, bottom] of [
    [0, 300],
    [HEADING, HEADING + 1],
    [1234, 1934],
    [LAYOUT.height - 400, LAYOUT.height],
  ]) {
    const from = /** @type {number} */ (top);
    const to = /** @type {number} */ (bottom);
    const wanted = all.filter((row) => row.top < to && row.top + (row.heading ? HEADING : ROW) > from);
    assert.deepEqual(rowsIn(LAYOUT, from, to), wanted, `${from} ${to}`);
  }
  assert.deepEqual(rowsIn(layoutOf([], { columns: 4, tile: 100 }), 0, 700), []);
});

test('every place of the list has its row, and what is behind the end has none', () => {
  const all = rowsIn(LAYOUT, 0, LAYOUT.height).filter(({ heading }) => !heading);
  for (let place = 0; place < 236; place += 1) {
    const row = all.find(({ start, count }) => place >= start && place < start + count);
    assert.deepEqual(rowOf(LAYOUT, place), row);
  }
  assert.equal(rowOf(LAYOUT, 236), null);
  assert.equal(rowOf(LAYOUT, -1), null);
  assert.equal(placeAt(LAYOUT, 0), 0);
  assert.equal(placeAt(LAYOUT, HEADING + ROW), 4);
});

test('keys lead through the list and across days, in the same column', () => {
  const to = (/** @type {number} */ place, /** @type {string} */ key) => moved(LAYOUT, place, key, 3 * ROW);
  assert.equal(to(0, 'ArrowLeft'), 0);
  assert.equal(to(4, 'ArrowRight'), 5);
  assert.equal(to(235, 'ArrowRight'), 235);
  assert.equal(to(3, 'ArrowDown'), 4); // the next row has one picture
  assert.equal(to(4, 'ArrowDown'), 5);
  assert.equal(to(7, 'ArrowUp'), 4);
  assert.equal(to(1, 'ArrowUp'), 1);
  assert.equal(to(6, 'PageDown'), 18);
  assert.equal(to(18, 'PageUp'), 6);
  assert.equal(to(230, 'PageDown'), 235);
  assert.equal(to(100, 'Home'), 0);
  assert.equal(to(100, 'End'), 235);
  assert.equal(to(100, 'x'), null);
  assert.equal(moved(layoutOf([], { columns: 4, tile: 100 }), 0, 'End', 300), null);
});

test('a row comes into view with as little movement as can be', () => {
  const row = /** @type {import('./layout.js').Row} */ (rowOf(LAYOUT, 60));
  assert.equal(revealed(row, 100, row.top - 200, 700), row.top - 200);
  assert.equal(revealed(row, 100, row.top + 50, 700), row.top - GAP - HEADING);
  assert.equal(revealed(row, 100, 0, 700), row.top + ROW - 700);
});

test('without days there are no headings', () => {
  const layout = layoutOf(groupsOf([block(null, 200), block(null, 50)]), { columns: 5, tile: 100 });
  assert.equal(layout.total, 50);
  assert.ok(rowsIn(layout, 0, layout.height).every(({ heading }) => !heading));
});
