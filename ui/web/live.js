// Live: a draft follows the dials. Fetched when it is switched on first.

import { inTurn } from './lib/drafts-in-turn.js';
import { formIn, jobBody, lockedSeed } from './lib/recipe.js';
import { activeRun, backendOf } from './lib/select.js';
import { errorOf } from './reading.js';

/** @import { Api } from './lib/api.js' */
/** @import { Action, State } from './lib/state.js' */

/** Refusals that say nothing: it is tried again in a moment. */
const PASSING = new Set(['live-busy', 'live-replaced']);
/** Milliseconds until then. */
const PAUSE = 500;
/** Milliseconds of a draft, after the first, beyond which it does not follow: then live is switched off. */
const SLOW = 4000;

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {() => State} parts.state
 * @param {(action: Action) => void} parts.dispatch
 */
export function createLive({ api, state, dispatch }) {
  // Drafts share a seed, so that what differs is what the dials did.
  const seed = 1 + Math.floor(Math.random() * 2 ** 30);
  let made = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;
  let before = '';
  const turn = inTurn({
    show: (/** @type {{ src: string, seconds: number }} */ { src, seconds }) => {
      made += 1;
      dispatch({ type: 'live', on: true, src });
      URL.revokeObjectURL(before);
      before = src;
      if (made > 2 && seconds * 1000 > SLOW) {
        dispatch({ type: 'live', on: false, src: null });
        dispatch({ type: 'problem', error: { code: 'live-slow', values: {}, field: null, charged: false } });
      }
    },
    fail: (error) => {
      const why = errorOf(error);
      if (PASSING.has(why.code)) {
        clearTimeout(retry);
        retry = setTimeout(follow, PAUSE);
        return;
      }
      dispatch({ type: 'live', on: false, src: null });
      dispatch({ type: 'problem', error: why });
    },
  });

  /** Have a draft made of the form as it is now. */
  function follow() {
    const backend = backendOf(state());
    const form = formIn(state().draft);
    const body = backend && jobBody(form, backend);
    if (!state().live || !body?.prompt || activeRun(state())) return;
    const wanted = { ...body, num_images: 1, params: { ...body.params, seed: lockedSeed(form) ?? seed } };
    turn.want(JSON.stringify(wanted), async (signal) => {
      const begun = performance.now();
      const picture = await api.draft(wanted, signal);
      return { src: URL.createObjectURL(picture), seconds: (performance.now() - begun) / 1000 };
    });
  }

  return { follow, stop: turn.stop };
}
