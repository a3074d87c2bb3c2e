// The reference box: what goes in, by a file, a drop, a paste, a link or the camera.

import { html, live, nothing } from '../vendor/lit.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Message } from '../types.js' */

/**
 * @typedef {object} ReferenceModel
 * @property {string | null} src of the picture in the box
 * @property {string} name of its file
 * @property {string} size such as 1024×768
 * @property {boolean} reading
 * @property {Message | null} problem
 * @property {Message[]} notices
 * @property {boolean} open whether the other ways are shown
 */

/**
 * @typedef {object} ReferenceActions
 * @property {(file: File) => void} file
 * @property {(url: string) => void} link
 * @property {() => void} camera
 * @property {() => void} toggle
 * @property {() => void} remove
 */

/**
 * @param {ReferenceModel} model
 * @param {ReferenceActions} act
 * @param {Words} w
 */
export function referenceBox(model, act, w) {
  /** @param {Event} event */
  const chosen = (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const [file] = input.files ?? [];
    if (file) act.file(file);
    input.value = '';
  };
  /** @param {SubmitEvent} event */
  const sent = (event) => {
    event.preventDefault();
    const url = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('url') ?? '').trim();
    if (url) act.link(url);
  };
  return html`<div class="reference-box" data-reading=${String(model.reading)}>
      <label class="picture">
        ${model.src ? html`<img src=${model.src} alt=${w.say('reference-in-box', { name: model.name })} />` : html`<span class="plus" aria-hidden="true">+</span>`}
        <input type="file" accept="image/*,.heic,.heif,.avif,.tif,.tiff" aria-label=${w.say('reference-choose')} @change=${chosen} />
      </label>
      <div class="about">
        <strong dir="auto">${model.src ? model.name : w.say('ui-reference')}</strong>
        <span>${model.reading ? w.say('reference-reading') : model.src ? model.size : w.say('ui-reference-placeholder')}</span>
        <span class="ways">
          <button type="button" aria-expanded=${String(model.open)} @click=${act.toggle}>${w.say('reference-link-or-camera')}</button>
          ${model.src ? html`<button type="button" @click=${act.remove}>${w.say('reference-remove')}</button>` : nothing}
        </span>
      </div>
    </div>
    ${
      model.open
        ? html`<form class="other-ways" @submit=${sent}>
          <input name="url" type="url" inputmode="url" .value=${live('')} placeholder=${w.say('ui-reference-url-placeholder')} aria-label=${w.say('ui-reference-url')} />
          <button type="submit">${w.say('reference-use-link')}</button>
          <button type="button" @click=${act.camera}>${w.say('reference-camera')}</button>
        </form>`
        : nothing
    }
    ${model.problem ? html`<p class="field-problem" role="alert">${w.inFull(model.problem)}</p>` : nothing}
    ${model.notices.map((each) => html`<p class="field-notice">${w.say(each)}</p>`)}`;
}
