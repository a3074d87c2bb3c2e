import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../testing/values.js';
import { createList } from './list.js';

/** @import { Filter, Index } from './types.js' */

/** @param {number} total @returns {Index} */
const index = (total) => ({ total, blocks: total ? [{ day: '2026-03-01', count: total, cursor: null }] : [] });

/** A server whose answers the test sends. */
function backstage({ mayMove = true } = {}) {
  /** @type {{ filter: Filter, answer: (total: number) => Promise<void>, fail: () => Promise<void> }[]} */
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
            answer: async (total) => {
              resolve(index(total));
              await settle();
            },
            fail: async () => {
              reject(new Error('away'));
              await settle();
            },
          });
        }),
      first: async () => [result({ id: 9 }), result({ id: 8 })],
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
  assert.equal(list.remove([8]), true);
  assert.equal(list.total, 1);
  assert.equal(list.remove([77]), false);
});
