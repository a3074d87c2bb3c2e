// What stands above and over the grid: search, filters and order; what a selection can do; what was deleted.

import { html, live, nothing } from '../vendor/lit.js';
import { COSTS, dayBounds, dayIn, partsOf, rangeChoice, rangeValues, rangeWords, SIZES, SORTS } from './filter.js';
import { SIZES as TILES } from './layout.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Message } from '../types.js' */
/** @import { Facets, Filter, Project } from './types.js' */

/** Selected pictures that a round of neighbours, and an experiment over many pictures, are offered for. */
const FAVOURITES = 4;
const BATCH = 24;

/**
 * @typedef {object} HeadModel
 * @property {Filter} filter
 * @property {number | null} found how many pictures; null before the first answer
 * @property {boolean} narrowed whether a filter or a search has found them
 * @property {Facets | null} facets
 * @property {number} density which of the sizes of tiles
 * @property {(id: string) => string} styleName
 * @property {(key: string) => string} backendName
 * @property {Message | null} problem
 * @property {Message | null} room what is removed next and why, where storage is nearly full
 * @property {string | null} archive the address of the archive of the project that is shown; null where all are
 */

/**
 * @typedef {object} HeadActions
 * @property {(values: { [name: string]: string | null }) => void} set
 * @property {(part: string) => void} drop
 * @property {() => void} clear
 * @property {(density: number) => void} density
 * @property {() => void} leaveSearch the focus goes to the grid
 * @property {() => void} menu called when the filters are opened
 * @property {() => void} showOldest
 * @property {() => void} dismissRoom
 * @property {() => void} dismiss the problem
 * @property {(file: File) => void} take in an archive
 */

/**
 * @param {HeadModel} model
 * @param {HeadActions} act
 * @param {Words} w
 */
export function head(model, act, w) {
  const { filter, facets } = model;
  const parts = partsOf(filter);
  const typed = (/** @type {Event} */ event) => act.set({ q: /** @type {HTMLInputElement} */ (event.target).value });
  return html`<div class="lib-bar" role="search">
      <input type="search" class="lib-search" aria-label=${w.say('library-search')} placeholder=${w.say('library-search')}
        maxlength="500" .value=${live(filter.q ?? '')} @input=${typed}
        @keydown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
          event.preventDefault();
          act.leaveSearch();
        }} />
      <button type="button" class="lib-star" aria-pressed=${String(filter.star === 'true')} aria-label=${w.say('library-starred-only')}
        title=${w.say('library-starred-only')} @click=${() => act.set({ star: filter.star ? null : 'true' })}>★</button>
      <button type="button" class="lib-filters" popovertarget="lib-menu" @click=${act.menu}>${w.say('library-filter')}</button>
      <select class="lib-sort" aria-label=${w.say('library-sort')}
        @change=${(/** @type {Event} */ event) => act.set({ sort: /** @type {HTMLSelectElement} */ (event.target).value })}>
        ${SORTS.map((sort) => html`<option value=${sort} .selected=${(filter.sort ?? 'newest') === sort}>${w.say(`library-sort-${sort.replace('_', '-')}`)}</option>`)}
      </select>
      <input type="range" class="lib-density" min="0" max=${TILES.length - 1} step="1" .value=${live(String(model.density))}
        aria-label=${w.say('library-density')} title=${w.say('library-density')}
        @input=${(/** @type {Event} */ event) => act.density(/** @type {HTMLInputElement} */ (event.target).valueAsNumber)} />
      <div id="lib-menu" popover>${menu(filter, facets, model, act, w)}</div>
    </div>
    ${
      model.room
        ? html`<p class="lib-room-low" role="status"><span>${w.inFull(model.room)}</span>
            <button type="button" data-act="oldest" @click=${act.showOldest}>${w.say('library-room-show')}</button>
            <button type="button" aria-label=${w.say('ui-close')} @click=${act.dismissRoom}>×</button></p>`
        : nothing
    }
    <div class="lib-found">
      <span role="status" class="lib-count">${model.found === null ? nothing : w.say(model.narrowed ? 'library-found' : 'library-count', { count: model.found })}</span>
      ${parts.map(
        (part) =>
          html`<button type="button" class="lib-chip" data-part=${part} aria-label=${w.say('library-drop', { filter: chip(part, filter, model, w) })}
            @click=${() => act.drop(part)}>${chip(part, filter, model, w)} <span aria-hidden="true">×</span></button>`,
      )}
      ${model.archive ? html`<a class="button lib-export" href=${model.archive} download>${w.say('library-export')}</a>` : nothing}
      ${parts.length ? html`<button type="button" class="lib-clear" @click=${act.clear}>${w.say('library-clear')}</button>` : nothing}
      ${
        model.problem
          ? html`<span class="lib-problem" role="alert">${w.inFull(model.problem)}
            <button type="button" aria-label=${w.say('ui-close')} @click=${act.dismiss}>×</button></span>`
          : nothing
      }
    </div>`;
}

/**
 * Return a part of the filter in words.
 * @param {string} part
 * @param {Filter} filter
 * @param {HeadModel} model
 * @param {Words} w
 */
function chip(part, filter, { facets, styleName, backendName }, w) {
  const value = filter[part] ?? '';
  switch (part) {
    case 'star':
      return w.say('library-starred');
    case 'failed':
      return w.say('library-failed');
    case 'backend':
      return backendName(value);
    case 'style':
      return styleName(value);
    case 'tag':
      return w.say('library-tagged', { tag: value });
    case 'project':
      return facets?.projects.find(({ id }) => String(id) === value)?.name ?? w.say('library-project');
    case 'experiment':
      return w.say('library-of-experiment');
    case 'date':
      return days(filter, w);
    case 'size':
    case 'cost':
      return w.say(rangeWords(part, filter));
  }
  return value;
}

/** @param {Filter} filter @param {Words} w */
function days({ since, until }, w) {
  const shown = new Intl.DateTimeFormat(w.language, { dateStyle: 'medium' });
  const at = (/** @type {string} */ seconds) => shown.format(Number(seconds) * 1000);
  if (since && until && dayIn(since) === dayIn(until)) return at(since);
  if (since && until) return w.say('library-date-between', { from: at(since), to: at(until) });
  return since ? w.say('library-date-from', { from: at(since) }) : w.say('library-date-to', { to: at(until ?? '') });
}

/**
 * @param {Filter} filter
 * @param {Facets | null} facets
 * @param {HeadModel} model
 * @param {HeadActions} act
 * @param {Words} w
 */
function menu(filter, facets, { styleName, backendName }, act, w) {
  /**
   * @param {string} name
   * @param {string} label
   * @param {{ value: string, label: string }[]} options
   */
  const choice = (name, label, options) => html`<label>${label}
    <select name=${name} @change=${(/** @type {Event} */ event) => act.set({ [name]: /** @type {HTMLSelectElement} */ (event.target).value })}>
      <option value="" .selected=${!filter[name]}>${w.say('library-any')}</option>
      ${options.map(({ value, label: words }) => html`<option value=${value} .selected=${filter[name] === value}>${words}</option>`)}
    </select></label>`;
  /** @param {'size' | 'cost'} part */
  const range = (part) => {
    const chosen = rangeChoice(part, filter);
    const ranges = part === 'size' ? SIZES : COSTS;
    return html`<label>${w.say(`library-${part}`)}
      <select name=${part} @change=${(/** @type {Event} */ event) => act.set(rangeValues(part, Number(/** @type {HTMLSelectElement} */ (event.target).value)))}>
        <option value="-1" .selected=${chosen < 0}>${w.say('library-any')}</option>
        ${ranges.map((_, at) => html`<option value=${at} .selected=${chosen === at}>${w.say(rangeWords(part, filled(rangeValues(part, at))))}</option>`)}
      </select></label>`;
  };
  /** @param {'since' | 'until'} name */
  const day = (name) => html`<label>${w.say(`library-${name}`)}
    <input type="date" name=${name} .value=${live(dayIn(filter[name]))}
      @change=${(/** @type {Event} */ event) => act.set({ [name]: dayBounds(/** @type {HTMLInputElement} */ (event.target).value, name === 'until') })} /></label>`;
  const counted = (/** @type {string} */ label, /** @type {number} */ count) =>
    w.say('library-option', { label, count });
  return html`<form class="lib-menu" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
    ${choice(
      'backend',
      w.say('ui-backend'),
      (facets?.backends ?? []).map(({ key, count }) => ({ value: key, label: counted(backendName(key), count) })),
    )}
    ${choice(
      'style',
      w.say('styles-medium'),
      (facets?.styles ?? []).map(({ id, count }) => ({ value: id, label: counted(styleName(id), count) })),
    )}
    ${choice(
      'model',
      w.say('library-model'),
      (facets?.models ?? []).map(({ id, count }) => ({ value: id, label: counted(id, count) })),
    )}
    ${choice(
      'project',
      w.say('library-project'),
      (facets?.projects ?? []).map(({ id, name, count }) => ({ value: String(id), label: counted(name, count) })),
    )}
    ${choice(
      'tag',
      w.say('library-tag'),
      (facets?.tags ?? []).map(({ name, count }) => ({ value: name, label: counted(name, count) })),
    )}
    ${range('size')}${range('cost')}
    ${day('since')}${day('until')}
    <label class="lib-tick"><input type="checkbox" name="failed" .checked=${live(filter.failed === 'true')}
      @change=${() => act.set({ failed: filter.failed ? null : 'true' })} /> ${w.say('library-failed-only')}</label>
    ${facets ? html`<p class="lib-room">${w.say('library-room', { size: gigabytes(facets.bytes), share: gigabytes(facets.share_bytes ?? 0) })}</p>` : nothing}
    <div class="lib-menu-end">
      <label class="button lib-import">${w.say('library-import')}
        <input type="file" accept=".zip,application/zip" @change=${(/** @type {Event} */ event) => {
          const input = /** @type {HTMLInputElement} */ (event.target);
          const [file] = input.files ?? [];
          input.value = '';
          if (file) act.take(file);
        }} /></label>
      <button type="button" @click=${act.clear}>${w.say('library-clear')}</button>
      <button type="button" popovertarget="lib-menu" popovertargetaction="hide">${w.say('ui-close')}</button>
    </div>
  </form>`;
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return bytes / 1e9;
}

/** @param {{ [name: string]: string | null }} values @returns {Filter} */
function filled(values) {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/**
 * @typedef {object} FootModel
 * @property {number} selected
 * @property {boolean} starred whether all of them have a star, as far as they are here
 * @property {string[]} tags of those that are here
 * @property {Facets | null} facets
 * @property {number | null} asking how many would be deleted, where that is asked
 * @property {{ done: number, total: number } | null} busy
 * @property {{ count: number } | null} undo
 * @property {Message | null} said what was just done
 */

/**
 * @typedef {object} FootActions
 * @property {() => void} star
 * @property {(name: string) => void} addTag
 * @property {(name: string) => void} removeTag
 * @property {(project: number | null) => void} project
 * @property {(name: string) => void} createProject
 * @property {() => void} evolve begins a round of runs near the selected ones
 * @property {() => void} batch plans an experiment over the selected ones
 * @property {() => void} compare
 * @property {() => void} download
 * @property {() => void} remove
 * @property {() => void} confirm
 * @property {() => void} keep
 * @property {() => void} undo
 * @property {() => void} clear
 */

/**
 * @param {FootModel} model
 * @param {FootActions} act
 * @param {Words} w
 */
export function foot(model, act, w) {
  const { selected, busy, undo, asking, facets } = model;
  return html`${
    undo
      ? html`<div class="lib-undo" role="status"><span>${w.say('library-deleted', { count: undo.count })}</span>
        <button type="button" data-act="undo" @click=${act.undo}>${w.say('library-undo')}</button></div>`
      : nothing
  }${model.said && !undo ? html`<div class="lib-undo" role="status"><span>${w.say(model.said)}</span></div>` : nothing}
    ${asking !== null ? question(asking, act, w) : nothing}
    ${
      selected > 0 && asking === null
        ? html`<div class="lib-actions" role="toolbar" aria-label=${w.say('library-selection')}>
          <span class="lib-selected" role="status">${busy ? w.say('library-busy', busy) : w.say('library-selected', { count: selected })}</span>
          <button type="button" data-act="star" aria-pressed=${String(model.starred)} ?disabled=${busy !== null} @click=${act.star}>★ ${w.say('library-star')} <kbd>S</kbd></button>
          <button type="button" data-act="tag" popovertarget="lib-tags" ?disabled=${busy !== null}>${w.say('library-tag')}</button>
          <button type="button" data-act="project" popovertarget="lib-projects" ?disabled=${busy !== null}>${w.say('library-project')}</button>
          <button type="button" data-act="compare" ?disabled=${busy !== null || selected < 2 || selected > 9} @click=${act.compare}>${w.say('ui-compare-tab')} <kbd>C</kbd></button>
          <button type="button" data-act="download" ?disabled=${busy !== null} @click=${act.download}>${w.say('stage-download')}</button>
          ${selected <= FAVOURITES ? html`<button type="button" data-act="evolve" @click=${act.evolve}>${w.say('library-evolve')}</button>` : nothing}
          ${selected <= BATCH ? html`<button type="button" data-act="batch" @click=${act.batch}>${w.say('library-batch')}</button>` : nothing}
          <button type="button" data-act="delete" ?disabled=${busy !== null} @click=${act.remove}>${w.say('library-delete')} <kbd>Del</kbd></button>
          <button type="button" data-act="clear" aria-label=${w.say('library-deselect')} title=${w.say('library-deselect')} @click=${act.clear}>×</button>
          <div id="lib-tags" popover class="lib-pick">${tagEditor(model.tags, facets, act, 'selection', w)}</div>
          <div id="lib-projects" popover class="lib-pick">${projectList(null, facets?.projects ?? [], act, w)}</div>
        </div>`
        : nothing
    }`;
}

/** @param {number} count @param {FootActions} act @param {Words} w */
function question(count, act, w) {
  /** @param {KeyboardEvent} event */
  const leave = (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    act.keep();
  };
  return html`<div class="lib-actions lib-question" role="alertdialog" aria-labelledby="lib-question" @keydown=${leave}>
    <span id="lib-question">${w.say('library-delete-question', { count })}</span>
    <button type="button" data-act="confirm" @click=${act.confirm}>${w.say('library-delete')}</button>
    <button type="button" data-act="keep" @click=${act.keep}>${w.say('library-keep')}</button>
  </div>`;
}

/**
 * @param {string[]} tags that are there
 * @param {Facets | null} facets
 * @param {{ addTag: (name: string) => void, removeTag: (name: string) => void }} act
 * @param {string} place a name of it, for there may be two
 * @param {Words} w
 */
export function tagEditor(tags, facets, act, place, w) {
  /** @param {SubmitEvent} event */
  const sent = (event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (
      /** @type {HTMLFormElement} */ (event.target).elements.namedItem('tag')
    );
    const name = input.value.trim();
    if (name) act.addTag(name);
    input.value = '';
  };
  const others = (facets?.tags ?? []).filter(({ name }) => !tags.includes(name));
  return html`<div class="lib-tags">${tags.map(
    (tag) =>
      html`<button type="button" class="lib-chip" data-tag=${tag} aria-label=${w.say('library-untag', { tag })} @click=${() => act.removeTag(tag)}>${tag} <span aria-hidden="true">×</span></button>`,
  )}</div>
    <form class="lib-add" @submit=${sent}>
      <input name="tag" maxlength="40" autocomplete="off" list=${`tags-${place}`} placeholder=${w.say('library-add-tag')} aria-label=${w.say('library-add-tag')} />
      <button type="submit">${w.say('library-add')}</button>
    </form>
    <datalist id=${`tags-${place}`}>${others.map(({ name }) => html`<option value=${name}></option>`)}</datalist>`;
}

/**
 * @param {number | null} chosen
 * @param {Project[]} projects
 * @param {{ project: (id: number | null) => void, createProject: (name: string) => void }} act
 * @param {Words} w
 */
export function projectList(chosen, projects, act, w) {
  /** @param {SubmitEvent} event */
  const sent = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const name = String(new FormData(form).get('project') ?? '').trim();
    if (name) act.createProject(name);
    form.reset();
  };
  const one = (/** @type {number | null} */ id, /** @type {string} */ name) =>
    html`<button type="button" aria-pressed=${String(chosen === id)} @click=${() => act.project(id)}>${name}</button>`;
  return html`<div class="lib-projects">${projects.map(({ id, name }) => one(id, name))}${one(null, w.say('library-no-project'))}</div>
    <form class="lib-add" @submit=${sent}>
      <input name="project" maxlength="80" autocomplete="off" placeholder=${w.say('library-new-project')} aria-label=${w.say('library-new-project')} />
      <button type="submit">${w.say('library-create')}</button>
    </form>`;
}

/**
 * What stands in the grid's place where there is nothing to show.
 * @param {boolean} filtered
 * @param {{ clear: () => void, make: () => void }} act
 * @param {Words} w
 */
export function empty(filtered, act, w) {
  return html`<div class="lib-empty">
    <h2>${w.say(filtered ? 'library-nothing-found' : 'library-empty')}</h2>
    <p>${w.say(filtered ? 'library-nothing-hint' : 'library-empty-hint')}</p>
    ${
      filtered
        ? html`<button type="button" data-act="clear-filter" @click=${act.clear}>${w.say('library-clear')}</button>`
        : html`<button type="button" data-act="make" @click=${act.make}>${w.say('library-make')}</button>`
    }
  </div>`;
}
