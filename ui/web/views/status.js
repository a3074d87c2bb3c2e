// What the chosen backend is and says, and a provider's key behind its dot.

import { html, nothing } from '../vendor/lit.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Backend, Message } from '../types.js' */

/**
 * @typedef {object} KeyModel
 * @property {string | null} provider whose answer it is
 * @property {boolean} set whether this tab has a key
 * @property {boolean} asking
 * @property {Message | null} said the provider's answer
 * @property {boolean} bad
 */

/**
 * @param {Backend} backend
 * @param {KeyModel} key
 * @param {boolean} alone whether the app serves its owner alone, who may change its settings
 * @param {Message | null} connection why nothing moves, null where the server answers
 * @param {{ check: (key: string) => void }} act
 * @param {Words} w
 */
export function backendStatus(backend, key, alone, connection, act, w) {
  const blocked = backend.ready !== null && !key.set;
  const words = blocked && backend.ready ? w.say(backend.ready) : backend.words.map((each) => w.say(each)).join(' · ');
  /** @param {SubmitEvent} event */
  const sent = (event) => {
    event.preventDefault();
    act.check(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('key') ?? '').trim());
  };
  return html`<button type="button" class="dot-button" popovertarget="about-backend" aria-label=${w.say('status-about', { backend: backend.label })}>
      <span class="dot ${blocked ? 'blocked' : 'ready'}"></span><span class="state">${words}</span>
    </button>
    ${connection ? html`<span class="connection" role="status">${w.say(connection)}</span>` : nothing}
    <div id="about-backend" popover>
      <h2>${w.say(backend.label)}</h2>
      <p>${blocked && backend.ready ? linked(w.inFull(backend.ready), backend.ready) : words}
        ${blocked && backend.ready && alone ? w.ownersAdvice(backend.ready) : nothing}</p>
      ${backend.notices.map((each) => html`<p>${w.say(each)}</p>`)}
      ${
        backend.provider
          ? html`<form id="key-form" @submit=${sent}>
            <label for="key">${w.say('ui-key')}</label>
            <input id="key" name="key" type="password" autocomplete="off" placeholder=${w.say(key.set ? 'ui-key-set' : 'ui-key-placeholder')} />
            <button type="submit" ?disabled=${key.asking}>${w.say('ui-key-check')}</button>
            <p id="key-note" role="status" class=${key.bad ? 'bad' : ''}>${key.said ? w.inFull(key.said) : nothing}</p>
          </form>`
          : nothing
      }
    </div>`;
}

/**
 * Return a text in which the provider's site is a link.
 * @param {string} text
 * @param {Message} message
 */
function linked(text, { values: { site } }) {
  if (typeof site !== 'string') return text;
  const [before = '', ...after] = text.split(site);
  return html`${before}<a href=${`https://${site}`} target="_blank" rel="noreferrer">${site}</a>${after.join(site)}`;
}
