// The list of what was found: asked for as people type, kept while they look at it, renewed when something comes or
// goes. One question is on its way at a time, and the next one is the latest: so no older answer comes over a newer one,
// and nobody waits for a pause in typing.
//
// Answers and the stream of events travel on lines of their own, so each says of which change it is, its `revision`. The
// stream reports every change in order: what is older than its latest report is no news.

import { groupsOf } from './blocks.js';
import { MEASURED, sameFilter } from './filter.js';
import { FIRST } from './library.js';
import { createPages } from './pages.js';

/** @import { Result } from '../types.js' */
/** @import { Group } from './blocks.js' */
/** @import { Calls } from './library.js' */
/** @import { Block, Filter, Index } from './types.js' */

/** Filters by what is noted on pictures: a change may take one out of the list. */
const NOTED = ['star', 'tag', 'project', 'q'];

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
 * @property {Promise<Index>} answer
 */

/**
 * What the stream reports: of a change, or at its beginning of all that came since.
 * @typedef {object} Report
 * @property {number} [revision]
 * @property {readonly Result[]} [results] those that came or changed
 * @property {readonly number[]} [deleted]
 * @property {boolean} [stale] whether too much has changed to say what
 */

/** @typedef {ReturnType<typeof createList>} List */

/**
 * @param {object} options
 * @param {Pick<Calls, 'index' | 'block'>} options.calls
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
  /** What is new, and not shown yet. @type {Index | null} */
  let waiting = null;
  /** Of which change the list is. */
  let revision = -1;
  /** The latest change that the stream has reported. */
  let reported = 0;
  /** What is known to be gone, by id, and as of which change: an older answer still has it. @type {Map<number, number>} */
  const gone = new Map();
  /** Why the list has to be asked for when it is looked at. @type {Reason | null} */
  let behind = null;
  /** The revision at which a block was not what the list says of it. */
  let doubted = -1;
  /** @type {Reason | null} */
  let pending = null;
  /** @type {Promise<void> | null} */
  let running = null;

  const pages = createPages({
    fetch: (block, signal) => calls.block(listed, block, signal),
    onCome,
    onFail,
    onMisfit: () => {
      if (running === null && doubted === revision) return false; // it is the same list: a picture cannot be read
      doubted = revision;
      void ask('same');
      return true;
    },
  });

  /** @param {Reason} reason */
  function ask(reason) {
    pending = stronger(pending, reason);
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  }

  async function work() {
    while (pending !== null) {
      const reason = pending;
      pending = null;
      behind = null;
      const wanted = filter;
      const before = early ? 0 : reported;
      try {
        const index = await answered(wanted);
        const other = reason === 'other' || !sameFilter(wanted, listed);
        if (!other && reason === 'more' && !mayMove()) hold(index);
        else adopt(other ? 'other' : reason, wanted, index);
        // What was reported while the answer was on its way may not be in it.
        if (reported > before && index.revision < reported) pending = stronger(pending, 'more');
      } catch (error) {
        behind = stronger(behind, reason);
        doubted = -1;
        onFail(error);
      }
    }
  }

  /** @param {Filter} wanted @returns {Promise<Index>} */
  function answered(wanted) {
    const before = early;
    early = null;
    return before && sameFilter(before.filter, wanted) ? before.answer : calls.index(wanted, FIRST);
  }

  /** @param {Index} index */
  function hold(index) {
    if (index.total <= total && !sameBlocks(index.blocks, blocks ?? [])) {
      adopt('same', listed, index);
      return;
    }
    waiting = index.total > total ? index : null;
    if (waiting === null) {
      revision = index.revision;
      pages.replace(index.results);
    }
    onList('more', total);
  }

  /**
   * @param {Reason} reason
   * @param {Filter} wanted
   * @param {Index} index
   */
  function adopt(reason, wanted, index) {
    const before = total;
    listed = wanted;
    waiting = null;
    revision = index.revision;
    pages.set(index.blocks, index.results);
    for (const [id, at] of gone) if (at <= revision) gone.delete(id);
    const there = [...gone.keys()].filter((id) => pages.placeOf(id) >= 0);
    take((there.length && pages.remove(there)) || index.blocks);
    onList(reason, before);
  }

  /**
   * Take pictures out of the list that are gone.
   * @param {readonly number[]} ids
   * @param {number} to as of which change
   */
  function takeOut(ids, to) {
    const there = ids.filter((id) => pages.placeOf(id) >= 0);
    const elsewhere = ids.some((id) => !gone.has(id) && !there.includes(id));
    if (elsewhere && !pages.complete) behind = stronger(behind, 'same');
    for (const id of ids) gone.set(id, to);
    const before = total;
    const left = there.length ? pages.remove(there) : null;
    if (left) {
      take(left);
      onList('same', before);
    }
  }

  /** Take results as they are now. @param {readonly Result[]} results */
  function renew(results) {
    pages.replace(results);
    if (!waiting) return;
    const by = new Map(results.map((result) => [result.id, result]));
    waiting = { ...waiting, results: waiting.results.map((each) => by.get(each.id) ?? each) };
  }

  /**
   * Return whether a result as it is now may change which pictures the list has, or their order.
   * @param {Result} result
   */
  function concerns({ id, image }) {
    if (pages.placeOf(id) >= 0) return NOTED.some((name) => listed[name]) || byFigure();
    return (image === null) === (listed.failed === 'true');
  }

  function byFigure() {
    return MEASURED.includes(listed.sort ?? '');
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
      if (waiting) adopt('same', listed, waiting);
    },

    /** Ask for the list where something may be missing of it, or is wrong. */
    catchUp() {
      return behind === null ? running : ask(behind);
    },

    /**
     * Take what the stream reports. Where that does not say how the list is now, `catchUp` asks.
     * @param {Report} report
     */
    hear({ revision: to = 0, results, deleted = [], stale = false }) {
      reported = Math.max(reported, to);
      renew(results ?? []);
      if (stale) {
        pages.outdate();
        behind = stronger(behind, 'more');
      }
      if (to <= revision) return; // the list has it
      for (const { id } of results ?? []) gone.delete(id);
      if (blocks === null) for (const id of deleted) gone.set(id, to);
      else takeOut(deleted, to);
      if (blocks === null || (results && !results.some(concerns))) return;
      if (byFigure()) pages.outdate(); // a block in another order has the same sum
      behind = stronger(behind, 'more');
    },

    /**
     * Take pictures out that the server has deleted for this page.
     * @param {readonly number[]} ids
     * @param {number} to its revision
     */
    remove(ids, to) {
      if (to > reported) takeOut(ids, to);
    },

    /**
     * Ask for a list in which pictures are again that the server has restored.
     * @param {readonly number[]} ids
     * @param {number} to its revision
     */
    restore(ids, to) {
      if (to > reported) for (const id of ids) gone.delete(id);
      behind = stronger(behind, 'same');
    },

    /**
     * Take results as the server has changed them for this page.
     * @param {readonly Result[]} results
     * @param {number} to its revision
     */
    change(results, to) {
      if (to > reported) renew(results);
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
      return waiting ? waiting.total - total : 0;
    },
  };
}

/**
 * @param {Reason | null} one
 * @param {Reason} other
 * @returns {Reason}
 */
function stronger(one, other) {
  return one !== null && RANK.indexOf(one) > RANK.indexOf(other) ? one : other;
}

/**
 * @param {readonly Block[]} one
 * @param {readonly Block[]} other
 */
function sameBlocks(one, other) {
  const same = (/** @type {Block} */ block, /** @type {number} */ at) =>
    block.day === other[at]?.day && block.sum === other[at]?.sum && block.cursor === other[at]?.cursor;
  return one.length === other.length && one.every(same);
}
