// A provider's key: pasted behind the status dot, kept in the tab's memory, sent with the requests that need it.

import { message } from './lib/message.js';
import { backendOf } from './lib/select.js';
import { errorOf } from './reading.js';

/** @import { Api, Keys } from './lib/api.js' */
/** @import { Action, State } from './lib/state.js' */
/** @import { KeyModel } from './views/status.js' */

/**
 * @param {object} parts
 * @param {Api} parts.api
 * @param {Keys} parts.keys
 * @param {() => State} parts.state
 * @param {(action: Action) => void} parts.dispatch
 * @param {(key: KeyModel) => void} parts.show what is said of the key
 */
export function createProviderKey({ api, keys, state, dispatch, show }) {
  let asking = false;
  const box = () => /** @type {HTMLInputElement | null} */ (document.getElementById('key'));

  /** @param {string} pasted */
  function take(pasted) {
    const provider = backendOf(state())?.provider;
    const field = box();
    if (!provider || !pasted) return;
    if (keys.set(provider, pasted)) dispatch({ type: 'key', provider, known: true });
    if (field) field.value = ''; // it is not left lying about
  }

  return {
    /** Run takes what is in the box, checked or not. */
    takePasted: () => take(box()?.value.trim() ?? ''),

    /** @param {string} pasted empty for the key that is known already */
    async check(pasted) {
      const provider = backendOf(state())?.provider;
      if (!provider || asking) return;
      take(pasted);
      asking = true;
      show({ provider, set: true, asking: true, said: null, bad: false });
      try {
        const { balance } = await api.checkProvider(provider);
        const said = balance === null ? message('ui-owners-key-works') : message('key-accepted', { dollars: balance });
        show({ provider, set: true, asking: false, said, bad: false });
      } catch (error) {
        const said = errorOf(error);
        if (said.code === 'provider-key-rejected') {
          keys.forget(provider);
          dispatch({ type: 'key', provider, known: false });
        }
        show({ provider, set: false, asking: false, said, bad: true });
      }
      asking = false;
    },
  };
}
