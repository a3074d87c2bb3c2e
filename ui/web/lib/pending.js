// Runs that the server has not confirmed yet, in the tab's own storage: after a reload they are sent again with their
// keys, so that no click is lost, and none counts twice.

import { cleanReference, safeStorage } from './draft.js';

/** @import { Store } from './draft.js' */
/** @import { Pending } from './state.js' */
/** @import { JobBody } from '../types.js' */

const ITEM = 'srpo-studio:pending';
/** Seconds after which a click is no longer what anybody means. */
const AGE = 3600;

/**
 * @param {object} [options]
 * @param {Pick<Store, 'getItem' | 'setItem'>} [options.session]
 * @param {() => number} [options.now] seconds since 1970
 */
export function openPending({ session = safeStorage(() => sessionStorage), now = () => Date.now() / 1000 } = {}) {
  return {
    /** @param {readonly Pending[]} pending */
    save(pending) {
      try {
        session.setItem(ITEM, JSON.stringify(pending.map(({ waiting: _, ...each }) => each)));
      } catch {
        // Without room a reload loses what the server has not confirmed, and nothing else.
      }
    },

    /** @returns {Pending[]} what an earlier page of this tab has sent and never heard of */
    read() {
      try {
        return JSON.parse(session.getItem(ITEM) ?? '[]').flatMap((/** @type {any} */ each) => clean(each, now()));
      } catch {
        return [];
      }
    },
  };
}

/**
 * @param {any} stored
 * @param {number} now
 * @returns {Pending[]} one, or none
 */
function clean(stored, now) {
  const reference = cleanReference(stored?.reference);
  const { key, body, at } = stored ?? {};
  if (!reference || typeof key !== 'string' || typeof at !== 'number' || now - at > AGE) return [];
  if (typeof body?.prompt !== 'string' || body.reference !== reference.digest) return [];
  return [{ key, body: /** @type {JobBody} */ (body), reference, at, waiting: null }];
}
