// What is planned: one click for the usual plans, the axes behind them, and what the plan makes, costs and takes.

import { exactDollars, roughly } from '../lib/format.js';
import { message } from '../lib/message.js';
import { html, nothing } from '../vendor/lit.js';
import { roving } from '../views/roving.js';
import { axisNames, draftSteps, isPicked, pickable } from './entries.js';
import { axisLabel, pickedLabel } from './labels.js';

/** @import { Api } from '../lib/api.js' */
/** @import { Backend, Form, Message } from '../types.js' */
/** @import { Preset } from './entries.js' */
/** @import { Names } from './labels.js' */
/** @import { Entry, Plan } from './types.js' */

/** Axes that fit on the screen: across, down, by pages. */
const SIDES = ['explore-across', 'explore-down', 'explore-pages'];
/** References that are offered to pick. */
const PICKABLE = 24;

/**
 * What the setup shows.
 * @typedef {object} Setup
 * @property {Form} form
 * @property {Backend} backend
 * @property {(Preset & { count: number, begins: boolean })[]} presets with their runs, and whether a click begins them
 * @property {string | null} preset the one that was clicked, as long as nothing was changed in it
 * @property {Entry[]} entries
 * @property {boolean} custom whether the axes are shown
 * @property {boolean} draft
 * @property {{ place: number | null, error: Message } | null} problem what is wrong, at which axis
 * @property {Plan | null} plan
 * @property {Message | null} question what is asked before it begins
 */

/**
 * @typedef {object} SetupActs
 * @property {(preset: Preset) => void} preset
 * @property {() => void} custom
 * @property {(place: number, name: string) => void} name
 * @property {(place: number, text: string) => void} text
 * @property {(place: number, picked: string) => void} pick
 * @property {(place: number, all: boolean) => void} pickAll
 * @property {() => void} add
 * @property {(place: number) => void} remove
 * @property {(on: boolean) => void} draft
 * @property {() => void} shrink
 * @property {(files: File[]) => void} files adds pictures to the axis of references
 */

/**
 * @param {Setup} setup
 * @param {SetupActs} act
 * @param {Names} names
 * @param {Api} api
 */
export function setup(
  { form, backend, presets, preset, entries, custom, draft, problem, plan, question },
  act,
  names,
  api,
) {
  const w = names.words;
  const steps = draftSteps(form, backend);
  return html`
    <div class="xp-try" role="group" aria-label=${w.say('explore-try')} @keydown=${roving}>
      <span>${w.say('explore-try')}</span>
      ${presets.map((each, at) => {
        const plan = w.say(`explore-preset-${each.id}`);
        const title = w.say(each.begins ? 'explore-preset-begins' : 'explore-preset-fills', {
          plan,
          count: each.count,
        });
        return html`<button type="button" class="xp-preset" tabindex=${at ? -1 : 0} data-preset=${each.id}
          aria-pressed=${String(preset === each.id)} aria-label=${title} title=${title}
          @click=${() => act.preset(each)}>${plan}</button>`;
      })}
      <button type="button" tabindex="-1" aria-expanded=${String(custom)} aria-controls="xp-axes" data-act="custom"
        @click=${act.custom}>${w.say('explore-custom')}</button>
    </div>
    <div id="xp-axes" ?hidden=${!custom}>
      ${entries.map((entry, place) => axis(entry, place, { backend, entries, problem }, act, names, api))}
      ${
        entries.length < SIDES.length
          ? html`<button type="button" data-act="add-axis" @click=${act.add}>${w.say('explore-add-axis')}</button>`
          : nothing
      }
    </div>
    <div class="xp-plan">
      <span class="xp-words" role="status">${question ? w.say(question) : planWords(plan, problem, custom, w)}</span>
      ${
        steps !== null && entries.length
          ? html`<label class="xp-tick"><input type="checkbox" .checked=${draft}
              @change=${(/** @type {Event} */ event) => act.draft(/** @type {HTMLInputElement} */ (event.target).checked)}>
              ${w.say('explore-draft', { steps })}</label>`
          : nothing
      }
      ${
        plan && plan.fits < plan.cells
          ? html`<button type="button" data-act="shrink" @click=${act.shrink}>${w.say('explore-shrink', { count: plan.fits })}</button>`
          : nothing
      }
    </div>
    ${plan?.adapted.length ? html`<ul class="xp-adapted">${plan.adapted.map((each) => html`<li>${w.say(each)}</li>`)}</ul>` : nothing}`;
}

/**
 * @param {Plan | null} plan
 * @param {Setup['problem']} problem
 * @param {boolean} custom
 * @param {Names['words']} w
 */
function planWords(plan, problem, custom, w) {
  if (problem) return problem.place === null || !custom ? w.inFull(problem.error) : w.say('explore-incomplete');
  if (!plan) return w.say('explore-planning');
  /** @type {Message[]} */
  const parts = [message('explore-runs', { count: plan.cells })];
  if (plan.seconds !== null) parts.push(message('explore-about', { time: roughly(plan.seconds) }));
  const paid = Object.entries(plan.cost).filter(([, dollars]) => dollars > 0);
  parts.push(paid.length ? message('price-live', { dollars: exactDollars(plan.dollars) }) : message('price-free'));
  return parts.map((each) => w.say(each)).join(' · ');
}

/**
 * @param {Entry} entry
 * @param {number} place
 * @param {{ backend: Backend, entries: Entry[], problem: Setup['problem'] }} of
 * @param {SetupActs} act
 * @param {Names} names
 * @param {Api} api
 */
function axis(entry, place, { backend, entries, problem }, act, names, api) {
  const w = names.words;
  const offered = axisNames(backend, names.backends.length, Math.max(2, Object.keys(names.references).length));
  const others = entries.filter((each) => each !== entry).map(({ name }) => name);
  const wrong = problem?.place === place ? problem.error : null;
  return html`<fieldset class="xp-axis" data-axis=${entry.name}>
    <legend class="visually-hidden">${w.say(SIDES[place] ?? '')}</legend>
    <label><span>${w.say(SIDES[place] ?? '')}</span>
      <select @change=${(/** @type {Event} */ event) => act.name(place, /** @type {HTMLSelectElement} */ (event.target).value)}>
        ${offered.map((name) => html`<option value=${name} .selected=${name === entry.name} ?disabled=${others.includes(name)}>${axisLabel(name, names)}</option>`)}
      </select></label>
    ${values(entry, place, backend, wrong, act, names, api)}
    <button type="button" class="xp-remove" aria-label=${w.say('explore-remove-axis', { axis: axisLabel(entry.name, names) })}
      @click=${() => act.remove(place)}>×</button>
    ${wrong ? html`<p class="xp-wrong" id="xp-wrong-${place}" role="alert">${w.inFull(wrong)}</p>` : nothing}
  </fieldset>`;
}

/**
 * @param {Entry} entry
 * @param {number} place
 * @param {Backend} backend
 * @param {Message | null} wrong
 * @param {SetupActs} act
 * @param {Names} names
 * @param {Api} api
 */
function values(entry, place, backend, wrong, act, names, api) {
  const w = names.words;
  const label = w.say('explore-values', { axis: axisLabel(entry.name, names) });
  const typed = (/** @type {Event} */ event) =>
    act.text(place, /** @type {HTMLInputElement | HTMLTextAreaElement} */ (event.target).value);
  if (!isPicked(entry.name, backend)) {
    const described = wrong ? `xp-wrong-${place}` : nothing;
    return entry.name === 'prompt'
      ? html`<textarea rows="3" dir="auto" aria-label=${label} aria-invalid=${String(!!wrong)} aria-describedby=${described}
          placeholder=${w.say('explore-prompts-hint')} .value=${entry.text} @input=${typed}></textarea>`
      : html`<input type="text" aria-label=${label} aria-invalid=${String(!!wrong)} aria-describedby=${described}
          placeholder=${w.say('explore-numbers-hint')} .value=${entry.text} @input=${typed}>`;
  }
  const options = optionsOf(entry, backend, names);
  return html`<div class="xp-picks" role="group" aria-label=${label} @keydown=${roving}>
    ${options.map(
      (option, at) => html`<button type="button" class="xp-pick" tabindex=${at ? -1 : 0} data-value=${option}
        aria-pressed=${String(entry.picked.includes(option))} @click=${() => act.pick(place, option)}>
        ${entry.name === 'reference' ? html`<img alt="" src=${api.referenceView(option, 64)}>` : nothing}
        ${pickedLabel(entry.name, option, names)}</button>`,
    )}
    <button type="button" class="xp-all" tabindex="-1" @click=${() => act.pickAll(place, entry.picked.length < options.length)}>
      ${w.say(entry.picked.length < options.length ? 'explore-pick-all' : 'explore-pick-none')}</button>
    ${
      entry.name === 'reference'
        ? html`<label class="button xp-files">${w.say('explore-add-pictures')}<input type="file" multiple accept="image/*"
            @change=${(/** @type {Event} */ event) => act.files(filesOf(event))}></label>`
        : nothing
    }
  </div>`;
}

/**
 * Return what can be picked for an axis.
 * @param {Entry} entry
 * @param {Backend} backend
 * @param {Names} names
 * @returns {string[]}
 */
export function optionsOf(entry, backend, names) {
  if (entry.name === 'style') return ['', ...backend.styles.map(({ id }) => id)];
  if (entry.name === 'backend') return names.backends.map(({ key }) => key);
  if (entry.name === 'reference')
    return pickable(names.references, entry.picked)
      .slice(0, Math.max(PICKABLE, entry.picked.length))
      .map(({ digest }) => digest);
  const param = backend.params.find(({ name }) => name === entry.name);
  return param?.kind === 'toggle' ? ['false', 'true'] : [...(param?.choices ?? [])];
}

/** @param {Event} event */
function filesOf(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  return [...(input.files ?? [])];
}
