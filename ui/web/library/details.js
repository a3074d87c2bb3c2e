// What the details show, and how they come and go: the picture that is open, where it comes from, its note as it is typed.

import { isUpright, screenPixels } from '../lib/layout.js';
import { backendNamed, downloadNameOf } from '../lib/select.js';
import { errorOf } from '../reading.js';
import { render } from '../vendor/lit.js';
import { detail } from './detail.js';

/** @import { Message, Result } from '../types.js' */
/** @import { Calls, LibraryParts } from './library.js' */
/** @import { List } from './list.js' */
/** @import { Code, Facets, Lineage, Patch } from './types.js' */

/** Milliseconds for which it is said that something was done. */
const SAID = 3000;

/**
 * @param {LibraryParts & {
 *   calls: Calls,
 *   panel: HTMLElement,
 *   list: List,
 *   facets: () => Facets | null,
 *   follow: (place: number) => void,
 *   returned: (id: number | null) => void,
 *   change: (ids: number[], patch: Patch) => Promise<void>,
 *   createProject: (ids: number[], name: string) => Promise<void>,
 *   remove: (id: number) => void,
 *   marked: () => void,
 *   laidOut: () => void,
 *   step: (by: number) => void,
 *   problem: (said: Message) => void,
 * }} parts
 */
export function createDetails(parts) {
  const { api, words: w, router, state, dispatch, enter, use, calls, panel, list } = parts;
  const dates = new Intl.DateTimeFormat(w.language, { dateStyle: 'medium', timeStyle: 'short' });
  /** @type {Result | null} */
  let result = null;
  /** @type {number | null} */
  let place = null;
  /** The picture that the address names, and that is not here yet. @type {number | null} */
  let wanted = null;
  /** A place of the list whose picture is not here yet. @type {number | null} */
  let awaited = null;
  /** @type {Lineage | null} */
  let lineage = null;
  /** @type {Code | null} */
  let code = null;
  let looking = new AbortController();
  /** The picture whose place was looked for; it may be none of the list. @type {number | null} */
  let sought = null;
  /** What is typed, until the server has it. @type {{ id: number, text: string, sending: boolean } | null} */
  let note = null;
  let saved = false;
  let applied = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /**
   * @param {Result} next
   * @param {number | null} at
   */
  function open(next, at) {
    const first = result === null;
    const other = result?.id !== next.id;
    result = next;
    place = at;
    wanted = null;
    awaited = null;
    if (other) {
      lineage = null;
      code = null;
      saved = false;
      applied = false;
      looking.abort();
      looking = new AbortController();
      void look(next.id, looking.signal);
    }
    panel.hidden = false;
    panel.parentElement?.classList.add('open');
    if (first) parts.laidOut();
    if (other) parts.marked();
    draw();
    if (other) panel.querySelector('.lib-detail-body')?.scrollTo(0, 0);
    if (other) parts.redraw();
    if (first && covers()) focus();
    if (at !== null) parts.follow(at);
  }

  /** @param {number} id @param {AbortSignal} signal */
  async function look(id, signal) {
    try {
      const found = await calls.lineage(id, signal);
      if (!signal.aborted) lineage = found;
    } catch (error) {
      if (!signal.aborted) parts.problem(errorOf(error));
    }
    draw();
  }

  async function showCode() {
    if (!result) return;
    const { signal } = looking;
    try {
      const found = code ? null : await calls.loadCode(result.id, signal);
      if (!signal.aborted) code = found;
    } catch (error) {
      if (!signal.aborted) parts.problem(errorOf(error));
    }
    draw();
  }

  /** The address no longer names a picture. */
  function shut() {
    const id = result?.id ?? null;
    wanted = null;
    if (id === null) return;
    const inside = panel.contains(document.activeElement);
    result = null;
    place = null;
    awaited = null;
    looking.abort();
    panel.hidden = true;
    panel.parentElement?.classList.remove('open');
    parts.laidOut();
    parts.marked();
    if (inside) parts.returned(id);
  }

  /** @returns {boolean} whether they take the grid's place */
  function covers() {
    return isUpright({ width: innerWidth, height: innerHeight });
  }

  function focus() {
    /** @type {HTMLElement | null} */ (panel.querySelector('[data-act="close"]'))?.focus();
  }

  /** Find the open picture in the list: where that is here, else where its day is. */
  function locate() {
    if (!result || place !== null || !list.known) return;
    const at = list.pages.placeOf(result.id);
    if (at < 0) {
      if (sought !== result.id) void seek(result);
      sought = result.id;
      return;
    }
    place = at;
    parts.follow(at);
    draw();
  }

  /** Fetch the part of the list in which the open picture stands, where its day tells. @param {Result} of */
  async function seek(of) {
    const date = new Date(of.created * 1000);
    const day = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
    for (const [number, block] of list.blocks.entries()) {
      if (block.day !== day || result !== of || place !== null) continue;
      const results = await list.pages.whole(number).catch(() => []);
      const at = results.findIndex(({ id }) => id === of.id);
      if (at < 0 || result !== of) continue;
      place = list.blocks.slice(0, number).reduce((sum, { count }) => sum + count, 0) + at;
      parts.follow(place);
      draw();
    }
  }

  /** @param {string} part */
  function apply(part) {
    if (!result) return;
    const { recipe } = result;
    dispatch({ type: 'recall', recipe, part });
    // What makes the picture again is looked at where it is made; a part of it may be one of several that are gathered.
    if (part === 'all' || part === 'recipe' || covers()) {
      enter('make');
      return;
    }
    applied = true;
    quiet();
  }

  function quiet() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      applied = false;
      saved = false;
      draw();
    }, SAID);
    draw();
  }

  // ---- the note ----------------------------------------------------------------------------------------

  /** @param {string} text */
  function typed(text) {
    if (!result) return;
    note = { id: result.id, text, sending: note?.id === result.id && note.sending };
    saved = false;
    if (!note.sending) void save(note);
  }

  /** Save what is typed; what is typed meanwhile goes with the next answer. @param {{ id: number, text: string, sending: boolean }} of */
  async function save(of) {
    const { id } = of;
    for (let sent = null; sent !== of.text; of = note?.id === id ? note : of) {
      sent = of.text;
      of.sending = true;
      try {
        const { results, revision } = await calls.change([id], { note: sent });
        dispatch({ type: 'change', change: { results } });
        list.change(results, revision);
        taken(results);
      } catch (error) {
        parts.problem(errorOf(error));
        of.sending = false;
        return;
      }
      const now = note?.id === id ? note : of;
      now.sending = now.text !== sent;
      of = now;
    }
    if (note?.id === id) note = null;
    saved = result?.id === id;
    quiet();
  }

  // ---- drawing -----------------------------------------------------------------------------------------

  /** @param {readonly Result[]} results */
  function taken(results) {
    const now = results.find(({ id }) => id === result?.id);
    if (!now) return;
    const measured = !result?.meters && now.meters;
    result = now;
    if (measured) void look(now.id, looking.signal); // what has drifted is known now
    draw();
  }

  function draw() {
    if (!result) return;
    const here = result;
    const { id } = here;
    render(
      detail(
        {
          result: here,
          backend: backendNamed(state(), here.backend),
          place,
          found: list.total,
          lineage,
          code,
          facets: parts.facets(),
          note: note?.id === id ? note.text : here.note,
          saved,
          applied,
          filename: downloadNameOf(state(), here),
          picked: state().draft.picked.includes(/** @type {number} */ (id)),
          dates,
          width: screenPixels(covers() ? innerWidth : panel.clientWidth / 2, devicePixelRatio),
        },
        {
          close: () => router.leave({ open: null }),
          step: parts.step,
          apply,
          use: () => {
            use(here);
            enter('make');
          },
          compare: () => parts.pick(/** @type {number} */ (id)),
          star: () => void parts.change([id], { star: !here.star }),
          remove: () => parts.remove(id),
          note: typed,
          addTag: (name) => void parts.change([id], { add_tags: [name] }),
          removeTag: (name) => void parts.change([id], { remove_tags: [name] }),
          project: (project) => void parts.change([id], { project }),
          createProject: (name) => void parts.createProject([id], name),
          full: openFull,
          open: (other) => void go(other),
          code: () => void showCode(),
          copyPrompt: () => void navigator.clipboard.writeText(here.recipe.prompt),
        },
        api,
        w,
      ),
      panel,
    );
  }

  function openFull() {
    void parts.full({
      result: () => (result?.image ? result : null),
      step: parts.step,
      stay: () => router.replace({ open: result?.id ?? null }),
    });
  }

  /** Open another picture of the lineage. @param {number} id */
  async function go(id) {
    router.replace({ open: id });
    await fetchOne(id);
  }

  /** @param {number} id */
  async function fetchOne(id) {
    const at = list.pages.placeOf(id);
    const there = at >= 0 ? list.pages.at(at) : null;
    if (there) {
      open(there, at);
      return;
    }
    wanted = id;
    try {
      const fetched = await api.result(id);
      if (wanted !== id) return;
      open(fetched, null);
      locate();
    } catch (error) {
      if (wanted !== id) return;
      parts.problem(errorOf(error));
      router.replace({ open: null });
      shut();
    }
  }

  return {
    open,
    draw,
    taken,
    covers,
    focus,
    openFull,
    close: () => router.leave({ open: null }),

    /** @param {number | null} id that the address names */
    lead(id) {
      if (id === null) shut();
      else if (id !== result?.id && id !== wanted) void fetchOne(id);
    },

    /** Pictures of the list have come. */
    found() {
      if (awaited !== null) {
        const next = list.pages.at(awaited);
        if (next) {
          router.replace({ open: next.id });
          open(next, awaited);
        }
      } else locate();
    },

    /** Open a place of the list as soon as its picture is here. @param {number} at */
    await(at) {
      awaited = at;
    },

    /** @param {readonly number[]} ids that are gone */
    forget(ids) {
      if (!result) return;
      if (ids.includes(result.id)) {
        router.replace({ open: null });
        shut();
      } else if (place !== null) {
        const at = list.pages.placeOf(result.id);
        place = at < 0 ? null : at;
        draw();
      }
    },

    get id() {
      return result?.id ?? null;
    },
    get result() {
      return result;
    },
    get place() {
      return place;
    },
  };
}
