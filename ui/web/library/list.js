// The list of what was found: asked for as people type, kept while they look at it, renewed when something comes or
// goes. One question is on its way at a time, and the next one is the latest: so no older answer comes over a newer one,
// and nobody waits for a pause in typing.

import { groupsOf } from './blocks.js';
import { sameFilter } from './filter.js';
import { FIRST } from './library.js';
import { createPages } from './pages.js';

/** @import { Result } from '../types.js' */
/** @import { Group } from './blocks.js' */
/** @import { Calls } from './library.js' */
/** @import { Block, Filter, Index } from './types.js' */

/**
 * Why a list is asked for: it is another one (`other`), it is shown in place of the old one where one is (`same`), or it
 * may have more at the top, which must not move what is looked at (`more`).
 * @typedef {'other' | 'same' | 'more'} Reason
 */
/** @type {readonly Reason[]} */
const RANK = ['more', 'same', 'other'];

/**
 * An answer that was asked for before there was a list.
 * @typedef {object} Early
 * @property {Filter} filter
 * @property {Promise<[Index, Result[]]>} answer
 */

/** @typedef {ReturnType<typeof createList>} List */

/**
 * @param {object} options
 * @param {Pick<Calls, 'index' | 'first' | 'block'>} options.calls
 * @param {(reason: Reason, before: number) => void} options.onList is called when another list is there, with how many
 *   pictures the last one had
 * @param {() => void} options.onCome is called when pictures of it have come
 * @param {() => boolean} options.mayMove whether what is new may be shown at once
 * @param {(error: unknown) => void} options.onFail
 * @param {Early | null} [options.early]
 */
export function createList({ calls, onList, onCome, mayMove, onFail, early = null }) {
  /** What is wanted. @type {Filter} */
  let filter = {};
  /** What the list was asked for by. @type {Filter} */
  let listed = {};
  /** @type {readonly Block[] | null} */
  let blocks = null;
  let total = 0;
  /** @type {Group[]} */
  let groups = [];
  /** What is new, and not shown yet. @type {{ index: Index, first: Result[] } | null} */
  let waiting = null;
  /** @type {Reason | null} */
  let pending = null;
  /** @type {Promise<void> | null} */
  let running = null;

  const pages = createPages({ fetch: (block, signal) => calls.block(listed, block, signal), onCome, onFail });

  /** @param {Reason} reason */
  function ask(reason) {
    if (pending === null || RANK.indexOf(reason) > RANK.indexOf(pending)) pending = reason;
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  }

  async function work() {
    while (pending !== null) {
      const reason = pending;
      pending = null;
      const wanted = filter;
      try {
        const [index, first] = await answered(wanted);
        const other = reason === 'other' || !sameFilter(wanted, listed);
        if (!other && reason === 'more' && !mayMove()) hold({ index, first });
        else adopt(other ? 'other' : reason, wanted, index, first);
      } catch (error) {
        onFail(error);
      }
    }
  }

  /** @param {Filter} wanted @returns {Promise<[Index, Result[]]>} */
  function answered(wanted) {
    const before = early;
    early = null;
    if (before && sameFilter(before.filter, wanted)) return before.answer;
    return Promise.all([calls.index(wanted), calls.first(wanted, FIRST)]);
  }

  /** @param {{ index: Index, first: Result[] }} answer */
  function hold(answer) {
    waiting = answer.index.total > total ? answer : null;
    onList('more', total);
  }

  /**
   * @param {Reason} reason
   * @param {Filter} wanted
   * @param {Index} index
   * @param {Result[]} first
   */
  function adopt(reason, wanted, index, first) {
    const before = total;
    listed = wanted;
    waiting = null;
    pages.set(index.blocks, first);
    take(index.blocks);
    onList(reason, before);
  }

  /** @param {readonly Block[]} list */
  function take(list) {
    blocks = list;
    groups = groupsOf(list);
    total = list.reduce((sum, { count }) => sum + count, 0);
  }

  return {
    pages,
    ask,

    /** @param {Filter} wanted */
    seek(wanted) {
      if (blocks !== null && pending === null && running === null && sameFilter(wanted, filter)) return running;
      filter = wanted;
      return ask('other');
    },

    /** Show what is new. */
    takeWaiting() {
      if (waiting) adopt('same', listed, waiting.index, waiting.first);
    },

    /**
     * Take pictures out of the list that are gone.
     * @param {readonly number[]} ids
     */
    remove(ids) {
      const there = ids.filter((id) => pages.placeOf(id) >= 0);
      const before = total;
      const left = there.length ? pages.remove(there) : null;
      if (left) {
        take(left);
        onList('same', before);
      }
      return there.length === ids.length;
    },

    get filter() {
      return filter;
    },
    /** What the list was found by; what is typed meanwhile is not. */
    get listed() {
      return listed;
    },
    get groups() {
      return groups;
    },
    get total() {
      return total;
    },
    get known() {
      return blocks !== null;
    },
    get blocks() {
      return blocks ?? [];
    },
    /** How many pictures are new, and not shown yet. */
    get fresh() {
      return waiting ? waiting.index.total - total : 0;
    },
  };
}
