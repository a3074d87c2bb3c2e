// What is planned: the axes as they are filled in, what the server says they make and cost, and how that begins.

import { newKey } from '../lib/api.js';
import { safeStorage } from '../lib/draft.js';
import { exactDollars } from '../lib/format.js';
import { message } from '../lib/message.js';
import { formIn } from '../lib/recipe.js';
import { backendOf, overBudget } from '../lib/select.js';
import { errorOf } from '../reading.js';
import {
  axisNames,
  axisOf,
  beginsAtOnce,
  draftSteps,
  entryOf,
  experimentOf,
  isPicked,
  largest,
  mayBegin,
  presets,
  runsOf,
} from './entries.js';
import { optionsOf, setup } from './setup.js';

/** @import { Message, Reference, Result } from '../types.js' */
/** @import { Preset } from './entries.js' */
/** @import { Calls, ExploreParts } from './explore.js' */
/** @import { Names } from './labels.js' */
/** @import { Entry, Experiment, NewExperiment, Plan } from './types.js' */

const SETUP = 'srpo-studio:explore';

/**
 * @param {Pick<ExploreParts, 'api' | 'state' | 'dispatch' | 'redraw' | 'focusField'> & {
 *   calls: Calls,
 *   names: () => Names,
 *   draw: () => void,
 *   say: (what: Message | null) => void,
 *   started: (experiment: Experiment) => void,
 * }} parts
 */
export function createPlanning({ calls, api, state, dispatch, redraw, focusField, names, draw, say, started }) {
  const storage = safeStorage(() => sessionStorage);
  const kept = JSON.parse(storage.getItem(SETUP) ?? 'null');
  /** @type {Entry[]} */
  let entries = kept?.entries ?? [];
  /** @type {string | null} */
  let preset = kept?.preset ?? null;
  let custom = kept?.custom ?? false;
  let draft = kept?.draft ?? true;
  /** @type {Plan | null} */
  let plan = null;
  /** @type {{ place: number | null, error: Message } | null} */
  let problem = null;
  /** What is asked before it begins. @type {Message | null} */
  let question = null;
  /** The plan that was begun last. @type {string | null} */
  let begun = null;
  let starting = false;
  /** What begins when its plan is here: by Run, or by the click on a preset. @type {{ about: string | null, by: 'run' | 'preset' } | null} */
  let pressed = null;
  /** What the plan is about. @type {string | null} */
  let planned = null;
  /** @type {AbortController | null} */
  let planning = null;

  const setupActs = {
    /** @param {Preset} of */
    preset: (of) => {
      const begins = mayBeginNow(of.entries);
      entries = of.entries;
      preset = of.id;
      remember();
      if (begins && !starting) press('preset');
    },
    custom: () => {
      custom = !custom;
      const backend = backendOf(state());
      if (custom && !entries.length && backend) entries = [entryOf('strength', formIn(state().draft), backend)];
      remember();
    },
    name: (/** @type {number} */ place, /** @type {string} */ name) => {
      const backend = backendOf(state());
      if (backend)
        change(entries.map((each, at) => (at === place ? entryOf(name, formIn(state().draft), backend) : each)));
    },
    text: (/** @type {number} */ place, /** @type {string} */ text) =>
      change(entries.map((each, at) => (at === place ? { ...each, text } : each))),
    pick: (/** @type {number} */ place, /** @type {string} */ picked) =>
      change(
        entries.map((each, at) => {
          if (at !== place) return each;
          const without = each.picked.filter((one) => one !== picked);
          return { ...each, picked: without.length < each.picked.length ? without : [...without, picked] };
        }),
      ),
    pickAll: (/** @type {number} */ place, /** @type {boolean} */ all) => {
      const backend = backendOf(state());
      if (backend)
        change(
          entries.map((each, at) =>
            at === place ? { ...each, picked: all ? optionsOf(each, backend, names()) : [] } : each,
          ),
        );
    },
    add: () => {
      const backend = backendOf(state());
      if (!backend) return;
      const used = new Set(entries.map(({ name }) => name));
      const name = axisNames(backend, names().backends.length, 2).find((each) => !used.has(each));
      if (name) change([...entries, entryOf(name, formIn(state().draft), backend)]);
    },
    remove: (/** @type {number} */ place) => change(entries.filter((_, at) => at !== place)),
    draft: (/** @type {boolean} */ on) => {
      draft = on;
      remember();
    },
    shrink,
    files: (/** @type {File[]} */ files) => void addPictures(files),
  };

  return { view, run: () => press('run'), batch, runs: () => (plan && !problem && !tooDear() ? plan.cells : null) };

  function remember() {
    try {
      storage.setItem(SETUP, JSON.stringify({ entries, preset, custom, draft }));
    } catch {
      // Then it is as on the first visit after a reload.
    }
    question = null;
    draw();
  }

  /** @param {Entry[]} next */
  function change(next) {
    entries = next;
    preset = null;
    remember();
  }

  /** @param {Entry[]} of @param {import('../types.js').Backend} backend */
  function asked(of, backend) {
    const form = formIn(state().draft);
    return experimentOf(of, form, backend, draft ? draftSteps(form, backend) : null);
  }

  /** @returns {NewExperiment | null} what is planned now */
  function wish() {
    const backend = backendOf(state());
    if (!backend || !entries.length) {
      problem = null;
      return null;
    }
    const found = asked(entries, backend);
    if ('error' in found) {
      problem = found;
      return null;
    }
    return found.body;
  }

  /** Ask the server for the plan of what is wished; the newest question wins. */
  function replan() {
    const body = wish();
    const about = body && JSON.stringify(body);
    if (about === planned) return;
    planned = about;
    plan = null;
    question = null;
    planning?.abort();
    if (!body) return;
    problem = null;
    const mine = new AbortController();
    planning = mine;
    void calls.plan(body, mine.signal).then(
      (found) => {
        if (mine.signal.aborted) return;
        plan = found;
        draw();
        redraw();
        if (pressed?.about === about) press(pressed.by);
      },
      (error) => {
        if (mine.signal.aborted) return;
        const why = errorOf(error);
        const place = /^axes\[(\d+)\]/.exec(why.field ?? '')?.[1];
        problem = { place: place === undefined ? null : Number(place), error: why };
        draw();
        redraw();
      },
    );
  }

  /** @param {Entry[]} of @returns {boolean} whether the click on a preset begins it */
  function mayBeginNow(of) {
    const backend = backendOf(state());
    const found = backend && asked(of, backend);
    if (!backend || !found || 'error' in found) return false;
    const about = JSON.stringify(found.body);
    // What has begun already is asked for, and what the server had something to say of is looked at first.
    if (about === begun || (about === planned && plan && !beginsAtOnce(plan))) return false;
    return mayBegin(found.body, names().backends);
  }

  /** Begin what is planned, or as soon as its plan is here. @param {'run' | 'preset'} by */
  function press(by) {
    replan();
    const body = wish();
    pressed = null;
    if (!body) {
      draw();
      return;
    }
    if (!plan && !problem) pressed = { about: planned, by };
    if (!plan || starting || plan.fits < plan.cells) return;
    if (by === 'preset' && !beginsAtOnce(plan)) return;
    if (tooDear()) {
      draw();
      return;
    }
    const asked = question !== null;
    question = asked ? null : questionOf(plan);
    if (question) draw();
    else void begin({ ...body, confirm: asked });
  }

  /** @returns {{ place: null, error: Message } | null} which budget does not reach for the plan */
  function tooDear() {
    const over = plan && overBudget(state(), plan.dollars);
    return over && { place: null, error: over.blocked };
  }

  /** @param {Plan} of @returns {Message | null} what is asked before it begins */
  function questionOf({ asks, cells, dollars }) {
    if (asks)
      return dollars
        ? message('explore-asks-paid', {
            count: cells,
            price: message('price-live', { dollars: exactDollars(dollars) }),
          })
        : message('explore-asks', { count: cells });
    return planned === begun ? message('explore-again') : null;
  }

  /** @param {NewExperiment} body */
  async function begin(body) {
    starting = true;
    const about = planned;
    document.body.dataset.sheet = '';
    try {
      const provider = backendOf(state())?.provider ?? null;
      started(await calls.start(body, { key: newKey(), provider }));
      begun = about;
    } catch (error) {
      say(errorOf(error));
      focusField(errorOf(error).field);
    }
    starting = false;
    draw();
  }

  /** @param {File[]} files */
  function addPictures(files) {
    return addReferences(
      files.map((file) => ({ name: file.name, ask: () => api.uploadReference(file, { name: file.name }) })),
    );
  }

  /** Plan an experiment over results as references. @param {Result[]} results */
  function batch(results) {
    custom = true;
    entries = [{ name: 'reference', text: '', picked: [] }];
    void addReferences(
      results.map(({ id, recipe }) => ({ name: recipe.prompt, ask: () => api.referenceFromResult(id) })),
    );
  }

  /** @param {{ name: string, ask: () => Promise<Reference> }[]} pictures */
  async function addReferences(pictures) {
    for (const { name, ask } of pictures) {
      try {
        const reference = await ask();
        dispatch({ type: 'known', reference: { ...reference, name } });
        change(
          entries.map((each) =>
            each.name === 'reference' ? { ...each, picked: [...new Set([...each.picked, reference.digest])] } : each,
          ),
        );
      } catch (error) {
        say(message('explore-not-read', { name, why: errorOf(error) }));
      }
    }
  }

  /** Leave out values until the plan fits. */
  function shrink() {
    const backend = backendOf(state());
    if (!backend || !plan) return;
    const axes = entries.map((entry) => axisOf(entry, backend));
    const counts = axes.map((each) =>
      'axis' in each ? (each.axis.values?.length ?? each.axis.spread?.count ?? 1) : 1,
    );
    const fits = largest(counts, plan.fits);
    if (!fits) return;
    change(
      entries.map((entry, at) => {
        const count = fits[at] ?? 1;
        if (isPicked(entry.name, backend)) return { ...entry, picked: entry.picked.slice(0, count) };
        const axis = axes[at];
        if (axis && 'axis' in axis && axis.axis.spread) {
          const { low, high } = axis.axis.spread;
          return { ...entry, text: count > 1 ? `${low}..${high} in ${count}` : String(low) };
        }
        if (entry.name === 'prompt')
          return {
            ...entry,
            text: entry.text
              .split('\n')
              .filter((line) => line.trim())
              .slice(0, count)
              .join('\n'),
          };
        return { ...entry, text: (axis && 'axis' in axis ? (axis.axis.values ?? []) : []).slice(0, count).join(', ') };
      }),
    );
  }

  /** @returns {unknown} what is drawn */
  function view() {
    const backend = backendOf(state());
    if (!backend) return null;
    replan();
    const form = formIn(state().draft);
    const offered = presets(form, backend, names().backends).map((each) => ({
      ...each,
      count: runsOf(each.entries, backend),
      begins: mayBeginNow(each.entries),
    }));
    const shown = entries.length ? (problem ?? tooDear()) : { place: null, error: message('explore-begin') };
    return setup(
      { form, backend, presets: offered, preset, entries, custom, draft, problem: shown, plan, question },
      setupActs,
      names(),
      api,
    );
  }
}
