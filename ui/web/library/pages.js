// The pictures of the blocks that are looked at. What lies far away is forgotten, what is left behind is not waited for.

import { lastUpTo, startsOf } from './blocks.js';

/** @import { Result } from '../types.js' */
/** @import { Block } from './types.js' */

/** Blocks that are remembered, and fetched at a time. */
const REMEMBERED = 16;
const AT_ONCE = 2;

/** @typedef {ReturnType<typeof createPages>} Pages */

/**
 * @param {object} options
 * @param {(block: Block, signal: AbortSignal) => Promise<Result[]>} options.fetch
 * @param {(number: number) => void} options.onCome is called when a block's pictures have come
 * @param {(error: unknown) => void} options.onFail
 * @param {number} [options.remembered]
 */
export function createPages({ fetch, onCome, onFail, remembered = REMEMBERED }) {
  /** @type {readonly Block[]} */
  let blocks = [];
  /** @type {number[]} */
  let starts = [];
  /** The first pictures, which come before the first block does. @type {Result[]} */
  let head = [];
  /** By key, the one that was used last at the end. @type {Map<string, Result[]>} */
  const kept = new Map();
  /** What the pictures of blocks cost, that were here once. @type {Map<string, number>} */
  const costs = new Map();
  /** @type {Map<string, AbortController>} */
  const asked = new Map();
  let wanted = /** @type {number[]} */ ([]);

  /** @param {Block} block */
  const key = ({ cursor, count, day }) => `${day} ${cursor} ${count}`;

  /** @param {number} number */
  function ask(number) {
    const block = blocks[number];
    if (!block) return;
    const name = key(block);
    const controller = new AbortController();
    asked.set(name, controller);
    fetch(block, controller.signal)
      .then((results) => {
        keep(name, results);
        const at = blocks.findIndex((each) => key(each) === name);
        if (at >= 0) onCome(at);
      })
      .catch((error) => {
        if (!controller.signal.aborted) {
          wanted = wanted.filter((each) => each !== number); // asked for again when it is wanted again
          onFail(error);
        }
      })
      .finally(() => {
        if (asked.get(name) === controller) asked.delete(name);
        next();
      });
  }

  /** @param {string} name @param {Result[]} results */
  function keep(name, results) {
    kept.delete(name);
    kept.set(name, results);
    costs.set(
      name,
      results.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
    );
    const first = blocks[0] && key(blocks[0]);
    for (const old of kept.keys()) {
      if (kept.size <= remembered) break;
      // The first block may have no cursor: asked for again, it would begin with what is newer.
      if (old !== first && !wanted.some((number) => blocks[number] && key(blocks[number]) === old)) kept.delete(old);
    }
  }

  function next() {
    for (const number of wanted) {
      if (asked.size >= AT_ONCE) return;
      const block = blocks[number];
      if (block && !kept.has(key(block)) && !asked.has(key(block))) ask(number);
    }
  }

  return {
    /**
     * Take another list. Blocks that it has in common with the last are not fetched again.
     * @param {readonly Block[]} list
     * @param {Result[]} [first] the first pictures, where they are here
     */
    set(list, first = []) {
      blocks = list;
      starts = startsOf(list);
      head = first;
      wanted = [];
      const names = new Set(list.map(key));
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
      for (const name of costs.keys()) if (!names.has(name)) costs.delete(name);
      for (const [name, controller] of asked) if (!names.has(name)) controller.abort();
      list.forEach((block, number) => {
        const begin = /** @type {number} */ (starts[number]);
        if (begin + block.count <= head.length) keep(key(block), head.slice(begin, begin + block.count));
      });
    },

    /**
     * Fetch what is missing of a part of the list; what else was on its way is not waited for.
     * @param {number} from
     * @param {number} to
     */
    need(from, to) {
      /** @type {number[]} */
      const found = [];
      for (let number = Math.max(0, lastUpTo(starts, from)); number < blocks.length; number += 1) {
        const begin = /** @type {number} */ (starts[number]);
        if (begin > to) break;
        const end = begin + /** @type {Block} */ (blocks[number]).count - 1;
        if (end >= from && Math.min(end, to) >= head.length) found.push(number);
      }
      wanted = found;
      const names = new Set(found.map((number) => key(/** @type {Block} */ (blocks[number]))));
      for (const [name, controller] of asked) {
        if (names.has(name)) continue;
        controller.abort();
        asked.delete(name);
      }
      next();
    },

    /**
     * @param {number} place in the list
     * @returns {Result | null} null where it is not here
     */
    at(place) {
      const number = lastUpTo(starts, place);
      const block = blocks[number];
      if (!block) return null;
      const results = kept.get(key(block));
      if (!results) return head[place] ?? null;
      return results[place - /** @type {number} */ (starts[number])] ?? null;
    },

    /**
     * @param {number} id
     * @returns {number} its place in the list; -1 where it is not here
     */
    placeOf(id) {
      for (let number = 0; number < blocks.length; number += 1) {
        const results = kept.get(key(/** @type {Block} */ (blocks[number])));
        const at = results ? results.findIndex((each) => each.id === id) : -1;
        if (at >= 0) return /** @type {number} */ (starts[number]) + at;
      }
      return head.findIndex((each) => each.id === id);
    },

    /**
     * Return the pictures of a block, fetched where they are not here. They are not remembered.
     * @param {number} number
     * @returns {Promise<Result[]>}
     */
    async whole(number) {
      const block = /** @type {Block} */ (blocks[number]);
      return kept.get(key(block)) ?? (await fetch(block, new AbortController().signal));
    },

    /**
     * Return what the pictures of some blocks cost; null where one was never here.
     * @param {number} first
     * @param {number} count
     */
    costOf(first, count) {
      let sum = 0;
      for (const block of blocks.slice(first, first + count)) {
        const cost = costs.get(key(block));
        if (cost === undefined) return null;
        sum += cost;
      }
      return sum;
    },

    /**
     * Take results as they are now.
     * @param {readonly Result[]} results
     * @returns {number} how many of them are here
     */
    replace(results) {
      const by = new Map(results.map((result) => [result.id, result]));
      /** @type {Set<number>} */
      const known = new Set();
      const swap = (/** @type {Result[]} */ list) =>
        list.map((each) => {
          const now = by.get(each.id);
          if (now) known.add(each.id);
          return now ?? each;
        });
      for (const [name, list] of kept) if (list.some(({ id }) => by.has(id))) kept.set(name, swap(list));
      if (head.some(({ id }) => by.has(id))) head = swap(head);
      return known.size;
    },

    /**
     * Take results out of what is here.
     * @param {readonly number[]} ids
     * @returns {readonly Block[] | null} the list without them; null where some are not here, and nothing is taken
     */
    remove(ids) {
      const gone = new Set(ids);
      const places = ids.map((id) => this.placeOf(id));
      if (places.some((place) => place < 0)) return null;
      const fewer = blocks.map(() => 0);
      for (const place of places) fewer[lastUpTo(starts, place)] = (fewer[lastUpTo(starts, place)] ?? 0) + 1;
      const stay = (/** @type {Result} */ { id }) => !gone.has(id);
      const left = blocks.map((block, number) => ({ ...block, count: block.count - (fewer[number] ?? 0) }));
      const before = blocks;
      blocks = left.filter(({ count }) => count > 0);
      starts = startsOf(blocks);
      head = head.filter(stay);
      before.forEach((block, number) => {
        const results = kept.get(key(block));
        if (!results || !fewer[number]) return;
        kept.delete(key(block));
        keep(key(/** @type {Block} */ (left[number])), results.filter(stay));
      });
      return blocks;
    },

    /** How many blocks are remembered, for tests. */
    get size() {
      return kept.size;
    },
  };
}
