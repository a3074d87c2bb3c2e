// Live drafts in turn: the newest that is wanted is made, an older one is dropped, and none is shown after a newer.

/**
 * @template T
 * @typedef {object} InTurn
 * @property {(wanted: string, ask: (signal: AbortSignal) => Promise<T>) => void} want asks for a draft; of the same again
 *   nothing is asked
 * @property {() => void} stop drops what is on its way
 */

/** Milliseconds without a new draft after which the one on its way may end, though a newer is wanted. */
const PATIENCE = 1000;

/**
 * @template T
 * @param {object} options
 * @param {(draft: T) => void} options.show
 * @param {(error: unknown) => void} options.fail
 * @param {() => number} [options.now] milliseconds
 * @returns {InTurn<T>}
 */
export function inTurn({ show, fail, now = () => performance.now() }) {
  /** What is wanted, while it is not made. @type {{ about: string, ask: (signal: AbortSignal) => Promise<T> } | null} */
  let next = null;
  /** @type {{ about: string, controller: AbortController } | null} */
  let making = null;
  let last = '';
  let shownAt = now();

  async function work() {
    while (next) {
      const { about, ask } = next;
      next = null;
      const controller = new AbortController();
      making = { about, controller };
      try {
        const draft = await ask(controller.signal);
        if (!controller.signal.aborted) {
          shownAt = now();
          show(draft);
        }
      } catch (error) {
        if (!controller.signal.aborted) {
          last = ''; // the same may be tried again
          fail(error);
        }
      }
      making = null;
    }
  }

  return {
    want(about, ask) {
      if (about === last) return;
      last = about;
      next = { about, ask };
      if (!making) void work();
      else if (now() - shownAt < PATIENCE) making.controller.abort();
    },
    stop() {
      next = null;
      last = '';
      making?.controller.abort();
    },
  };
}
