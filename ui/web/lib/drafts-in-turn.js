// Live drafts in turn: the newest that is wanted is made, an older one that has just begun is dropped, and none is shown
// after a newer.

/**
 * @template T
 * @typedef {object} InTurn
 * @property {(wanted: string, ask: (signal: AbortSignal) => Promise<T>) => void} want asks for a draft; of the same again
 *   nothing is asked
 * @property {() => void} stop drops what is on its way
 */

/** Milliseconds of a draft before one has come. */
const USUAL = 1000;
/** The part of the usual time until which a draft is dropped for a newer one; after that the quicker way is to its end. */
const EARLY = 0.35;

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
  /** @type {{ begun: number, controller: AbortController } | null} */
  let making = null;
  let last = '';
  let waitingSince = now(); // for something new
  let usual = USUAL;

  async function work() {
    while (next) {
      const { ask } = next;
      next = null;
      const controller = new AbortController();
      const begun = now();
      making = { begun, controller };
      try {
        const draft = await ask(controller.signal);
        if (!controller.signal.aborted) {
          waitingSince = now();
          usual = waitingSince - begun;
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
      if (!making) {
        waitingSince = now();
        void work();
      } else if (now() - making.begun < EARLY * usual && now() - waitingSince < usual) {
        making.controller.abort(); // where nothing has come for that long, it may end, however the dials move
      }
    },
    stop() {
      next = null;
      last = '';
      making?.controller.abort();
    },
  };
}
