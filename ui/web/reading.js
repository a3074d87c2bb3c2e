// What becomes the reference, from wherever it comes: it is shown at once, and the server then says what it is.

import { ApiError } from './lib/api.js';
import { message } from './lib/message.js';

/** @import { Api } from './lib/api.js' */
/** @import { Words } from './lib/i18n.js' */
/** @import { Action } from './lib/state.js' */
/** @import { Reference, Result, StudioError } from './types.js' */

/** Kinds of pictures that a browser shows before the server has read them. */
const SHOWN_KINDS = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/bmp']);

/**
 * @param {unknown} error
 * @returns {StudioError}
 */
export function errorOf(error) {
  if (error instanceof ApiError) return error.error;
  console.error(error);
  return { ...message('app-broke'), field: null, charged: null };
}

/**
 * @param {{ api: Api, words: Words, dispatch: (action: Action) => void }} parts
 */
export function createReading({ api, words, dispatch }) {
  let count = 0;

  /**
   * Take what becomes the reference; what was chosen later wins.
   * @param {string} name
   * @param {string | null} url of a picture to show meanwhile
   * @param {() => Promise<Reference>} ask
   */
  async function read(name, url, ask) {
    count += 1;
    const mine = count;
    dispatch({ type: 'reading', reading: { name, url } });
    try {
      const reference = await ask();
      if (mine === count) dispatch({ type: 'reference', reference: { ...reference, name: reference.name ?? name } });
    } catch (error) {
      if (mine === count) dispatch({ type: 'unreadable', error: errorOf(error) });
    } finally {
      if (url?.startsWith('blob:')) URL.revokeObjectURL(url);
    }
  }

  return {
    /** @param {File} file */
    file(file) {
      document.body.dataset.sheet = ''; // the picture is what one wants to see now
      const url = SHOWN_KINDS.has(file.type) ? URL.createObjectURL(file) : null;
      return read(file.name, url, () => api.uploadReference(file, { name: file.name }));
    },

    /** @param {string} url */
    link: (url) => read(url.split('/').pop() ?? url, null, () => api.referenceFromUrl(url)),

    /** @param {Result} result */
    result: (result) =>
      read(words.say('reference-result-name', { prompt: result.recipe.prompt }), api.resultView(result.id, 1024), () =>
        api.referenceFromResult(result.id),
      ),

    /**
     * @param {string} file its address
     * @param {string} small the address of a small copy
     */
    example(file, small) {
      const name = file.split('/').pop() ?? file;
      return read(name, small, async () => api.uploadReference(await (await fetch(file)).blob(), { name }));
    },
  };
}
