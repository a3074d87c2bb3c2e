import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../testing/values.js';
import { createList } from './list.js';

/** @import { Filter, Index } from './types.js' */

/** @param {number} total @param {number} revision @returns {Index} */
const index = (total, revision) => ({
  total,
  revision,
  blocks: total ? [{ day: '2026-03-01', count: total, cursor: null, sum: 17 }] : [],
  results: [result({ id: 9 }), result({ id: 8 })].slice(0, total),
});

/** A server whose answers the test sends. */
function backstage({ mayMove = true } = {}) {
  /** @type {{ filter: Filter, answer: (total: number, revision?: number) => Promise<void>, fail: () => Promise<void> }[]} */
  const asked = [];
  /** @type {string[]} */
  const seen = [];
  let failed = 0;
  const where = { mayMove };
  const settle = () => new Promise((next) => setTimeout(next));
  const list = createList({
    calls: {
      index: (filter) =>
        new Promise((resolve, reject) => {
          asked.push({
            filter,
            answer: async (total, revision = 1) => {
              resolve(index(total, revision));
              await settle();
            },
            fail: async () => {
              reject(new Error('away'));
              await settle();
            },
          });
        }),
      block: async () => [],
    },
    onList: (reason, before) => void seen.push(`${reason} ${before}>${list.total}+${list.fresh}`),
    onCome: () => {},
    mayMove: () => where.mayMove,
    onFail: () => {
      failed += 1;
    },
  });
  return { list, asked, seen, where, failures: () => failed };
}

test('while an answer is on its way, only the latest of what is typed is asked for', async () => {
  const { list, asked, seen } = backstage();
  for (const q of ['l', 'la', 'lak', 'lake']) void list.seek({ q });
  assert.deepEqual(
    asked.map(({ filter }) => filter.q),
    ['l'],
  );
  await asked[0]?.answer(50);
  assert.deepEqual(
    asked.map(({ filter }) => filter.q),
    ['l', 'lake'],
  );
  await asked[1]?.answer(7);
  assert.deepEqual(seen, ['other 0>50+0', 'other 50>7+0']);
  assert.equal(asked.length, 2);
});

test('what comes while one looks at something else waits', async () => {
  const { list, asked, seen, where } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  where.mayMove = false;
  void list.ask('more');
  await asked[1]?.answer(5);
  assert.deepEqual([list.total, list.fresh], [2, 3]);
  list.takeWaiting();
  assert.deepEqual([list.total, list.fresh], [5, 0]);
  where.mayMove = true;
  void list.ask('more');
  await asked[2]?.answer(6);
  assert.deepEqual(seen, ['other 0>2+0', 'more 2>2+3', 'same 2>5+0', 'more 5>6+0']);
});

test('another list takes the place of what waits', async () => {
  const { list, asked, where } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  where.mayMove = false;
  void list.ask('more');
  void list.seek({ star: 'true' });
  await asked[1]?.answer(5);
  await asked[2]?.answer(1);
  assert.deepEqual([list.total, list.fresh], [1, 0]);
});

test('a question that failed leaves the list as it was, and the next one is asked', async () => {
  const { list, asked, failures } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  void list.seek({ q: 'x' });
  await asked[1]?.fail();
  assert.deepEqual([list.total, failures(), list.filter.q], [2, 1, 'x']);
  void list.ask('same');
  await asked[2]?.answer(1);
  assert.equal(list.total, 1);
});

test('what is gone is taken out at once where it is here', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  list.remove([8], 2);
  assert.equal(list.total, 1);
  await list.catchUp();
  assert.equal(asked.length, 1);
});

test('what is gone and not here is asked for where not all of the list is here', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(5);
  list.remove([77], 2);
  void list.catchUp();
  assert.equal(asked.length, 2);
});

test("what the stream reports of one's own deletion is no news", async () => {
  const { list, asked, seen } = backstage();
  void list.seek({});
  await asked[0]?.answer(5);
  list.remove([8], 2);
  list.hear({ revision: 2, results: [], deleted: [8] });
  await list.catchUp();
  assert.equal(asked.length, 1);
  assert.deepEqual(seen, ['other 0>5+0', 'same 5>4+0']);
});

test('a picture that comes in the same report as a deletion is asked for', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  list.hear({ revision: 3, results: [result({ id: 10 })], deleted: [8] });
  void list.catchUp();
  assert.equal(asked.length, 2);
});

test('where too much has changed to report it, the list is asked for', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  list.hear({ revision: 900, stale: true });
  void list.catchUp();
  assert.equal(asked.length, 2);
});

test('a list by a figure is asked for again when a picture of it is measured, one by date is not', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  list.hear({ revision: 2, results: [result({ id: 9 })] });
  await list.catchUp();
  assert.equal(asked.length, 1);
  void list.seek({ sort: 'structure' });
  await asked[1]?.answer(2, 2);
  list.hear({ revision: 3, results: [result({ id: 9 })] });
  void list.catchUp();
  assert.equal(asked.length, 3);
  await asked[2]?.answer(2, 3);
});

test('a run that failed concerns only the list of those', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  list.hear({ revision: 2, results: [result({ id: 10, image: null })], deleted: [] });
  await list.catchUp();
  assert.equal(asked.length, 1);
  void list.seek({ failed: 'true' });
  await asked[1]?.answer(0, 2);
  list.hear({ revision: 3, results: [result({ id: 11, image: null })], deleted: [] });
  void list.catchUp();
  assert.equal(asked.length, 3);
});

test('what is deleted while an answer is on its way does not come back with it, and the list is asked for again', async () => {
  const { list, asked, seen } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  void list.ask('same');
  list.hear({ revision: 2, results: [], deleted: [8] });
  await asked[1]?.answer(2, 1);
  assert.equal(list.total, 1);
  assert.equal(list.pages.placeOf(8), -1);
  await asked[2]?.answer(1, 2);
  assert.deepEqual(seen, ['other 0>2+0', 'same 2>1+0', 'same 1>1+0', 'more 1>1+0']);
  assert.equal(asked.length, 3);
});

test('an answer that the stream has overtaken changes nothing', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.answer(2);
  list.hear({ revision: 5, results: [result({ id: 8, star: true })], deleted: [] });
  list.remove([8], 3);
  list.change([result({ id: 8 })], 4);
  assert.equal(list.total, 2);
  assert.equal(list.pages.at(1)?.star, true);
});

test('after a question that failed, the list is asked for again with what is reported next', async () => {
  const { list, asked } = backstage();
  void list.seek({});
  await asked[0]?.fail();
  list.hear({ revision: 1 });
  void list.catchUp();
  assert.equal(asked.length, 2);
});
