// The explore view: what is planned above, what is made below. `main.js` leads it where the address says, and tells it
// what the server says.

import { isTyping, singleKeys } from '../keys.js';
import { newKey } from '../lib/api.js';
import { exactDollars } from '../lib/format.js';
import { screenPixels } from '../lib/layout.js';
import { message } from '../lib/message.js';
import { backendNamed, backendOf } from '../lib/select.js';
import { recipeWords } from '../library/describe.js';
import { metersView } from '../library/meters.js';
import { errorOf } from '../reading.js';
import { html, nothing, render } from '../vendor/lit.js';
import { axisOf, isPicked } from './entries.js';
import { cellName, grid, letterOf } from './grid.js';
import { axisLabel, valueLabel } from './labels.js';
import { ladder } from './ladder.js';
import { createPeek } from './peek.js';
import { createPlanning } from './planning.js';
import { countsOf, inOrder, middle, moved, ORDERS, sheetOf, withNews } from './sheet.js';

/** @import { Place } from '../lib/address.js' */
/** @import { Update } from '../lib/events.js' */
/** @import { Message, Result } from '../types.js' */
/** @import { Calls, Explore, ExploreParts } from './explore.js' */
/** @import { Experiment, Summary } from './types.js' */

/** Milliseconds a picture is shown while the ladder plays. */
const FRAME = 500;
/** Favourites that a round is made of at most, and runs that it has: as core/evolve.py has them. */
const FAVOURITES = 4;
const ROUND = 8;
/** CSS pixels of a cell, at least and at most; on a phone two stand side by side. */
const CELL = { least: 96, most: 240 };
/** A window that is narrower shows a row under the other. */
const NARROW = 700;

/**
 * @param {ExploreParts} parts
 * @param {Calls} calls
 * @returns {Explore}
 */
export function openExplore(parts, calls) {
  const { mount, api, words: w, router, state, dispatch, enter } = parts;
  const dates = new Intl.DateTimeFormat(w.language, { dateStyle: 'medium', timeStyle: 'short' });

  let shown = false;
  /** @type {Summary[]} */
  let latest = [];
  /** @type {Experiment | null} */
  let experiment = null;
  /** The one that the address names, and that is not here yet. @type {string | null} */
  let wanted = null;
  /** @type {Message | null} */
  let said = null;
  /** @type {Set<string>} */
  let hidden = new Set();
  let page = 0;
  /** @type {number | null} */
  let chosen = null;
  /** @type {Map<number, Result>} */
  const results = new Map();
  /** Of the cells of one axis. @type {typeof ORDERS[number]} */
  let order = 'own';
  let scrubbing = false;
  let column = 0;
  /** @type {ReturnType<typeof setInterval> | null} */
  let playing = null;
  let adding = '';
  /** Results near which the next round is made, A to D. @type {Result[]} */
  let favourites = [];

  const ladderActs = {
    show: (/** @type {number} */ to) => {
      stopPlaying();
      column = to;
      draw();
    },
    play: () => {
      if (playing !== null) stopPlaying();
      else
        playing = setInterval(() => {
          const count = experiment ? sheetOf(experiment, hidden).columns.length : 1;
          column = (column + 1) % count;
          draw();
        }, FRAME);
      draw();
    },
    halve: () => {
      const value = between();
      const axis = experiment?.axes[0];
      if (value === null || !axis || !experiment) return;
      const { id } = experiment;
      void act(() => calls.extend(id, axis.name, [value])).then(() => {
        column += 1;
        draw();
      });
    },
    retry: (/** @type {number} */ place) => void retry(place),
  };

  const root = document.createElement('section');
  root.className = 'xp';
  root.setAttribute('aria-label', w.say('ui-explore-tab'));
  const planning = createPlanning({ ...parts, calls, names, draw, say, started });
  const peek = createPeek(root, pictureOf, api);
  mount.replaceChildren(root, peek.element);
  root.addEventListener('keydown', pressed);
  new ResizeObserver(() => shown && draw()).observe(root);
  void loadLatest();
  return { lead, hear, draw, run: planning.run, runs: planning.runs, stop, evolve, batch: planning.batch };

  // ---- where one is ------------------------------------------------------------------------------------

  /** @param {Place} place */
  function lead(place) {
    shown = place.mode === 'explore';
    if (!shown) {
      stopPlaying();
      peek.hide();
      return;
    }
    if (place.experiment === null) experiment = null;
    else if (place.experiment !== experiment?.id && place.experiment !== wanted) void load(place.experiment);
    draw();
  }

  /** @param {string} id */
  async function load(id) {
    wanted = id;
    try {
      const found = await calls.one(id);
      if (wanted !== id) return;
      take(found);
    } catch (error) {
      if (wanted !== id) return;
      said = errorOf(error);
      router.replace({ experiment: null });
    }
    wanted = null;
    draw();
  }

  /** @param {Experiment} found */
  function take(found) {
    if (found.id !== experiment?.id) {
      hidden = new Set();
      page = 0;
      chosen = null;
      order = 'own';
      column = 0;
      stopPlaying();
      scrubbing = found.axes.length === 1 && found.axes[0]?.name === 'strength';
    }
    // What the stream has said before the answer came is in the page's state.
    experiment = withNews(found, { jobs: state().jobs, results: state().results });
    void nameReferences(found);
  }

  /** Names of references come from this browser where it knows them, else from the server. @param {Experiment} of */
  async function nameReferences({ axes }) {
    const digests = axes.find(({ name }) => name === 'reference')?.values ?? [];
    for (const digest of digests.map(String)) {
      if (state().references[digest]) continue;
      const reference = await api.reference(digest).catch(() => null);
      if (reference) dispatch({ type: 'known', reference });
    }
  }

  async function loadLatest() {
    try {
      latest = (await calls.latest()).experiments;
      draw();
    } catch {
      // The list stays as it is.
    }
  }

  /** @param {Update} update */
  function hear(update) {
    if (update.kind === 'connection') return;
    // What was missed while the line was away is asked for.
    if (update.kind === 'hello' && experiment) void load(experiment.id);
    if (!experiment || update.kind === 'hello') return;
    const before = experiment;
    for (const each of update.change.results ?? []) if (results.has(each.id)) results.set(each.id, each);
    experiment = withNews(experiment, update.change);
    if (experiment === before) return;
    if (before.state === 'running' && experiment.state === 'done') void loadLatest();
    draw();
  }

  function names() {
    const { specs, references } = state();
    const backends = (specs?.backends ?? []).map((each) => ({ ...each, ...state().backends[each.key] }));
    return { backends, references, words: w };
  }

  /** @param {Message | null} what */
  function say(what) {
    said = what;
    draw();
  }

  /** @param {Experiment} begun */
  function started(begun) {
    dispatch({ type: 'experiment', id: begun.id });
    take(begun);
    router.go({ experiment: begun.id });
    void loadLatest();
    say(null);
  }

  // ---- acting ------------------------------------------------------------------------------------------

  /** @param {() => Promise<Experiment>} ask */
  async function act(ask) {
    try {
      const found = await ask();
      if (found.id === experiment?.id) take(found);
      said = null;
    } catch (error) {
      said = errorOf(error);
    }
    draw();
  }

  /** @param {number | null} place */
  async function retry(place) {
    if (!experiment) return;
    const { id } = experiment;
    await act(async () => {
      await calls.retry(id, place);
      return calls.one(id);
    });
  }

  /** @param {string} text */
  async function addValues(text) {
    const name = experiment?.axes[0]?.name;
    const backend = backendNamed(state(), experiment?.base.backend ?? '');
    if (!experiment || !name || !backend) return;
    const found = axisOf({ name, text, picked: text ? [text] : [] }, backend);
    if ('error' in found) {
      said = found.error;
      draw();
      return;
    }
    const { id } = experiment;
    adding = '';
    await act(() => calls.extend(id, name, found.axis.values ?? []));
  }

  /** Bring a row's or a column's value into the form. @param {number} axis @param {number} at */
  async function apply(axis, at) {
    const { name, values } = experiment?.axes[axis] ?? { name: '', values: [] };
    const value = values[at];
    if (value === undefined) return;
    if (Array.isArray(value)) dispatch({ type: 'edit', values: { style: value } });
    else if (name === 'prompt') dispatch({ type: 'edit', values: { prompt: String(value) } });
    else if (name === 'backend') dispatch({ type: 'edit', values: { backend: String(value) } });
    else if (name === 'seed') dispatch({ type: 'edit', values: { seed: Number(value), lock: true } });
    else if (name === 'reference') {
      const reference = state().references[String(value)] ?? (await api.reference(String(value)).catch(() => null));
      if (reference) dispatch({ type: 'reference', reference });
    } else dispatch({ type: 'edit', values: { params: { ...state().draft.params, [name]: value } } });
    said = message('explore-applied', { axis: axisLabel(name, names()), value: valueLabel(name, value, names()) });
    draw();
  }

  /** @param {number} place */
  function choose(place) {
    chosen = chosen === place ? null : place;
    draw();
    if (chosen !== null) void fetchResult();
  }

  /** @param {number} place @returns {{ result: number, ratio: number } | null} the picture of a cell */
  function pictureOf(place) {
    const id = experiment?.cells.find((each) => each.place === place)?.result ?? null;
    return experiment && id !== null ? { result: id, ratio: ratioOf(experiment) } : null;
  }

  function cell() {
    return experiment?.cells.find(({ place }) => place === chosen) ?? null;
  }

  /** @returns {Promise<Result | null>} the result of the chosen cell */
  async function fetchResult() {
    const id = cell()?.result ?? null;
    if (id === null) return null;
    const known = state().results.find((each) => each.id === id) ?? results.get(id);
    if (known) return known;
    const found = await api.result(id).catch(() => null);
    if (found) results.set(id, found);
    draw();
    return found;
  }

  function result() {
    const id = cell()?.result;
    return id == null ? null : (state().results.find((each) => each.id === id) ?? results.get(id) ?? null);
  }

  /** @param {Experiment} of @returns {import('./types.js').Sheet} as the grid shows it */
  function ordered(of) {
    const sheet = sheetOf(of, hidden);
    return of.axes.length === 1 ? inOrder(sheet, order) : sheet;
  }

  /** @param {number} by */
  function step(by) {
    if (!experiment) return;
    const sheet = ordered(experiment);
    /** @type {number[]} */
    const places = [];
    for (let row = 0; row < sheet.rows.length; row += 1)
      for (let at = 0; at < sheet.columns.length; at += 1) {
        const here = sheet.cell(at, row, page);
        if (here?.result != null) places.push(here.place);
      }
    const next = places[places.indexOf(chosen ?? -1) + by];
    if (next === undefined) return;
    chosen = next;
    draw();
    void fetchResult().then(parts.redraw);
  }

  async function openFull() {
    peek.hide();
    if (!(await fetchResult())) return;
    void parts.full({ result, step, stay: () => {} });
  }

  /** @param {number} place */
  function open(place) {
    chosen = place;
    draw();
    void openFull();
  }

  /** @param {(of: Result) => void} then */
  async function withResult(then) {
    const found = await fetchResult();
    if (found) then(found);
  }

  async function star() {
    const here = cell();
    if (!experiment || here?.result == null) return;
    const { result: id, star: starred } = here;
    try {
      const { results: changed } = await calls.star(id, !starred);
      dispatch({ type: 'change', change: { results: changed } });
      experiment = withNews(experiment, { results: changed });
      for (const each of changed) results.set(each.id, each);
    } catch (error) {
      said = errorOf(error);
    }
    draw();
  }

  /** Make the chosen picture a favourite, or no longer. */
  function pick() {
    void withResult((of) => {
      const others = favourites.filter(({ id }) => id !== of.id);
      favourites = others.length < favourites.length ? others : [...favourites, of].slice(-FAVOURITES);
      draw();
    });
  }

  /** @param {Result[]} of */
  async function evolve(of) {
    favourites = of.slice(0, FAVOURITES);
    const backend = backendNamed(state(), favourites[0]?.backend ?? '');
    try {
      const ids = favourites.map(({ id }) => id);
      started(await calls.evolve(ids, { key: newKey(), provider: backend?.provider ?? null }));
    } catch (error) {
      say(errorOf(error));
    }
  }

  /** @returns {string} what a round near the favourites costs, as far as that is known; empty where it is free */
  function roundPrice() {
    const each = ROUND / favourites.length;
    const dollars = favourites.reduce(
      (sum, { backend }) => sum + each * (backendNamed(state(), backend)?.price.dollars ?? 0),
      0,
    );
    return dollars ? ` · ${w.say('price-live', { dollars: exactDollars(dollars) })}` : '';
  }

  /** Make the chosen picture as the form's steps have it, where it was a draft. */
  function again() {
    void withResult(({ recipe }) => {
      const steps = state().draft.params.num_inference_steps;
      const params = steps === undefined ? recipe.params : { ...recipe.params, num_inference_steps: steps };
      parts.again({ ...recipe, params });
    });
  }

  function close() {
    const place = chosen;
    chosen = null;
    draw();
    focusCell(place);
  }

  /** @param {number | null} place */
  function focusCell(place) {
    /** @type {HTMLElement | null} */ (root.querySelector(`.xp-cell[data-place="${place}"]`))?.focus();
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === 'Escape' && peek.dismiss()) {
      event.preventDefault();
      return;
    }
    if (event.key === 'Escape' && chosen !== null) {
      event.preventDefault();
      close();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    const place = Number(target.closest?.('.xp-cell')?.getAttribute('data-place') ?? Number.NaN);
    if (!Number.isNaN(place) && experiment) {
      const to = neighbourOf(place, event.key);
      if (to !== null) {
        event.preventDefault();
        if (chosen !== null) {
          chosen = to;
          void fetchResult();
        }
        draw();
        focusCell(to);
        return;
      }
      if (event.key === 'Enter') {
        event.preventDefault();
        open(place);
        return;
      }
    }
    if (!singleKeys()) return;
    /** @type {{ [key: string]: () => void }} */
    const letters = {
      u: () => void withResult(parts.use),
      r: () => void withResult((of) => dispatch({ type: 'recall', recipe: of.recipe, part: 'recipe' })),
      s: () => void star(),
      e: pick,
      f: () => void openFull(),
    };
    const letter = letters[event.key.toLowerCase()];
    if (!letter) return;
    if (!Number.isNaN(place)) chosen = place;
    if (chosen === null) return;
    event.preventDefault();
    event.stopPropagation();
    letter();
  }

  /** @param {number} place @param {string} key @returns {number | null} */
  function neighbourOf(place, key) {
    if (!experiment) return null;
    const sheet = ordered(experiment);
    const one = experiment.axes.length === 1;
    const columns = one ? acrossOf(root) : sheet.columns.length;
    for (let row = 0; row < sheet.rows.length; row += 1)
      for (let at = 0; at < sheet.columns.length; at += 1) {
        if (sheet.cell(at, row, page)?.place !== place) continue;
        if (one) {
          const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key];
          const next =
            key === 'Home' ? 0 : key === 'End' ? sheet.columns.length - 1 : by === undefined ? null : at + by;
          return next === null ? null : (sheet.cell(next, 0, page)?.place ?? place);
        }
        const next = moved(key, { column: at, row }, { columns, rows: sheet.rows.length });
        return next && (sheet.cell(next.column, next.row, page)?.place ?? place);
      }
    return null;
  }

  /** Stop what is shown. @returns {boolean} whether there was something to stop */
  function stop() {
    if (!experiment || !countsOf(experiment).open) return false;
    const { id, cells } = experiment;
    const billed = cells.some(
      ({ state: at, backend }) =>
        (at === 'running' || at === 'submitting') && backendNamed(state(), backend)?.price.dollars,
    );
    void act(() => calls.act(id, 'cancel')).then(() => billed && say(message('explore-billed')));
    return true;
  }

  // ---- the ladder --------------------------------------------------------------------------------------

  function stopPlaying() {
    if (playing !== null) clearInterval(playing);
    playing = null;
  }

  /** @returns {number | null} the value in the middle between the shown one and the next */
  function between() {
    const axis = experiment?.axes[0];
    const param = backendNamed(state(), experiment?.base.backend ?? '')?.params.find(({ name }) => name === axis?.name);
    if (!experiment || !axis || param?.step == null) return null;
    const { columns } = sheetOf(experiment, hidden);
    const [low, high] = [columns[column]?.value, columns[column + 1]?.value];
    return typeof low === 'number' && typeof high === 'number' ? middle(low, high, param.step) : null;
  }

  // ---- drawing -----------------------------------------------------------------------------------------

  function draw() {
    if (!shown || !backendOf(state())) return;
    const there = experiment;
    render(
      html`<div class="xp-setup">${planning.view()}</div>
        ${
          said
            ? html`<p class="xp-said" role="status">${w.inFull(said)}
                <button type="button" aria-label=${w.say('ui-close')} @click=${() => say(null)}>×</button></p>`
            : nothing
        }
        ${there ? made(there) : recent()}`,
      root,
    );
  }

  function recent() {
    if (!latest.length) return nothing;
    const title = (/** @type {Summary} */ { names: axes, count, created }) =>
      w.say('explore-named', {
        axes: axes.map((/** @type {string} */ name) => axisLabel(name, names())).join(' × '),
        count,
        date: dates.format(created * 1000),
      });
    return html`<label class="xp-recent"><span>${w.say('explore-recent')}</span>
      <select @change=${(/** @type {Event} */ event) => goTo(/** @type {HTMLSelectElement} */ (event.target).value)}>
        <option value="" .selected=${experiment === null}>${w.say('explore-none-shown')}</option>
        ${latest.map((each) => html`<option value=${each.id} .selected=${each.id === experiment?.id}>${title(each)}</option>`)}
      </select></label>`;
  }

  /** @param {string} id */
  function goTo(id) {
    router.go({ experiment: id || null });
    if (!id) {
      experiment = null;
      draw();
    } else void load(id);
  }

  /** @param {Experiment} of */
  function made(of) {
    const sheet = sheetOf(of, hidden);
    page = Math.min(page, sheet.pages.length - 1);
    column = Math.min(column, sheet.columns.length - 1);
    const ratio = ratioOf(of);
    const one = of.axes.length === 1;
    const canScrub =
      one && !of.evolved && sheet.columns.length > 1 && sheet.columns.every(({ value }) => typeof value === 'number');
    const width = cellWidth(sheet.columns.length, one, ratio);
    const big = Math.min(root.clientWidth - 16, Math.max(240, (innerHeight - 380) * ratio), 900);
    return html`<div class="xp-made">
      <div class="xp-bar-row">${progress(of, canScrub)}${recent()}</div>
      ${of.axes.length > 2 ? pages(of, sheet) : nothing}
      <div class="xp-middle ${cell() ? 'open' : ''}">
        <div class="xp-scroll">
          ${
            canScrub && scrubbing
              ? ladder(
                  { experiment: of, sheet, column, playing: playing !== null, between: between(), width: big, ratio },
                  ladderActs,
                  names(),
                  api,
                )
              : grid(
                  {
                    experiment: of,
                    sheet: ordered(of),
                    page,
                    chosen,
                    picked: favourites.map(({ id }) => id),
                    width,
                    ratio,
                  },
                  {
                    choose,
                    open,
                    retry: (place) => void retry(place),
                    apply: (axis, at) => void apply(axis, at),
                    hide,
                  },
                  names(),
                  api,
                )
          }
        </div>
        ${panel(of)}
      </div>
    </div>`;
  }

  /** @param {number} axis @param {number} at */
  function hide(axis, at) {
    hidden = new Set(hidden).add(`${axis}:${at}`);
    draw();
  }

  function orders() {
    return html`<label class="xp-order">${w.say('explore-order')}
      <select @change=${(/** @type {Event} */ event) => {
        order = ORDERS[/** @type {HTMLSelectElement} */ (event.target).selectedIndex] ?? 'own';
        draw();
      }}>${ORDERS.map(
        (each) =>
          html`<option .selected=${each === order}>${w.say(`explore-order-${each.replace('_', '-')}`)}</option>`,
      )}</select></label>`;
  }

  /** @param {Experiment} of @param {boolean} canScrub */
  function progress(of, canScrub) {
    const one = of.axes.length === 1 && of.cells.length > 1;
    const counts = countsOf(of);
    const price = of.spent ? ` · ${w.say('price-live', { dollars: exactDollars(of.spent) })}` : '';
    const running = of.state === 'running' && counts.open > 0;
    return html`<div class="xp-progress">
      <span role="status">${w.say('explore-made', { done: counts.done, count: counts.all })}${price}${
        of.state === 'paused' ? html` · ${of.why ? w.inFull(of.why) : w.say('explore-paused')}` : nothing
      }${of.needs_keys.length ? html` · ${w.say('explore-needs-key')}` : nothing}</span>
      ${
        canScrub
          ? html`<span class="xp-switch" role="group" aria-label=${w.say('explore-view')}>
              ${[false, true].map(
                (as) =>
                  html`<button type="button" aria-pressed=${String(scrubbing === as)} @click=${() => {
                    scrubbing = as;
                    draw();
                  }}>${w.say(as ? 'explore-as-ladder' : 'explore-as-grid')}</button>`,
              )}</span>`
          : nothing
      }
      ${one && !(canScrub && scrubbing) ? orders() : nothing}
      ${running ? button('pause', () => void act(() => calls.act(of.id, 'pause'))) : nothing}
      ${of.state === 'paused' ? button('resume', () => void act(() => calls.act(of.id, 'resume'))) : nothing}
      ${running || of.state === 'paused' ? button('cancel', stop) : nothing}
      ${
        favourites.length
          ? html`<button type="button" class="primary" data-act="evolve" @click=${() => void evolve(favourites)}>${w.say(
              'explore-evolve',
              { letters: favourites.map((_, at) => letterOf(at)).join(', '), count: ROUND },
            )}${roundPrice()}</button>`
          : nothing
      }
      ${
        favourites.length > 1
          ? html`<button type="button" data-act="compare" @click=${() => parts.compare(favourites.map(({ id }) => id))}>${w.say('ui-compare-tab')}</button>`
          : nothing
      }
      ${counts.missing ? button('retry', () => void retry(null), { count: counts.missing }) : nothing}
      ${hidden.size ? button('show-hidden', showHidden, { count: hidden.size }) : nothing}
      ${addition(of)}
      ${
        counts.done
          ? html`<button type="button" popovertarget="xp-export" class="xp-export">${w.say('explore-export')}</button>
            <div id="xp-export" popover>
              ${['sheet?format=png', 'sheet?format=pdf', 'archive', 'table'].map(
                (what) =>
                  html`<a class="button" download href=${calls.file(of.id, what)}>${w.say(`explore-export-${what.split('=').pop()}`)}</a>`,
              )}</div>
            ${button('in-library', () => enter('library', { filter: { experiment: of.id } }))}`
          : nothing
      }
    </div>`;
  }

  /**
   * @param {string} name
   * @param {() => void} click
   * @param {{ [name: string]: number }} [values]
   */
  function button(name, click, values = {}) {
    return html`<button type="button" data-act=${name} @click=${click}>${w.say(`explore-${name}`, values)}</button>`;
  }

  function showHidden() {
    hidden = new Set();
    draw();
  }

  /** @param {Experiment} of */
  function addition(of) {
    const name = of.axes[0]?.name ?? '';
    const backend = backendNamed(state(), of.base.backend);
    if (!backend || of.evolved || isPicked(name, backend)) return nothing;
    return html`<form class="xp-add" @submit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void addValues(adding);
    }}><input type="text" aria-label=${w.say('explore-add-values', { axis: axisLabel(name, names()) })}
        placeholder=${w.say('explore-add-values', { axis: axisLabel(name, names()) })} .value=${adding}
        @input=${(/** @type {Event} */ event) => {
          adding = /** @type {HTMLInputElement} */ (event.target).value;
        }}><button>${w.say('explore-add')}</button></form>`;
  }

  /** @param {Experiment} of @param {import('./types.js').Sheet} sheet */
  function pages(of, sheet) {
    const { name = '' } = of.axes[2] ?? {};
    return html`<div class="xp-pages" role="group" aria-label=${axisLabel(name, names())}>
      <span>${axisLabel(name, names())}</span>
      ${sheet.pages.map(
        ({ value }, at) =>
          html`<button type="button" aria-pressed=${String(at === page)} @click=${() => {
            page = at;
            draw();
          }}>${valueLabel(name, value, names())}</button>`,
      )}</div>`;
  }

  /** @param {Experiment} of */
  function panel(of) {
    const here = cell();
    if (!here) return nothing;
    const found = result();
    const name = cellName(here, of, names());
    const backend = backendNamed(state(), here.backend);
    const can = here.result !== null;
    return html`<section class="xp-panel" aria-label=${name}>
      <div class="xp-panel-head"><h2>${name}</h2>
        <button type="button" data-act="close" aria-label=${w.say('ui-close')} @click=${close}>×</button></div>
      ${
        can
          ? html`<button type="button" class="xp-picture" style="--ratio:${ratioOf(of)}" aria-label=${w.say('stage-full-view')} @click=${() => void openFull()}>
              <img alt=${name} src=${api.resultView(here.result ?? 0, screenPixels(480, devicePixelRatio))}></button>`
          : html`<p>${here.error ? w.inFull(here.error) : w.say(`explore-state-${here.state.replace('_', '-')}`)}</p>`
      }
      ${
        found
          ? html`<p class="xp-recipe">${recipeWords(found, backend)
              .map((each) => w.say(each))
              .join(' · ')}</p>
              ${metersView(found, w)}`
          : nothing
      }
      <div class="xp-acts">
        ${
          can
            ? html`<button type="button" data-act="star" aria-pressed=${String(here.star)} @click=${() => void star()}>★ <kbd>S</kbd></button>
              <button type="button" data-act="use" @click=${() => void withResult(parts.use)}>${w.say('explore-use')} <kbd>U</kbd></button>
              <button type="button" data-act="recall" @click=${() =>
                void withResult((of) =>
                  dispatch({ type: 'recall', recipe: of.recipe, part: 'recipe' }),
                )}>${w.say('explore-recall')} <kbd>R</kbd></button>
              <button type="button" data-act="pick" aria-pressed=${String(favourites.some(({ id }) => id === here.result))} @click=${pick}>${w.say('explore-pick-favourite')} <kbd>E</kbd></button>
              <button type="button" data-act="again" @click=${again}>${w.say('explore-full')}</button>
              <button type="button" data-act="library" @click=${() => enter('library', { open: here.result, filter: {} })}>${w.say('explore-in-library')}</button>`
            : nothing
        }
      </div>
    </section>`;
  }

  /** @param {Experiment} of @returns {number} width over height of its pictures, as far as it is known */
  function ratioOf({ reference, cells }) {
    const known = state().references[reference] ?? cells[0]?.recipe.reference;
    return known ? known.width / known.height : 4 / 3;
  }

  /** @param {number} columns @param {boolean} one whether there is one axis @param {number} ratio width over height */
  function cellWidth(columns, one, ratio) {
    const narrow = root.clientWidth < NARROW;
    const beside = cell() && !narrow ? panelWidth(root.clientWidth) + 12 : 0;
    const room = root.clientWidth - 16 - beside;
    const most = Math.min(CELL.most, Math.max(CELL.least, Math.round(CELL.most * ratio)));
    if (narrow || one) {
      const across = narrow ? 2 : Math.max(2, Math.floor(room / 180));
      return Math.min(narrow ? room : most, Math.floor((room - 8 * (across - 1)) / across));
    }
    return Math.max(CELL.least, Math.min(most, Math.floor((room - 112) / columns) - 8));
  }
}

/**
 * Return how wide the panel of the chosen cell is, as explore.css has it.
 * @param {number} width of the view
 */
function panelWidth(width) {
  return Math.min(480, Math.max(260, 0.34 * width));
}

/**
 * Return how many cells of a sheet stand side by side.
 * @param {HTMLElement} root
 */
function acrossOf(root) {
  const ones = /** @type {HTMLElement[]} */ ([...root.querySelectorAll('.xp-sheet > .xp-one')]);
  const top = ones[0]?.offsetTop;
  return Math.max(1, ones.filter(({ offsetTop }) => offsetTop === top).length);
}
