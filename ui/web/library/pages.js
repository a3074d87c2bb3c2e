// The pictures of the blocks that are looked at. What lies far away is forgotten, what is left behind is not waited for.

import { lastUpTo, startsOf } from './blocks.js';

/** @import { Result } from '../types.js' */
/** @import { Block } from './types.js' */

/** Blocks that are remembered, and fetched at a time. */
const REMEMBERED = 16;
const AT_ONCE = 2;

/** Sums of ids are below this. */
const SUMS = 2 ** 32;

/**
 * Return the sum of results' ids, as the server says it of a block.
 * @param {readonly { id: number }[]} results
 */
export function sumOf(results) {
  return results.reduce((sum, { id }) => (sum + id) % SUMS, 0);
}

/** @typedef {ReturnType<typeof createPages>} Pages */

/**
 * @param {object} options
 * @param {(block: Block, signal: AbortSignal) => Promise<Result[]>} options.fetch
 * @param {(number: number) => void} options.onCome is called when a block's pictures have come
 * @param {(error: unknown) => void} options.onFail
 * @param {() => boolean} [options.onMisfit] is called when an answer is not the block that was asked for, since the server
 *   has another list by now; returns whether that list will be set, else the answer is taken as it is
 * @param {number} [options.remembered]
 */
export function createPages({ fetch, onCome, onFail, onMisfit = () => false, remembered = REMEMBERED }) {
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
  /** Blocks whose pictures have to be fetched again; until they come, the old ones are shown. @type {Set<string>} */
  const outdated = new Set();
  /** Blocks that were taken though they are not what the list says: the next list may have others. @type {Set<string>} */
  const unfit = new Set();
  /** Results that changed while blocks were on their way, which may bring them as they were. @type {Map<number, Result>} */
  const late = new Map();
  let wanted = /** @type {number[]} */ ([]);
  /** How many lists there were. */
  let lists = 0;

  /** @param {Block} block */
  const key = ({ cursor, count, day, sum }) => `${day} ${cursor} ${count} ${sum}`;

  /** @param {number} number */
  function ask(number) {
    const block = blocks[number];
    if (!block) return;
    const name = key(block);
    const controller = new AbortController();
    const list = lists;
    asked.set(name, controller);
    fetch(block, controller.signal)
      .then((results) => {
        const at = blocks.findIndex((each) => key(each) === name);
        if (at < 0 || controller.signal.aborted) return;
        const fitting = results.length === block.count && sumOf(results) === block.sum;
        if (!fitting && list !== lists) return; // it was asked for before this list was: once more
        if (!fitting && onMisfit()) {
          wanted = wanted.filter((each) => each !== number); // asked for again when the other list is set
          return;
        }
        keep(
          name,
          results.map((result) => late.get(result.id) ?? result),
        );
        if (!fitting) unfit.add(name);
        onCome(at);
      })
      .catch((error) => {
        if (!controller.signal.aborted) {
          wanted = wanted.filter((each) => each !== number); // asked for again when it is wanted again
          onFail(error);
        }
      })
      .finally(() => {
        if (asked.get(name) === controller) asked.delete(name);
        if (asked.size === 0) late.clear();
        next();
      });
  }

  /** @param {string} name @param {Result[]} results */
  function keep(name, results) {
    kept.delete(name);
    kept.set(name, results);
    outdated.delete(name);
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
      const name = block && key(block);
      if (name !== undefined && (!kept.has(name) || outdated.has(name)) && !asked.has(name)) ask(number);
    }
  }

  return {
    /**
     * Take another list. Blocks that it has in common with the last are not fetched again.
     * @param {readonly Block[]} list
     * @param {Result[]} [first] the first pictures, where they are here
     */
    set(list, first = []) {
      lists += 1;
      blocks = list;
      starts = startsOf(list);
      head = first;
      wanted = [];
      const names = new Set(list.map(key));
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
      for (const name of costs.keys()) if (!names.has(name)) costs.delete(name);
      for (const name of unfit) outdated.add(name);
      unfit.clear();
      for (const name of outdated) if (!names.has(name)) outdated.delete(name);
      for (const [name, controller] of asked) if (!names.has(name)) controller.abort();
      list.forEach((block, number) => {
        const begin = /** @type {number} */ (starts[number]);
        const results = head.slice(begin, begin + block.count);
        if (results.length === block.count) keep(key(block), results);
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

    /** Fetch all that is here again, as it is looked at: nobody knows what has changed of it. */
    outdate() {
      for (const name of kept.keys()) outdated.add(name);
      for (const controller of asked.values()) controller.abort();
      asked.clear();
      late.clear();
      next();
    },

    /** Whether all pictures of the list are here. */
    get complete() {
      return blocks.every((block) => kept.has(key(block)));
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
      if (asked.size) for (const result of results) late.set(result.id, result);
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
      /** @type {{ id: number }[][]} */
      const taken = blocks.map(() => []);
      places.forEach((place, at) => {
        taken[lastUpTo(starts, place)]?.push({ id: /** @type {number} */ (ids[at]) });
      });
      const stay = (/** @type {Result} */ { id }) => !gone.has(id);
      const left = blocks.map((block, number) => {
        const out = taken[number] ?? [];
        return { ...block, count: block.count - out.length, sum: (block.sum - sumOf(out) + SUMS) % SUMS };
      });
      const before = blocks;
      blocks = left.filter(({ count }) => count > 0);
      starts = startsOf(blocks);
      head = head.filter(stay);
      before.forEach((block, number) => {
        const results = kept.get(key(block));
        if (!results || !taken[number]?.length) return;
        const name = key(/** @type {Block} */ (left[number]));
        kept.delete(key(block));
        keep(name, results.filter(stay));
        if (outdated.delete(key(block)) || unfit.delete(key(block))) outdated.add(name);
      });
      return blocks;
    },

    /** How many blocks are remembered, for tests. */
    get size() {
      return kept.size;
    },
  };
}
