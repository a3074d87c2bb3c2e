import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../testing/values.js';
import { createPages, sumOf } from './pages.js';

/** @import { Result } from '../types.js' */
/** @import { Block } from './types.js' */

const at = (/** @type {number} */ place) => result({ id: 1000 - place, cost: 0.01 });
/** Twenty blocks of ten, of which each names the place where it begins. @type {Block[]} */
const BLOCKS = Array.from({ length: 20 }, (_, number) => ({
  day: null,
  count: 10,
  cursor: String(number * 10),
  sum: sumOf(Array.from({ length: 10 }, (_, place) => at(10 * number + place))),
}));

/** A server whose answers the test sends. */
function backstage() {
  /** @type {{ block: Block, signal: AbortSignal, answer: (given?: Result[]) => Promise<void>, fail: () => Promise<void> }[]} */
  const asked = [];
  /** @type {number[]} */
  const came = [];
  let failed = 0;
  const misfits = { count: 0, renewed: true };
  const pages = createPages({
    fetch: (block, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        const begin = Number(block.cursor);
        const settle = () => new Promise((next) => setTimeout(next));
        asked.push({
          block,
          signal,
          answer: async (given) => {
            resolve(given ?? Array.from({ length: block.count }, (_, place) => at(begin + place)));
            await settle();
          },
          fail: async () => {
            reject(new Error('away'));
            await settle();
          },
        });
      }),
    onCome: (number) => void came.push(number),
    onFail: () => {
      failed += 1;
    },
    onMisfit: () => {
      misfits.count += 1;
      return misfits.renewed;
    },
    remembered: 4,
  });
  pages.set(BLOCKS);
  return { pages, asked, came, misfits, failures: () => failed };
}

test('what is looked at is fetched, two blocks at a time', async () => {
  const { pages, asked, came } = backstage();
  pages.need(5, 34);
  assert.deepEqual(
    asked.map(({ block }) => block.cursor),
    ['0', '10'],
  );
  assert.equal(pages.at(12), null);
  await asked[1]?.answer();
  assert.deepEqual(pages.at(12)?.id, 988);
  assert.equal(asked.length, 3);
  assert.deepEqual(came, [1]);
  pages.need(5, 34);
  assert.equal(asked.length, 3);
});

test('what is left behind is not waited for', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 15);
  pages.need(150, 159);
  assert.ok(asked[0]?.signal.aborted && asked[1]?.signal.aborted);
  assert.equal(asked[2]?.block.cursor, '150');
  await asked[2]?.answer();
  assert.equal(pages.at(155)?.id, 845);
});

test('far away blocks are forgotten, but never the first one', async () => {
  const { pages, asked } = backstage();
  for (let number = 0; number < 12; number += 1) {
    pages.need(number * 10, number * 10 + 9);
    await asked[number]?.answer();
  }
  assert.equal(pages.size, 4);
  assert.equal(pages.at(0)?.id, 1000);
  assert.equal(pages.at(20), null);
  assert.equal(pages.at(115)?.id, 885);
});

test('the first pictures are there before their block is, and a block that they fill is not fetched', async () => {
  const { pages, asked } = backstage();
  pages.set(
    BLOCKS,
    Array.from({ length: 15 }, (_, place) => at(place)),
  );
  assert.equal(pages.at(14)?.id, 986);
  pages.need(0, 14);
  assert.equal(asked.length, 0);
  pages.need(0, 15);
  assert.deepEqual(
    asked.map(({ block }) => block.cursor),
    ['10'],
  );
});

test('a failed block is asked for again when it is wanted again, and not before', async () => {
  const { pages, asked, failures } = backstage();
  pages.need(0, 9);
  await asked[0]?.fail();
  assert.deepEqual([asked.length, failures()], [1, 1]);
  pages.need(0, 9);
  assert.equal(asked.length, 2);
});

test('of another list, blocks in common stay', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 19);
  await asked[0]?.answer();
  await asked[1]?.answer();
  pages.set([{ day: null, count: 3, cursor: 'new', sum: 1 }, ...BLOCKS]);
  assert.equal(pages.at(3)?.id, 1000);
  assert.equal(pages.at(0), null);
});

test('a picture that is gone closes up, and the block is asked for with one less', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 19);
  await asked[0]?.answer();
  await asked[1]?.answer();
  assert.equal(pages.placeOf(995), 5);
  assert.equal(pages.remove([995, 1]), null);
  assert.deepEqual(
    pages.remove([995, 985])?.map(({ count }) => count),
    [9, 9, ...Array(18).fill(10)],
  );
  assert.equal(pages.at(5)?.id, 994);
  assert.equal(pages.at(9)?.id, 990);
  assert.equal(pages.at(17)?.id, 981);
  assert.equal(pages.placeOf(995), -1);
});

test('a picture among the first ones is gone before its block is here', () => {
  const { pages } = backstage();
  pages.set(
    BLOCKS,
    Array.from({ length: 5 }, (_, place) => at(place)),
  );
  assert.equal(pages.remove([999])?.[0]?.count, 9);
  assert.equal(pages.at(1)?.id, 998);
});

test('results are taken as they are now', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 9);
  await asked[0]?.answer();
  assert.equal(pages.replace([{ ...at(4), star: true }, result({ id: 5 })]), 1);
  assert.equal(pages.at(4)?.star, true);
});

test('what a day costs is known once all of it was here', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 19);
  await asked[0]?.answer();
  assert.equal(pages.costOf(0, 2), null);
  await asked[1]?.answer();
  assert.equal(Math.round(100 * Number(pages.costOf(0, 2))), 20);
});

test('whole blocks are fetched where they are not here', async () => {
  const { pages, asked } = backstage();
  const wanted = pages.whole(7);
  await asked[0]?.answer();
  assert.deepEqual(
    (await wanted).map(({ id }) => id),
    Array.from({ length: 10 }, (_, place) => 930 - place),
  );
});

test('an answer that is another block by now is not taken, and asked for again with the list as it is then', async () => {
  const { pages, asked, misfits } = backstage();
  const there = Array.from({ length: 10 }, (_, place) => at(place));
  pages.need(0, 9);
  await asked[0]?.answer(there.slice(1));
  await new Promise((next) => setTimeout(next));
  assert.deepEqual([misfits.count, asked.length, pages.at(0)], [1, 1, null]);
  pages.need(0, 9);
  await asked[1]?.answer([...there.slice(1), at(10)]);
  assert.deepEqual([misfits.count, pages.at(0)], [2, null]);
  misfits.renewed = false;
  pages.need(0, 9);
  await asked[2]?.answer(there.slice(1));
  assert.equal(pages.at(0)?.id, 999);
});

test('what changed while a block was on its way is as it is now', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 9);
  pages.replace([{ ...at(4), star: true }]);
  await asked[0]?.answer();
  assert.equal(pages.at(4)?.star, true);
});

test('what is out of date is shown until it comes again', async () => {
  const { pages, asked } = backstage();
  pages.need(0, 9);
  await asked[0]?.answer();
  assert.equal(pages.complete, false);
  pages.outdate();
  assert.equal(pages.at(4)?.star, false);
  assert.equal(asked.length, 2);
  await asked[1]?.answer(Array.from({ length: 10 }, (_, place) => ({ ...at(place), star: true })));
  assert.equal(pages.at(4)?.star, true);
});
