import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cell, experiment, job, result } from '../testing/values.js';
import { countsOf, inOrder, middle, moved, sheetOf, withNews } from './sheet.js';

const TWO = experiment({
  axes: [
    { name: 'strength', values: [0.3, 0.9, 0.6] },
    { name: 'seed', values: [9, 7] },
  ],
  cells: [0, 1, 2].flatMap((column) =>
    [0, 1].map((row) => cell({ place: 2 * column + row, at: [column, row], job: `j${column}${row}` })),
  ),
});

test('numbers rise on the screen, whenever they were added, and seeds stay in their order', () => {
  const { columns, rows } = sheetOf(TWO);
  assert.deepEqual(
    columns.map(({ value }) => value),
    [0.3, 0.6, 0.9],
  );
  assert.deepEqual(
    rows.map(({ value }) => value),
    [9, 7],
  );
});

test('a place on the screen has the cell of its values', () => {
  assert.equal(sheetOf(TWO).cell(1, 1, 0)?.place, 5);
  assert.equal(sheetOf(TWO).cell(9, 0, 0), null);
});

test('what is hidden leaves its place to the next', () => {
  const sheet = sheetOf(TWO, new Set(['0:0', '1:0']));
  assert.equal(sheet.cell(0, 0, 0)?.place, 5);
  assert.equal(sheet.columns.length, 2);
});

test('a third axis makes pages', () => {
  const three = experiment({
    axes: [...TWO.axes, { name: 'prompt', values: ['a', 'b'] }],
    cells: [cell({ place: 0, at: [0, 0, 0] }), cell({ place: 1, at: [0, 0, 1] })],
  });
  const sheet = sheetOf(three);
  assert.equal(sheet.pages.length, 2);
  assert.equal(sheet.cell(0, 0, 1)?.place, 1);
});

test('cells of one axis are sorted by what is measured, and what is not comes last in its own order', () => {
  const figures = [null, 0.2, 0.9, null, -0.5];
  const sheet = sheetOf(
    experiment({
      axes: [{ name: 'prompt', values: ['a', 'b', 'c', 'd', 'e'] }],
      cells: figures.map((structure, place) =>
        cell({
          place,
          at: [place],
          meters: structure === null ? null : { structure, colour_shift: place, sharpness: null },
        }),
      ),
    }),
  );
  const order = (/** @type {Parameters<typeof inOrder>[1]} */ by) => {
    const { columns, cell: at } = inOrder(sheet, by);
    const places = columns.map((_, column) => at(column, 0, 0)?.place);
    assert.deepEqual(
      columns.map((line) => line.at),
      places,
    );
    return places;
  };
  assert.deepEqual(order('own'), [0, 1, 2, 3, 4]);
  assert.deepEqual(order('structure'), [2, 1, 4, 0, 3]);
  assert.deepEqual(order('colour_shift'), [4, 2, 1, 0, 3]);
  assert.deepEqual(order('sharpness'), [0, 1, 2, 3, 4]);
  assert.equal(inOrder(sheet, 'structure').cell(9, 0, 0), null);
});

test('news of a result bring what is measured to its cell', () => {
  const made = experiment({ cells: [cell({ job: 'j1', state: 'done', result: 1 })] });
  const meters = { structure: 0.5, colour_shift: 3, sharpness: 1, palette: [] };
  assert.equal(withNews(made, { results: [result({ meters })] }).cells[0]?.meters?.structure, 0.5);
});

test('news of a job reach its cell, by its place before anybody knew the job', () => {
  const begun = job({ id: 'new', state: 'running', cell: { experiment: 'e1', place: 0 }, preview: 2 });
  const fresh = experiment({ id: 'e1', cells: [cell({ place: 0, job: null, state: 'waiting' })] });
  const after = withNews(fresh, { jobs: [{ ...begun, event: { kind: 'progress', step: 3, total: 9 } }] });
  const [first] = after.cells;
  assert.deepEqual([first?.state, first?.job, first?.step, first?.preview], ['running', 'new', 3, 2]);
  const done = withNews(after, {
    jobs: [{ id: 'new', state: 'done', cost: 0.5 }],
    results: [result({ job: 'new', id: 8 })],
  });
  assert.deepEqual([done.cells[0]?.state, done.cells[0]?.result, done.spent], ['done', 8, 0.5]);
});

test('news of other jobs change nothing', () => {
  assert.equal(withNews(TWO, { jobs: [job({ id: 'other' })], results: [result({ job: 'other' })] }), TWO);
});

test('a deleted picture leaves its cell', () => {
  const made = experiment({ cells: [cell({ job: 'j1', result: 5, state: 'done' })] });
  assert.equal(withNews(made, { deleted: [5] }).cells[0]?.result, null);
});

test('how far the experiment is comes with the stream too', () => {
  const after = withNews(TWO, { experiments: [{ id: TWO.id, state: 'paused', waiting: 3 }] });
  assert.deepEqual([after.state, after.waiting], ['paused', 3]);
});

test('cells are counted by what comes of them', () => {
  const states = /** @type {const} */ (['done', 'failed', 'skipped', 'waiting', 'running', 'deleted']);
  const cells = states.map((state, place) => cell({ place, state }));
  assert.deepEqual(countsOf({ cells }), { all: 6, done: 1, missing: 2, waiting: 1, open: 2 });
});

test('the middle between two values lies on the grid of the parameter', () => {
  assert.equal(middle(0.3, 0.4, 0.05), 0.35);
  assert.equal(middle(0.3, 0.35, 0.05), null);
  assert.equal(middle(2, 6, 1), 4);
});

test('arrows move within the grid', () => {
  const size = { columns: 3, rows: 2 };
  assert.deepEqual(moved('ArrowRight', { column: 2, row: 0 }, size), { column: 2, row: 0 });
  assert.deepEqual(moved('ArrowDown', { column: 2, row: 0 }, size), { column: 2, row: 1 });
  assert.deepEqual(moved('End', { column: 0, row: 1 }, size), { column: 2, row: 1 });
  assert.equal(moved('x', { column: 0, row: 0 }, size), null);
});
