// A file that holds settings is a reference or a recipe: the person says which. Loaded when such a file comes.

import { textsOf } from './lib/embedded.js';
import { addLater } from './lib/i18n.js';
import { addSheet } from './lib/sheet.js';
import { html, nothing, render } from './vendor/lit.js';

/** @import { Api } from './lib/api.js' */
/** @import { Words } from './lib/i18n.js' */
/** @import { ReadRecipe } from './types.js' */

/**
 * Return what a file says of how it was made, null where it says nothing. The pixels stay in the browser.
 * @param {File} file
 * @param {Api} api
 * @param {Words} words
 * @returns {Promise<ReadRecipe | null>}
 */
export async function settingsIn(file, api, words) {
  const texts = textsOf(new Uint8Array(await file.arrayBuffer()));
  if (!texts) return null;
  const found = await api.readRecipe(new Blob([/** @type {BlobPart} */ (texts)], { type: file.type }));
  if (found.source === 'none') return null;
  await Promise.all([addLater(words), addSheet(new URL('./later/dialogs.css', import.meta.url))]);
  return found;
}

/**
 * @typedef {object} Choices
 * @property {() => void} reference take the file as the reference
 * @property {() => void} settings take what it says over
 * @property {() => void} batch likewise, and make all pictures of its job again
 */

/**
 * Ask what a file is, then tell what of it was not taken over.
 * @param {ReadRecipe} found
 * @param {string} name of the file
 * @param {string | null} url of its picture
 * @param {Choices} choose
 * @param {Words} w
 */
export function ask(found, name, url, choose, w) {
  const dialog = document.createElement('dialog');
  dialog.className = 'dropped';
  dialog.setAttribute('aria-label', w.say('dropped-title', { name }));
  document.body.append(dialog);
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (url) URL.revokeObjectURL(url);
  });
  const count = found.recipe?.seeds.length ?? 0;
  /** @param {() => void} then */
  const ended = (then) => () => {
    dialog.close();
    then();
  };
  function settings() {
    choose.settings();
    if (count > 1 || found.unmapped.length) draw(rest());
    else dialog.close();
  }
  function rest() {
    return html`<h2>${w.say('dropped-taken')}</h2>
      ${count > 1 ? html`<p>${w.say('dropped-alone', { count })}</p>` : nothing}
      ${
        found.unmapped.length
          ? html`<p>${w.say('dropped-left-out')}</p>
            <dl>${found.unmapped.map(({ name: key, value, why }) => html`<dt>${key}: <bdi>${value}</bdi></dt><dd>${w.inFull(why)}</dd>`)}</dl>`
          : nothing
      }
      <div class="bar">
        ${count > 1 ? html`<button type="button" @click=${ended(choose.batch)}>${w.say('dropped-batch', { count })}</button>` : nothing}
        <button type="button" autofocus @click=${() => dialog.close()}>${w.say('ui-close')}</button>
      </div>`;
  }
  /** @param {unknown} content */
  const draw = (content) => render(content, dialog);
  draw(html`<h2>${w.say('dropped-title', { name })}</h2>
    <p>${w.say('dropped-source', { source: w.say(`source-${found.source}`) })}
      ${found.recipe?.prompt ? html`<q dir="auto">${found.recipe.prompt}</q>` : nothing}</p>
    <div class="targets">
      <button type="button" data-take="reference" @click=${ended(choose.reference)}>
        ${url ? html`<img src=${url} alt="" />` : nothing}<strong>${w.say('dropped-reference')}</strong>
        <span>${w.say('dropped-reference-hint')}</span></button>
      <button type="button" data-take="settings" autofocus @click=${settings}>
        <strong>${w.say('dropped-settings')}</strong><span>${w.say('dropped-settings-hint')}</span></button>
    </div>`);
  dialog.showModal();
}
