// The details of one picture: itself beside its reference, how it was made, where it comes from, what became of it.

import { size } from '../lib/format.js';
import { ratioOf } from '../lib/layout.js';
import { html, keyed, live, nothing, styleMap } from '../vendor/lit.js';
import { addressWith, downloadAs } from '../views/facts.js';
import { projectList, tagEditor } from './bars.js';
import { figures, nameOf, recipeWords } from './describe.js';
import { metersView } from './meters.js';

/** @import { Api } from '../lib/api.js' */
/** @import { Words } from '../lib/i18n.js' */
/** @import { Backend, Result } from '../types.js' */
/** @import { Code, Facets, Lineage } from './types.js' */

/** What is put into the form, in the order of the buttons. */
const PARTS = /** @type {const} */ (['recipe', 'all', 'prompt', 'settings', 'seed']);

/**
 * @typedef {object} DetailModel
 * @property {Result} result
 * @property {Backend | undefined} backend
 * @property {number | null} place in the list; null where it is not known
 * @property {number} found
 * @property {Lineage | null} lineage null before it is here
 * @property {Code | null} code null where nobody has asked for it
 * @property {Facets | null} facets
 * @property {string} note as it is typed
 * @property {boolean} saved whether the note was just saved
 * @property {boolean} picked whether it is one of those that are compared
 * @property {boolean} applied whether a part was just put into the form
 * @property {string} filename
 * @property {Intl.DateTimeFormat} dates
 * @property {number} width pixels of the screen in which a picture is shown
 */

/**
 * @typedef {object} DetailActions
 * @property {() => void} close
 * @property {(by: number) => void} step
 * @property {(part: typeof PARTS[number]) => void} apply
 * @property {() => void} use as the reference
 * @property {() => void} full shows the picture as large as the window
 * @property {() => void} compare
 * @property {() => void} star
 * @property {() => void} remove
 * @property {(words: string) => void} note
 * @property {(name: string) => void} addTag
 * @property {(name: string) => void} removeTag
 * @property {(id: number | null) => void} project
 * @property {(name: string) => void} createProject
 * @property {(id: number) => void} open
 * @property {() => void} copyPrompt
 * @property {() => void} code shows the code, or hides it
 */

/**
 * @param {DetailModel} model
 * @param {DetailActions} act
 * @param {Api} api
 * @param {Words} w
 */
export function detail(model, act, api, w) {
  const { result, backend, place, found } = model;
  const { recipe, image } = result;
  const reference = recipe.reference;
  return html`<header class="lib-detail-head">
      <h2>${place === null ? w.say('library-picture') : w.say('library-place', { number: place + 1, count: found })}</h2>
      <button type="button" data-act="previous" aria-label=${w.say('stage-previous')} ?disabled=${place === null || place === 0} @click=${() => act.step(-1)}>‹</button>
      <button type="button" data-act="next" aria-label=${w.say('stage-next')} ?disabled=${place === null || place + 1 >= found} @click=${() => act.step(1)}>›</button>
      <button type="button" data-act="star" aria-pressed=${String(result.star)} aria-label=${w.say('library-star')} title=${w.say('library-star')} @click=${act.star}>★</button>
      <button type="button" data-act="close" aria-label=${w.say('ui-close')} title=${w.say('ui-close')} @click=${act.close}>×</button>
    </header>
    <div class="lib-detail-body" tabindex="-1">
    <div class="lib-pair ${image && reference ? '' : 'single'}">
      ${
        reference
          ? html`<figure class="lib-from"><div class="lib-mat" style=${styleMap({ '--ratio': String(ratioOf(reference)) })}><img src=${api.referenceView(reference.digest, model.width)} alt=${w.say('reference-alt', { width: reference.width, height: reference.height })} draggable="false" /></div>
            <figcaption>${w.say('ui-reference')}</figcaption></figure>`
          : nothing
      }
      <figure><div class="lib-mat" style=${styleMap({ '--ratio': String(ratioOf(image ?? reference)) })}>${
        image
          ? keyed(
              result.id,
              html`<img class="lib-result" src=${api.resultView(result.id, model.width)} alt=${nameOf(result, w)} draggable="false" @dblclick=${act.full} />`,
            )
          : html`<p class="lib-missing">${result.missing ? w.inFull(result.missing.why) : w.say('missing-failed')}</p>`
      }</div><figcaption>${w.say('ui-result')}</figcaption></figure>
    </div>
    <p class="lib-prompt"><q dir="auto">${recipe.prompt}</q> <button type="button" @click=${act.copyPrompt}>${w.say('ui-copy')}</button></p>
    <p class="lib-words">${recipeWords(result, backend)
      .map((each) => w.say(each))
      .join(' · ')}</p>
    <div class="lib-deeds">
      ${PARTS.map((part) => html`<button type="button" data-apply=${part} class=${part === 'recipe' ? 'primary' : ''} ?disabled=${part === 'all' && !reference} @click=${() => act.apply(part)}>${w.say(`library-apply-${part}`)}</button>`)}
      ${
        image
          ? html`<button type="button" data-act="use" @click=${act.use}>${w.say('stage-use-as-reference')}</button>
        <button type="button" data-act="compare" aria-pressed=${String(model.picked)} @click=${act.compare}>${w.say('ui-compare-tab')} <kbd>C</kbd></button>
        <button type="button" data-act="full" @click=${act.full}>${w.say('stage-full-view')} <kbd>F</kbd></button>`
          : nothing
      }
      ${
        image
          ? html`<span class="lib-download"><a class="button" data-act="download" href=${api.resultFile(result.id, model.filename)} download=${model.filename}>${w.say('stage-download')}</a>
        ${downloadAs('lib-download-menu', (holding) => addressWith(api, /** @type {number} */ (result.id), model.filename, holding), model.filename, w)}</span>`
          : nothing
      }
      <button type="button" data-act="delete" @click=${act.remove}>${w.say('library-delete')}</button>
      <span role="status" class="lib-applied">${model.applied ? w.say('library-applied') : nothing}</span>
    </div>
    ${metersView(result, w)}
    <div class="lib-columns">
      <section aria-label=${w.say('library-figures')}><dl>${figures(result, backend, model.dates).map(
        ({ key, label, value }) => html`<div data-figure=${key}><dt>${w.say(label)}</dt><dd>${w.say(value)}</dd></div>`,
      )}</dl></section>
      <section aria-label=${w.say('library-organise')}>${keyed(
        result.id,
        html`
        <label class="lib-note">${w.say('library-note')} <span role="status">${model.saved ? w.say('library-saved') : nothing}</span>
          <textarea rows="3" maxlength="2000" dir="auto" .value=${live(model.note)} @input=${(/** @type {Event} */ event) => act.note(/** @type {HTMLTextAreaElement} */ (event.target).value)}></textarea></label>
        <h3>${w.say('library-tags')}</h3>
        ${tagEditor(result.tags, model.facets, act, 'detail', w)}
        <h3>${w.say('library-project')}</h3>
        ${projectList(result.project, model.facets?.projects ?? [], act, w)}`,
      )}</section>
    </div>
    <section class="lib-lineage" aria-label=${w.say('library-lineage')}>${model.lineage ? lineage(model.lineage, result, act, api, w) : nothing}</section>
    <section class="lib-code" data-code aria-label=${w.say('library-code')}>
      <button type="button" data-act="code" aria-expanded=${String(model.code !== null)} @click=${act.code}>${w.say('library-code')}</button>
      ${model.code && reference ? html`<a class="button" href=${api.referenceFile(reference.digest)} download=${`reference${reference.mime === 'image/jpeg' ? '.jpg' : '.png'}`}>${w.say('library-code-reference')}</a>` : nothing}
      ${model.code ? code(result.id, model.code, w) : nothing}</section>
    </div>`;
}

/**
 * From the first photo to what was made of this picture.
 * @param {Lineage} lineage
 * @param {Result} result
 * @param {DetailActions} act
 * @param {Api} api
 * @param {Words} w
 */
function lineage({ parents, photo, children, drift }, result, act, api, w) {
  if (!photo && !parents.length && !children.length) return nothing;
  const small = (/** @type {Result} */ each) =>
    html`<li><button type="button" data-open=${each.id} title=${nameOf(each, w)} aria-label=${nameOf(each, w)} @click=${() => act.open(each.id)}>
      <img src=${api.resultView(each.id, 256)} alt="" loading="lazy" draggable="false" /></button></li>`;
  return html`<h3>${w.say('library-lineage')}</h3><ol>
    ${photo ? html`<li class="photo"><img src=${api.referenceView(photo.digest, 256)} alt=${w.say('library-photo', { size: w.say(size(photo)) })} title=${w.say('library-photo', { size: w.say(size(photo)) })} draggable="false" /></li>` : nothing}
    ${[...parents].reverse().map(small)}
    <li class="here" aria-current="true">${result.image ? html`<img src=${api.resultView(result.id, 256)} alt=${w.say('library-this')} draggable="false" />` : nothing}</li>
    </ol>
    ${drift.map((each) => html`<p class="lib-drift">${w.inFull(each)}</p>`)}
    ${children.length ? html`<h3>${w.say('library-children', { count: children.length })}</h3><ol class="children">${children.map(small)}</ol>` : nothing}`;
}

/**
 * The code that makes a picture again, by language.
 * @param {number} id
 * @param {Code} code
 * @param {Words} w
 */
function code(id, code, w) {
  const languages = /** @type {const} */ (['curl', 'python', 'javascript']);
  /** @param {Event} event */
  const choose = (event) => {
    const chosen = /** @type {HTMLElement} */ (event.currentTarget);
    for (const each of chosen.closest('section')?.querySelectorAll('[data-language]') ?? []) {
      const mine = /** @type {HTMLElement} */ (each).dataset.language === chosen.dataset.language;
      if (each.tagName === 'PRE') /** @type {HTMLElement} */ (each).hidden = !mine;
      else each.setAttribute('aria-pressed', String(mine));
    }
  };
  /** @param {Event} event */
  const copy = async (event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    await navigator.clipboard.writeText(
      button.closest('section')?.querySelector('pre:not([hidden])')?.textContent ?? '',
    );
    button.textContent = w.say('ui-copied');
    setTimeout(() => {
      button.textContent = w.say('ui-copy');
    }, 1500);
  };
  return keyed(
    id,
    html`<div class="lib-languages">
      ${languages.map((each, at) => html`<button type="button" data-language=${each} aria-pressed=${String(at === 0)} @click=${choose}>${w.say(`library-code-${each}`)}</button>`)}
      <button type="button" data-copy @click=${copy}>${w.say('ui-copy')}</button></div>
      ${languages.map((each, at) => html`<pre data-language=${each} tabindex="0" ?hidden=${at !== 0}><code>${code[each]}</code></pre>`)}`,
  );
}
