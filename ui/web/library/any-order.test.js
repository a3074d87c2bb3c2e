import assert from 'node:assert/strict';
import { test } from 'node:test';
import { result } from '../testing/values.js';
import { createList } from './list.js';
import { sumOf } from './pages.js';

/** @import { Result } from '../types.js' */
/** @import { Block, Filter } from './types.js' */

const ROUNDS = 150;
const STEPS = 120;
/** Pictures of a block and of a day, and how many changes the stream reports one by one. */
const BLOCK = 4;
const DAY = 10;
const MOST = 5;

/** @param {number} seed @returns {() => number} as `Math.random` */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Let everything that is ready happen, sooner than a timer would. */
const settled = () => new Promise((resolve) => /** @type {any} */ (globalThis).setImmediate(resolve));

/** A server with a library, which answers at once what it is asked. */
function createServer() {
  /** @type {Map<number, { star: boolean, deleted: boolean }>} */
  const rows = new Map();
  /** The ids that changed, in order. @type {number[]} */
  const changes = [];
  let latest = 0;
  const there = (/** @type {number} */ id) => rows.get(id)?.deleted === false;
  const view = (/** @type {number} */ id) => result({ id, star: rows.get(id)?.star ?? false });
  /** @param {number[]} ids @param {(row: { star: boolean, deleted: boolean }) => boolean} then */
  const each = (ids, then) => {
    const done = ids.filter((id) => then(rows.get(id) ?? { star: false, deleted: true }));
    changes.push(...done);
    return { ids: done, revision: changes.length };
  };
  const server = {
    get revision() {
      return changes.length;
    },
    add() {
      latest += 1;
      rows.set(latest, { star: false, deleted: false });
      changes.push(latest);
    },
    /** @param {number[]} ids */
    remove: (ids) =>
      each(ids, (row) => {
        const was = row.deleted;
        row.deleted = true;
        return !was;
      }),
    /** @param {number[]} ids */
    restore: (ids) =>
      each(ids, (row) => {
        const was = row.deleted;
        row.deleted = false;
        return was;
      }),
    /** @param {number[]} ids */
    star(ids) {
      const done = each(ids, (row) => {
        if (!row.deleted) row.star = !row.star;
        return !row.deleted;
      });
      return { results: done.ids.map(view), revision: done.revision };
    },
    all: () => [...rows.keys()],
    /** @param {Filter} filter @returns {Result[]} */
    list: (filter) =>
      [...rows.keys()]
        .filter((id) => there(id) && (!filter.star || rows.get(id)?.star))
        .sort((one, other) => (filter.sort === 'oldest' ? one - other : other - one))
        .map(view),
    /** @param {Filter} filter */
    index(filter) {
      const list = server.list(filter);
      /** @type {Block[]} */
      const blocks = [];
      for (let at = 0; at < list.length; ) {
        const day = String(Math.floor((list[at]?.id ?? 0) / DAY));
        let end = at;
        while (end < list.length && end < at + BLOCK && Math.floor((list[end]?.id ?? 0) / DAY) === Number(day))
          end += 1;
        const cursor = at ? String(list[at - 1]?.id) : null;
        blocks.push({ day, count: end - at, cursor, sum: sumOf(list.slice(at, end)) });
        at = end;
      }
      return { total: list.length, blocks, results: list.slice(0, BLOCK), revision: changes.length };
    },
    /** @param {Filter} filter @param {Block} block */
    block(filter, { cursor, count }) {
      const behind = (/** @type {number} */ id) =>
        cursor === null || (filter.sort === 'oldest' ? id > Number(cursor) : id < Number(cursor));
      return server
        .list(filter)
        .filter(({ id }) => behind(id))
        .slice(0, count);
    },
    /** @param {number} since @returns {import('./list.js').Report} what the stream says of the changes since a number */
    report(since) {
      const ids = [...new Set(changes.slice(since))];
      if (ids.length > MOST) return { revision: changes.length, stale: true };
      const results = ids.filter(there).map(view);
      return { revision: changes.length, results, deleted: ids.filter((id) => !there(id)) };
    },
  };
  return server;
}

/** @param {() => number} random @param {Filter} filter */
async function play(random, filter) {
  const upTo = (/** @type {number} */ most) => Math.floor(random() * most);
  const one = (/** @type {readonly number[]} */ ids) => ids.slice(upTo(ids.length)).slice(0, 1);
  const server = createServer();
  for (let count = upTo(40); count > 0; count -= 1) server.add();

  /** What is on its way to the server, and back. @type {{ serve: () => void, fail: () => void }[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const answers = [];
  /** @type {import('./list.js').Report[]} */
  const stream = [];
  let told = server.revision;
  let shown = true;
  let mayMove = true;
  /** @type {number[]} */
  let undoable = [];
  /** @template T @param {() => T} serve @returns {Promise<T>} */
  const ask = (serve) =>
    new Promise((resolve, reject) => {
      sent.push({
        serve: () => {
          const answer = serve();
          answers.push(() => resolve(answer));
        },
        fail: () => reject(new Error('away')),
      });
    });

  const list = createList({
    calls: {
      index: (wanted) => ask(() => server.index(wanted)),
      block: (wanted, block) => ask(() => server.block(wanted, block)),
    },
    onList: () => {},
    onCome: () => {},
    mayMove: () => mayMove,
    onFail: () => {},
  });
  const catchUp = () => {
    if (shown) void list.catchUp();
  };
  const here = () => Array.from({ length: list.total }, (_, place) => list.pages.at(place)?.id ?? 0).filter(Boolean);

  /** @type {(() => unknown)[]} */
  const steps = [
    () => server.add(),
    () => server.remove(one(server.all())),
    () => server.restore(one(server.all())),
    () => server.star(one(server.all())),
    () =>
      ask(() => server.remove(one(here()))).then(
        ({ ids, revision }) => {
          undoable = ids;
          list.remove(ids, revision);
          catchUp();
        },
        () => {},
      ),
    () =>
      ask(() => server.restore(undoable)).then(
        ({ ids, revision }) => {
          list.restore(ids, revision);
          catchUp();
        },
        () => {},
      ),
    () =>
      ask(() => server.star(one(here()))).then(
        ({ results, revision }) => list.change(results, revision),
        () => {},
      ),
    () => {
      const from = upTo(list.total);
      list.pages.need(from, Math.min(list.total - 1, from + upTo(12)));
    },
    () => {
      mayMove = !mayMove;
    },
    () => list.takeWaiting(),
    () => {
      shown = !shown;
      catchUp();
    },
    () => sent.splice(upTo(sent.length), 1)[0]?.fail(),
  ];
  /** @type {(() => unknown)[]} */
  const network = [
    () => sent.splice(upTo(sent.length), 1)[0]?.serve(),
    () => answers.splice(upTo(answers.length), 1)[0]?.(),
    () => {
      if (told === server.revision) return;
      stream.push(server.report(told));
      told = server.revision;
    },
    () => {
      const report = stream.shift();
      if (!report) return;
      list.hear(report);
      catchUp();
    },
  ];
  void list.seek(filter);
  for (let step = 0; step < STEPS; step += 1) {
    const from = random() < 0.65 ? network : steps;
    from[upTo(from.length)]?.();
    await settled();
  }

  // Everything arrives.
  shown = true;
  mayMove = true;
  async function quiet() {
    for (let turns = 0; sent.length || answers.length || stream.length || told !== server.revision; turns += 1) {
      assert.ok(turns < 500, 'it asks without end');
      for (const deliver of network) deliver();
      await settled();
    }
  }
  await quiet();
  list.hear({ revision: server.revision }); // the line is back after what failed
  catchUp();
  await settled();
  await quiet();
  list.takeWaiting();
  for (let round = 0; round < 2; round += 1) {
    for (let from = 0; from < list.total; from += BLOCK) {
      list.pages.need(from, from + BLOCK);
      await quiet();
      await settled();
    }
  }
  const seen = Array.from({ length: list.total }, (_, place) => list.pages.at(place));
  const wanted = server.list(filter);
  const words = (/** @type {(Result | null)[]} */ results) => results.map((each) => each && `${each.id} ${each.star}`);
  assert.deepEqual(words(seen), words(wanted));
}

for (const filter of /** @type {Filter[]} */ ([{}, { sort: 'oldest' }, { star: 'true' }])) {
  test(`in whatever order things happen, the list ends as the server has it: ${JSON.stringify(filter)}`, async () => {
    const given = /** @type {any} */ (globalThis).process.env.SEED;
    const first = Number(given ?? Date.now() % 2 ** 31);
    for (let seed = first; seed < first + (given ? 1 : ROUNDS); seed += 1) {
      try {
        await play(randomFrom(seed), filter);
      } catch (error) {
        throw new Error(`with SEED=${seed}: ${error}`, { cause: error });
      }
    }
  });
}
