// The library: all of an owner's pictures, found, looked at and put in order. `main.js` leads it where the address says,
// and tells it what the server says.

import { isTyping, singleKeys } from '../keys.js';
import { safeStorage } from '../lib/draft.js';
import { dayOf } from '../lib/format.js';
import { message } from '../lib/message.js';
import { isNearlyFull } from '../lib/room.js';
import { downloadNameOf } from '../lib/select.js';
import { errorOf } from '../reading.js';
import { render } from '../vendor/lit.js';
import { empty, foot, head } from './bars.js';
import { carried } from './blocks.js';
import { archiveName, nameOf, styleName } from './describe.js';
import { createDetails } from './details.js';
import { cleared, dateOf, sameFilter, without, withValues } from './filter.js';
import { Grid } from './grid.js';
import { SIZES } from './layout.js';
import { parts as inParts } from './library.js';
import { createList } from './list.js';
import { countOf, everything, isSelected, joined, NONE, toggled, withoutGone } from './selection.js';

/** @import { Place } from '../lib/address.js' */
/** @import { Update } from '../lib/events.js' */
/** @import { Message, Result } from '../types.js' */
/** @import { Group } from './blocks.js' */
/** @import { Calls, Library, LibraryParts } from './library.js' */
/** @import { Early } from './list.js' */
/** @import { Facets, Filter, Patch } from './types.js' */

const DENSITY = 'srpo-studio:library-density';
const ASKED = 'srpo-studio:library-delete-asked';
const ROOM = 'srpo-studio:library-room-read';
const PLACE = 'srpo-studio:library-place';
/** A window that is narrower begins with small tiles. */
const NARROW = 700;
/** Milliseconds for which what was just done is said. */
const SAID = 4000;
/** Milliseconds that a browser has to take over what is downloaded. */
const KEPT = 60_000;
/** Milliseconds of a finger that rests on a picture. */
const REST = 450;

/**
 * @param {LibraryParts} parts
 * @param {Calls} calls
 * @param {Early} early the list that was asked for already
 * @returns {Library}
 */
export function openLibrary(parts, calls, early) {
  const { mount, api, words: w, router, state, dispatch, enter } = parts;
  const session = safeStorage(() => sessionStorage);
  const local = safeStorage(() => localStorage);
  const days = new Intl.DateTimeFormat(w.language, {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });

  const months = new Intl.DateTimeFormat(w.language, { month: 'long', year: 'numeric' });

  let shown = false;
  /** @type {Facets | null} */
  let facets = null;
  let asked = false;
  let selection = NONE;
  /** Where a range of the selection begins. */
  let anchor = 0;
  /** @type {Message | null} */
  let problem = null;
  /** @type {Message | null} */
  let said = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let saying;
  /** What is asked before it is deleted; null ids for the selection. @type {{ ids: number[] | null, count: number } | null} */
  let asking = null;
  /** @type {{ done: number, total: number } | null} */
  let busy = null;
  /** @type {{ ids: number[], timer: ReturnType<typeof setTimeout> } | null} */
  let undoable = null;
  /** Where the list was when the page was left. @type {{ filter: Filter, kept: { place: number, offset: number } } | null} */
  let leftAt = JSON.parse(session.getItem(PLACE) ?? 'null');
  let touched = false;
  let density = Number(local.getItem(DENSITY) ?? (innerWidth < NARROW ? 1 : 3));
  if (!SIZES[density]) density = 3;

  const list = createList({ calls, early, onList, onCome: came, mayMove, onFail: fail });

  const root = element('section', 'lib');
  const bar = element('div', 'lib-head');
  const middle = element('div', 'lib-middle');
  const left = element('div', 'lib-left');
  const nothingThere = element('div', 'lib-nothing');
  const panel = element('section', 'lib-panel');
  const bottom = element('div', 'lib-foot');
  const chip = /** @type {HTMLButtonElement} */ (element('button', 'lib-new'));
  root.setAttribute('aria-label', w.say('ui-library-tab'));
  panel.setAttribute('aria-label', w.say('library-details'));
  panel.hidden = true;
  chip.type = 'button';
  chip.hidden = true;

  const grid = new Grid({
    at: list.pages.at,
    name: (result) => nameOf(result, w),
    why: (result) => w.say(result.missing?.why ?? message('missing-failed')),
    view: (id, width) => api.resultView(id, Math.min(512, width)),
    heading,
    selected: (id) => isSelected(selection, id),
    current: () => details.id,
    need: list.pages.need,
    waiting: w.say('library-waiting'),
    label: w.say('library-grid'),
  });
  grid.wanted = /** @type {number} */ (SIZES[density]);
  const details = createDetails({
    ...parts,
    calls,
    panel,
    list,
    facets: () => facets,
    follow: (place) => grid.focus(place, { take: false }),
    returned: (id) => {
      const place = id === null ? -1 : list.pages.placeOf(id);
      grid.focus(place >= 0 ? place : grid.focused);
    },
    change,
    createProject,
    remove: (id) => askToDelete([id]),
    marked: () => grid.mark(),
    laidOut: () => grid.resize(),
    step,
    problem: show,
  });

  left.append(grid.scroller, grid.now, nothingThere, chip, bottom);
  middle.append(left, panel);
  root.append(bar, middle);
  mount.replaceChildren(root);
  chip.addEventListener('click', () => {
    list.takeWaiting();
    grid.scrollTo(0);
    grid.focus(0);
  });
  root.addEventListener('keydown', pressed);
  // Keys work wherever in the page one is, as long as nothing else there takes them.
  document.addEventListener('keydown', (event) => {
    const at = document.activeElement;
    if (shown && (at === document.body || at?.id === 'library-tab')) pressed(event);
  });
  grid.body.addEventListener('click', clicked);
  grid.body.addEventListener('pointerdown', rested);
  grid.body.addEventListener('contextmenu', (event) => {
    if (touched) event.preventDefault();
  });
  addEventListener('pagehide', () => {
    if (list.known) remember(PLACE, JSON.stringify({ filter: list.listed, kept: grid.anchor() }));
  });
  drawAll();
  void list.seek(router.place().filter);
  return { lead, hear, draw: drawPage };

  // ---- where one is ------------------------------------------------------------------------------------

  /** @param {Place} place */
  function lead(place) {
    const was = shown;
    shown = place.mode === 'library';
    if (!shown) return;
    if (!sameFilter(place.filter, list.filter)) void list.seek(place.filter);
    grid.resize();
    if (!was) {
      // A browser forgets how far what it does not show was scrolled.
      grid.scrollTo(grid.spot.top);
      void list.catchUp();
    }
    details.lead(place.open);
    if (place.filter.project || place.open !== null) needFacets();
    drawAll();
  }

  /** @param {{ [name: string]: string | null }} values */
  function filterBy(values) {
    seek(withValues(list.filter, values));
  }

  /** @param {{ [name: string]: string }} filter */
  function seek(filter) {
    router.replace({ filter });
    void list.seek(filter);
    drawBars();
  }

  // ---- the list ----------------------------------------------------------------------------------------

  /** @returns {boolean} whether what is new may be shown at once: nobody looks at something else */
  function mayMove() {
    return grid.spot.top < 8 && selection.all === null;
  }

  /**
   * @param {import('./list.js').Reason} reason
   * @param {number} before
   */
  function onList(reason, before) {
    if (reason === 'other') {
      problem = null;
      selection = NONE;
      grid.focused = 0;
      const kept = leftAt && sameFilter(leftAt.filter, list.listed) ? leftAt.kept : null;
      leftAt = null;
      grid.set(list.groups, kept);
    } else if (before !== list.total || grid.groups !== list.groups) {
      const focused = grid.cellAt(grid.focused)?.shown; // as it was: the list is another already
      const newest = (list.filter.sort ?? 'newest') === 'newest';
      const to = (/** @type {number} */ place) => carried(place, before, list.total, newest && list.total > before);
      const kept = grid.anchor();
      const there = focused ? list.pages.placeOf(focused.id) : -1;
      grid.focused = there >= 0 ? there : to(grid.focused);
      grid.set(list.groups, kept && { ...kept, place: to(kept.place) });
    }
    drawAll();
    details.found();
    needFacets(); // they say whether storage runs out
    const lost = grid.hasFocus || document.activeElement === document.body;
    if (shown && before && !list.total && lost) focusSearch();
  }

  function focusSearch() {
    /** @type {HTMLElement | null} */ (bar.querySelector('.lib-search'))?.focus();
  }

  function came() {
    grid.draw();
    details.found();
    if (selection !== NONE) drawFoot();
  }

  /** @param {unknown} error */
  function fail(error) {
    show(errorOf(error));
  }

  /** @param {Message} what went wrong */
  function show(what) {
    problem = what;
    drawBars();
  }

  /** @param {Message} what was done */
  function say(what) {
    said = what;
    clearTimeout(saying);
    saying = setTimeout(() => {
      said = null;
      drawBars();
    }, SAID);
    drawBars();
  }

  /** Ask for what there is to filter by, and which tags and projects there are, where that is not known. */
  function needFacets() {
    if (!asked) void loadFacets();
  }

  async function loadFacets() {
    asked = true;
    try {
      facets = await calls.facets();
      drawBars();
      details.draw();
    } catch {
      // The filters offer what they had.
    }
  }

  /** @returns {Message | null} what is removed next and why, where storage is nearly full */
  function roomLow() {
    if (!facets || !isNearlyFull(facets) || session.getItem(ROOM)) return null;
    return message('library-room-low', {
      percent: Math.min(100, Math.floor(100 * facets.full)),
      quota: facets.quota_bytes / 1e9,
      count: facets.removable_pictures,
      day: days.format((facets.oldest ?? 0) * 1000),
    });
  }

  /** Remember something until the tab is closed. @param {string} what @param {string} [value] */
  function remember(what, value = '1') {
    try {
      session.setItem(what, value);
    } catch {
      // Then it is said or asked again.
    }
  }

  /** @param {File} file an archive of a project */
  async function takeIn(file) {
    say(message('library-importing', { name: file.name }));
    try {
      const { project, results, known } = await calls.importProject(file);
      say(message('library-imported', { project: project ?? file.name, count: results, known }));
      void loadFacets();
      void list.ask('more');
    } catch (error) {
      said = null;
      fail(error);
    }
  }

  /** @param {Update} update */
  function hear(update) {
    if (update.kind === 'connection') return;
    const report = update.kind === 'hello' ? update.hello : update.change;
    const { results, deleted = [], stale, revision } = report;
    if (revision === undefined && update.kind === 'change') return; // nothing that is stored has changed
    selection = withoutGone(selection, deleted);
    list.hear({ revision, results, deleted, stale });
    details.forget(deleted);
    if (results) taken(results);
    if (!shown) return;
    if (update.kind === 'hello' && problem) void list.ask('more');
    else void list.catchUp();
  }

  /** Show results as they are now. @param {readonly Result[]} results */
  function taken(results) {
    details.taken(results);
    grid.draw();
    drawBars();
  }

  /** @param {Group} group */
  function heading(group) {
    if (group.day === null) return '';
    const date = dateOf(group.day);
    const month = group.day.length === 7;
    const { label } = month ? { label: null } : dayOf(date.getTime() / 1000, new Date());
    const day = label ? w.say(`library-${label}`) : (month ? months : days).format(date);
    const dollars = list.pages.costOf(group.first, group.blocks);
    return dollars
      ? w.say('library-day-cost', { day, count: group.count, dollars })
      : w.say('library-day', { day, count: group.count });
  }

  // ---- drawing -----------------------------------------------------------------------------------------

  function drawAll() {
    drawBars();
    details.draw();
  }

  /** What the page knows has changed: the backends, and how many pictures there are. */
  function drawPage() {
    if (shown) drawAll();
  }

  function drawBars() {
    const backends = state().specs?.backends ?? [];
    const found = list.known ? list.total : null;
    render(
      head(
        {
          filter: list.filter,
          found,
          narrowed: Object.keys(list.listed).some((name) => name !== 'sort'),
          facets,
          density,
          problem,
          archive: list.filter.project ? calls.archive(list.filter.project) : null,
          room: roomLow(),
          styleName: (id) => styleName(id, backends),
          backendName: (key) => {
            const backend = backends.find((each) => each.key === key);
            return backend ? w.say(backend.label) : key;
          },
        },
        {
          set: filterBy,
          drop: (part) => {
            seek(without(list.filter, part));
            focusSearch();
          },
          clear: clearFilter,
          density: (at) => {
            density = at;
            local.setItem(DENSITY, String(at));
            grid.resizeTiles(/** @type {number} */ (SIZES[at]));
            drawBars();
          },
          leaveSearch: () => {
            if (list.total) grid.focus(grid.focused);
          },
          menu: () => void loadFacets(),
          showOldest: () => filterBy({ sort: 'oldest' }),
          dismissRoom: () => {
            remember(ROOM);
            drawBars();
          },
          take: (file) => void takeIn(file),
          dismiss: () => {
            problem = null;
            if (!list.known) void list.ask('other');
            drawBars();
          },
        },
        w,
      ),
      bar,
    );
    const nothing = list.known && list.total === 0;
    grid.scroller.hidden = nothing;
    nothingThere.hidden = !nothing;
    if (nothing) {
      const filtered = Object.keys(list.listed).some((name) => name !== 'sort');
      render(empty(filtered, { clear: clearFilter, make: () => enter('make') }, w), nothingThere);
    }
    chip.hidden = list.fresh === 0;
    if (list.fresh) chip.textContent = w.say('library-new', { count: list.fresh });
    drawFoot();
  }

  function drawFoot() {
    const chosen = inView();
    render(
      foot(
        {
          selected: countOf(selection, list.total),
          starred: chosen.length > 0 && chosen.every(({ star }) => star),
          tags: [...new Set(chosen.flatMap(({ tags }) => tags))].sort(),
          facets,
          asking: asking?.count ?? null,
          busy,
          undo: undoable && { count: undoable.ids.length },
          said,
        },
        {
          star: () => void star(),
          addTag: (name) => void change(null, { add_tags: [name] }),
          removeTag: (name) => void change(null, { remove_tags: [name] }),
          project: (project) => void change(null, { project }),
          createProject: (name) => void createProject(null, name),
          evolve: () => void parts.explore((there) => there.evolve(selectedHere())),
          batch: () => void parts.explore((there) => there.batch(selectedHere())),
          compare: () => void compare(),
          download: () => void download(),
          remove: () => askToDelete(null),
          confirm: () => void confirmDelete(),
          keep: keepAll,
          undo: () => void undo(),
          clear: () => {
            select(NONE);
            grid.focus(grid.focused);
          },
        },
        w,
      ),
      bottom,
    );
  }

  /** @returns {Result[]} the selected pictures that are known, in the order in which they were chosen */
  function selectedHere() {
    return [...selection.ids].flatMap((id) => {
      const place = list.pages.placeOf(id);
      const found = place < 0 ? null : list.pages.at(place);
      return found?.image ? [found] : [];
    });
  }

  /** @returns {Result[]} those of the selection that are here */
  function inView() {
    if (selection === NONE) return [];
    /** @type {Result[]} */
    const found = [];
    const rows = [...grid.rows.values()].flatMap(({ cells }) => cells);
    for (const { shown: result } of rows) if (result && isSelected(selection, result.id)) found.push(result);
    return found;
  }

  function clearFilter() {
    seek(cleared(list.filter));
    focusSearch();
  }

  // ---- keys and pointers -------------------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.defaultPrevented || isTyping(event.target)) {
      // In the search, Escape first empties it, as browsers do.
      return;
    }
    const target = /** @type {HTMLElement} */ (event.target);
    const command = event.ctrlKey || event.metaKey;
    // Its own tab keeps the arrow keys.
    const none = target === document.body || (command && target.id === 'library-tab');
    const inGrid = grid.body.contains(target) || none;
    if (act(event, inGrid, command)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} inGrid
   * @param {boolean} command
   * @returns {boolean} whether the key was one of the library's
   */
  function act(event, inGrid, command) {
    const { key } = event;
    const inPanel = panel.contains(/** @type {Node} */ (event.target));
    if (key === 'Escape') return leave();
    if (command) {
      if (key.toLowerCase() === 'a' && inGrid && list.total) {
        select(everything(newest()));
        return true;
      }
      if (key.toLowerCase() === 'z' && undoable) {
        void undo();
        return true;
      }
      if (!inGrid || (key !== 'Home' && key !== 'End')) return false;
    }
    if (event.altKey) return false;
    if (inPanel && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      if (/** @type {HTMLElement} */ (event.target).closest('pre, input, select')) return false;
      step(key === 'ArrowRight' ? 1 : -1);
      return true;
    }
    if (!inGrid && !inPanel) return false;
    const letter = command || !singleKeys() ? '' : key.toLowerCase();
    if (letter === 's') {
      void star(inPanel ? details.id : null);
      return true;
    }
    if (letter === 'c') {
      if (inPanel && details.id !== null) parts.pick(details.id);
      else void compare();
      return true;
    }
    if (letter === 'f' && details.id !== null) {
      details.openFull();
      return true;
    }
    if (key === 'Delete' || key === 'Backspace') {
      if (inPanel && details.id !== null) askToDelete([details.id]);
      else if (selection === NONE || countOf(selection, list.total) === 0) {
        const here = list.pages.at(grid.focused);
        if (here) askToDelete([here.id]);
      } else askToDelete(null);
      return true;
    }
    if (!inGrid || !list.total) return false;
    const here = list.pages.at(grid.focused);
    if (key === 'Enter') {
      if (here) openAt(grid.focused);
      return true;
    }
    if (key === ' ') {
      anchor = grid.focused;
      if (here) select(toggled(selection, here.id));
      return true;
    }
    const to = grid.led(key);
    if (to === null) return false;
    grid.focus(to);
    if (event.shiftKey) void range(anchor, to);
    else {
      anchor = to;
      if (details.id !== null) openAt(to, { replace: true });
    }
    return true;
  }

  /** @returns {boolean} whether there was something to leave */
  function leave() {
    if (asking) {
      keepAll();
      return true;
    }
    if (countOf(selection, list.total)) {
      select(NONE);
      return true;
    }
    if (details.id === null) return false;
    details.close();
    return true;
  }

  /** @param {MouseEvent} event */
  function clicked(event) {
    const cell = grid.cellOf(event.target);
    const result = cell?.shown;
    if (!cell || !result) return;
    grid.focus(cell.place);
    const onCheck = /** @type {HTMLElement} */ (event.target).closest('.lib-check') !== null;
    const choosing = touched && countOf(selection, list.total) > 0;
    if (event.shiftKey) void range(anchor, cell.place);
    else if (event.ctrlKey || event.metaKey || onCheck || choosing) {
      anchor = cell.place;
      select(toggled(selection, result.id));
    } else {
      anchor = cell.place;
      openAt(cell.place, { replace: details.id !== null });
    }
  }

  /** A finger that rests on a picture selects it. @param {PointerEvent} event */
  function rested(event) {
    touched = event.pointerType === 'touch';
    const cell = grid.cellOf(event.target);
    if (!touched || !cell?.shown) return;
    const { id } = cell.shown;
    const timer = setTimeout(() => {
      select(toggled(selection, id));
      navigator.vibrate?.(10);
      // The click that follows is no click.
      grid.body.addEventListener('click', (click) => click.stopImmediatePropagation(), { capture: true, once: true });
    }, REST);
    const off = () => clearTimeout(timer);
    for (const name of ['pointerup', 'pointercancel', 'pointermove', 'scroll'])
      addEventListener(name, off, { once: true, capture: true });
  }

  // ---- the selection -----------------------------------------------------------------------------------

  /** @param {import('./selection.js').Selection} next */
  function select(next) {
    selection = next;
    if (next !== NONE) needFacets();
    asking = null;
    grid.mark();
    drawFoot();
  }

  /** Select what lies between two places. @param {number} from @param {number} to */
  async function range(from, to) {
    try {
      select(joined(selection, await idsBetween(Math.min(from, to), Math.max(from, to))));
    } catch (error) {
      fail(error);
    }
  }

  /** @param {number} from @param {number} to */
  async function idsBetween(from, to) {
    /** @type {number[]} */
    const ids = [];
    let start = 0;
    for (let number = 0; number < list.blocks.length; number += 1) {
      const end = start + (list.blocks[number]?.count ?? 0);
      if (start <= to && end > from) {
        const results = await list.pages.whole(number);
        for (const each of results.slice(Math.max(0, from - start), to + 1 - start)) ids.push(each.id);
      }
      start = end;
    }
    return ids;
  }

  /** @returns {number} the highest id that is known */
  function newest() {
    const seen = [...grid.rows.values()].flatMap(({ cells }) => cells.map(({ shown: result }) => result?.id ?? 0));
    return Math.max(state().results[0]?.id ?? 0, ...seen);
  }

  /** @returns {Promise<number[]>} the ids of all that is selected */
  async function selected() {
    if (selection.all === null) return [...selection.ids];
    const wanted = selection;
    /** @type {number[]} */
    const ids = [];
    for (let number = 0; number < list.blocks.length; number += 1) {
      for (const { id } of await list.pages.whole(number)) if (isSelected(wanted, id)) ids.push(id);
    }
    return ids;
  }

  // ---- acting ------------------------------------------------------------------------------------------

  /**
   * Do something with the selection, or with some pictures, in as many parts as the server takes.
   * @param {number[] | null} ids null for the selection
   * @param {(part: number[], of: number) => Promise<void>} then is called with each part, and how many there are
   */
  async function each(ids, then) {
    if (busy) return;
    const total = ids?.length ?? countOf(selection, list.total);
    busy = { done: 0, total };
    drawFoot();
    try {
      const all = inParts(ids ?? (await selected()));
      for (const part of all) {
        await then(part, all.length);
        busy = { done: busy.done + part.length, total };
        drawFoot();
      }
    } catch (error) {
      fail(error);
    } finally {
      busy = null;
      drawFoot();
    }
  }

  /**
   * @param {number[] | null} ids null for the selection
   * @param {Patch} patch
   */
  async function change(ids, patch) {
    await each(ids, async (part) => {
      const { results, revision } = await calls.change(part, patch);
      list.change(results, revision);
      taken(results);
      dispatch({ type: 'change', change: { results } });
    });
    if (patch.star === undefined) void loadFacets();
  }

  /** Star what is selected, or what has the focus; all starred lose theirs. @param {number | null} [id] */
  async function star(id = null) {
    if (id === null && countOf(selection, list.total)) {
      const chosen = inView();
      await change(null, { star: !(chosen.length > 0 && chosen.every((one) => one.star)) });
      return;
    }
    const one = id === null ? list.pages.at(grid.focused) : details.result;
    if (one) await change([one.id], { star: !one.star });
  }

  /** @param {number[] | null} ids @param {string} name */
  async function createProject(ids, name) {
    try {
      const { id } = await calls.createProject(name);
      await change(ids, { project: id });
    } catch (error) {
      fail(error);
    }
  }

  /** Compare what is selected. */
  async function compare() {
    const count = countOf(selection, list.total);
    if (count < 2 || count > 9) return;
    try {
      parts.compare(await selected());
    } catch (error) {
      fail(error);
    }
  }

  /** Download one picture as its file, several as an archive. */
  async function download() {
    if (countOf(selection, list.total) === 1) {
      const [one] = inView();
      const result = one ?? (await api.result((await selected())[0] ?? 0));
      const name = downloadNameOf(state(), result);
      if (result.image) save(api.resultFile(/** @type {number} */ (result.id), name), name);
      return;
    }
    let number = 0;
    await each(null, async (part, of) => {
      const url = URL.createObjectURL(await calls.archiveOf(part));
      number += 1;
      save(url, archiveName(number, of, Date.now() / 1000, w));
      setTimeout(() => URL.revokeObjectURL(url), KEPT);
    });
  }

  /** @param {string} href @param {string} name of the file */
  function save(href, name) {
    const link = document.createElement('a');
    link.href = href;
    link.download = name;
    link.click();
  }

  /** @param {number[] | null} ids null for the selection */
  function askToDelete(ids) {
    const count = ids?.length ?? countOf(selection, list.total);
    if (!count || busy) return;
    asking = { ids, count };
    if (session.getItem(ASKED)) {
      void confirmDelete();
      return;
    }
    drawFoot();
    /** @type {HTMLElement | null} */ (bottom.querySelector('[data-act="confirm"]'))?.focus();
  }

  function keepAll() {
    asking = null;
    drawFoot();
    focusBack();
  }

  function focusBack() {
    if (details.id !== null && details.covers()) details.focus();
    else if (list.total) grid.focus(grid.focused);
  }

  async function confirmDelete() {
    if (!asking) return;
    const { ids } = asking;
    asking = null;
    focusBack(); // before the question goes, and the focus with it
    remember(ASKED);
    /** @type {number[]} */
    const gone = [];
    let until = Number.POSITIVE_INFINITY; // of the part that is gone for good first
    const next = details.id !== null && ids?.includes(details.id) ? details.place : null;
    await each(ids, async (part) => {
      const answer = await calls.remove(part);
      gone.push(...answer.deleted);
      until = Math.min(until, answer.until);
      dispatch({ type: 'deleted', ids: answer.deleted });
      selection = withoutGone(selection, answer.deleted);
      list.remove(answer.deleted, answer.revision);
      details.forget(answer.deleted);
      void list.catchUp();
    });
    select(NONE);
    if (gone.length) {
      if (undoable) clearTimeout(undoable.timer);
      const left = Math.max(1, until - Date.now() / 1000 - state().clock);
      undoable = {
        ids: gone,
        timer: setTimeout(() => {
          undoable = null;
          drawFoot();
        }, left * 1000),
      };
    }
    drawAll();
    // Whoever looks at one after the other goes on with the next.
    if (next !== null && list.total) openAt(Math.min(next, list.total - 1), { replace: true });
    else focusBack();
    void loadFacets();
  }

  async function undo() {
    if (!undoable) return;
    const { ids, timer } = undoable;
    clearTimeout(timer);
    undoable = null;
    focusBack(); // before the button goes, and the focus with it
    const was = grid.focused;
    await each(ids, async (part) => {
      const { restored, revision } = await calls.restore(part);
      list.restore(restored, revision);
      dispatch({ type: 'restored', ids: restored });
      if (restored.length) say(message('library-restored', { count: restored.length }));
    });
    await list.catchUp();
    const place = list.pages.placeOf(ids[0] ?? 0);
    // Whoever has moved on meanwhile stays there.
    if (place >= 0 && grid.focused === was && selection === NONE) grid.focus(place, { take: grid.hasFocus });
    void loadFacets();
  }

  // ---- the details -------------------------------------------------------------------------------------

  /**
   * @param {number} place
   * @param {{ replace?: boolean }} [how]
   */
  function openAt(place, { replace = false } = {}) {
    const result = list.pages.at(place);
    if (!result) return;
    if (replace) router.replace({ open: result.id });
    else router.go({ open: result.id });
    details.open(result, place);
    needFacets();
  }

  /** @param {number} by */
  function step(by) {
    const { place } = details;
    if (place === null) return;
    const next = place + by;
    if (next < 0 || next >= list.total) return;
    grid.focus(next, { take: false });
    if (list.pages.at(next)) openAt(next, { replace: true });
    else details.await(next);
  }

  /** @param {string} name @param {string} className @returns {HTMLElement} */
  function element(name, className) {
    const made = document.createElement(name);
    made.className = className;
    return made;
  }
}
