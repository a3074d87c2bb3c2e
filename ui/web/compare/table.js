// What differs in how the pictures were made; what is the same is folded.

import { html, nothing } from '../vendor/lit.js';
import { letterOf } from './order.js';
import { wordDifferences } from './recipe.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Differences } from './recipe.js' */

/**
 * @param {Differences} found
 * @param {number} count of pictures
 * @param {Words} w
 */
export function table({ different, same }, count, w) {
  const letters = Array.from({ length: count }, (_, at) => letterOf(at));
  return html`${
    different.length
      ? html`<table><caption>${w.say('compare-differs')}</caption>
      <thead><tr><td></td>${letters.map((letter) => html`<th scope="col">${letter}</th>`)}</tr></thead>
      <tbody>${different.map(
        ({ key, label, values }) =>
          html`<tr data-setting=${key}><th scope="row">${label}</th>${cells(key, values, w)}</tr>`,
      )}</tbody></table>`
      : html`<p>${w.say('compare-nothing-differs')}</p>`
  }${
    same.length
      ? html`<details><summary>${w.say('compare-same', { count: same.length })}</summary>
      <dl>${same.map(({ key, label, value }) => html`<div data-setting=${key}><dt>${label}</dt><dd dir="auto">${value}</dd></div>`)}</dl></details>`
      : nothing
  }`;
}

/**
 * @param {string} key
 * @param {(string | null)[]} values
 * @param {Words} w
 */
function cells(key, values, w) {
  if (key === 'prompt') {
    return wordDifferences(values.map((each) => each ?? '')).map(
      (parts) => html`<td dir="auto">${parts.map(({ text, same }) => (same ? text : html`<mark>${text}</mark>`))}</td>`,
    );
  }
  return values.map((value) => html`<td dir="auto">${value ?? w.say('compare-none')}</td>`);
}
