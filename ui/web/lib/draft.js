// The draft: everything that a person has set, written to the browser's storage as it changes, so that a reload, a
// closed lid or a new version of the app loses nothing.
//
// Each tab has a draft of its own, under an id in its sessionStorage; a new tab starts from the newest one. A browser
// that duplicates a tab copies that id too, and one that was killed never said good-bye: in both cases the draft is
// still marked as open, and the tab goes on with a copy under a new id.

/** @import { Draft, Form, ImageRef, Mode, ParamValue, Reference, Shown, StyleUse, View } from '../types.js' */

/** Its version. A field that is new does not change it, another meaning of an old one does. */
const VERSION = 1;
const PREFIX = 'srpo-studio:draft:';
const TAB = 'srpo-studio:tab';
/** How many drafts stay, and for how many milliseconds. */
const KEPT = { drafts: 20, age: 60 * 86_400_000 };
/** Milliseconds from a change to its writing; a slider changes many times a second. */
const DELAY = 250;
/** @type {readonly Mode[]} */
const MODES = ['make', 'explore', 'library', 'compare'];
/** @type {readonly View[]} */
const VIEWS = ['pair', 'slider', 'single'];
const DIGEST = /^[0-9a-f]{64}$/;
export const MAX_SEED = 2 ** 31 - 1;

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>} Store */

/** @returns {Draft} */
export function emptyDraft() {
  return {
    version: VERSION,
    at: 0,
    reference: null,
    prompt: '',
    style: [],
    backend: '',
    params: {},
    seed: null,
    lock: false,
    count: 1,
    mode: 'make',
    view: 'pair',
    split: 0.5,
    shown: null,
    last: null,
    picked: [],
    spent: { dollars: 0, open: [], experiments: [] },
    budget: null,
    dayBudget: null,
  };
}

/** Experiments of a tab whose costs are counted. */
export const EXPERIMENTS = 20;

/**
 * Return a draft from whatever was stored; what does not fit is as if it had never been set.
 * @param {unknown} stored
 * @returns {Draft}
 */
export function cleanDraft(stored) {
  const empty = emptyDraft();
  if (!isRecord(stored)) return empty;
  const spent = isRecord(stored.spent) ? stored.spent : {};
  return {
    ...empty,
    ...cleanForm(stored),
    at: number(stored.at, 0, Number.MAX_SAFE_INTEGER, 0),
    mode: oneOf(MODES, stored.mode),
    view: oneOf(VIEWS, stored.view),
    split: number(stored.split, 0, 1, empty.split),
    shown: cleanShown(stored.shown),
    last: isText(stored.last) ? stored.last : null,
    picked: /** @type {number[]} */ (list(stored.picked).filter(Number.isSafeInteger)),
    spent: {
      dollars: number(spent.dollars, 0, 1e9, 0),
      open: list(spent.open).filter(isText).slice(-200),
      experiments: list(spent.experiments).filter(isText).slice(-EXPERIMENTS),
    },
    budget: number(stored.budget, 0, 1e9, null),
    dayBudget: number(stored.dayBudget, 0, 1e9, null),
  };
}

/**
 * Return a form from whatever was stored or shared.
 * @param {unknown} stored
 * @returns {Form}
 */
export function cleanForm(stored) {
  const given = isRecord(stored) ? stored : {};
  /** @type {[string, ParamValue][]} */
  const params = [];
  for (const [name, value] of Object.entries(isRecord(given.params) ? given.params : {})) {
    if (isText(value) || typeof value === 'boolean' || Number.isFinite(value)) {
      params.push([name, /** @type {ParamValue} */ (value)]);
    }
  }
  const seed = number(given.seed, 0, MAX_SEED, null);
  return {
    reference: cleanReference(given.reference),
    prompt: isText(given.prompt) ? given.prompt : '',
    style: list(given.style).flatMap(cleanStyle),
    backend: isText(given.backend) ? given.backend : '',
    params: Object.fromEntries(params),
    seed: seed === null ? null : Math.trunc(seed),
    lock: given.lock === true,
    count: Math.trunc(number(given.count, 1, 64, 1)),
  };
}

/**
 * @param {unknown} stored
 * @returns {Reference | null}
 */
export function cleanReference(stored) {
  if (!isRecord(stored) || !isText(stored.digest) || !DIGEST.test(stored.digest)) return null;
  /** @type {ImageRef} */
  const image = {
    digest: stored.digest,
    mime: isText(stored.mime) ? stored.mime : 'image/png',
    width: number(stored.width, 1, 1e6, 1),
    height: number(stored.height, 1, 1e6, 1),
    size: number(stored.size, 0, Number.MAX_SAFE_INTEGER, 0),
  };
  return {
    ...image,
    notices: [],
    parent: isText(stored.parent) ? stored.parent : null,
    name: isText(stored.name) ? stored.name : null,
  };
}

/**
 * @param {unknown} stored
 * @returns {StyleUse[]} one, or none
 */
function cleanStyle(stored) {
  if (!isRecord(stored) || !isText(stored.id) || !isText(stored.text)) return [];
  return [{ id: stored.id, weight: number(stored.weight, 0, 2, 1), text: stored.text }];
}

/**
 * @param {unknown} stored
 * @returns {Shown}
 */
function cleanShown(stored) {
  if (!isRecord(stored)) return null;
  if (Number.isSafeInteger(stored.result)) return { result: Number(stored.result) };
  return isText(stored.job) ? { job: stored.job } : null;
}

/**
 * Return the browser's storage, or one that lasts as long as the page where there is none: a frame whose cookies are
 * blocked may not even name it.
 * @param {() => Store} named such as `() => localStorage`
 * @returns {Store}
 */
export function safeStorage(named) {
  try {
    const storage = named();
    storage.getItem(TAB);
    return storage;
  } catch {
    /** @type {Map<string, string>} */
    const items = new Map();
    return {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
      removeItem: (key) => void items.delete(key),
      key: (index) => [...items.keys()][index] ?? null,
      get length() {
        return items.size;
      },
    };
  }
}

/**
 * The drafts of this browser, seen from one tab.
 * @typedef {object} Drafts
 * @property {string} tab this tab's id
 * @property {Draft} first what this tab begins with
 * @property {(draft: Draft) => void} save writes soon
 * @property {() => boolean} flush writes at once; false where the browser has no room, or nothing was to write
 * @property {() => void} close stops listening
 */

/**
 * Open this tab's draft.
 * @param {object} [options]
 * @param {Store} [options.local]
 * @param {Store} [options.session]
 * @param {EventTarget} [options.page] `window`: the draft is written when it is hidden
 * @param {() => number} [options.now]
 * @param {() => string} [options.newId]
 * @returns {Drafts}
 */
export function openDrafts(options = {}) {
  const {
    local = safeStorage(() => localStorage),
    session = safeStorage(() => sessionStorage),
    page = typeof window === 'undefined' ? new EventTarget() : window,
    now = Date.now,
    newId = () => Math.random().toString(36).slice(2),
  } = options;

  const known = session.getItem(TAB);
  const own = known === null ? null : read(local, PREFIX + known);
  const tab = known !== null && own !== null && !own.open ? known : newId();
  const newest = entries(local)[0]?.draft ?? emptyDraft();
  // Another tab's runs are not this one's; a copy of its own are, as far as it can know.
  const first = own?.draft ?? { ...newest, spent: emptyDraft().spent };

  let draft = first;
  let dirty = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {boolean} open */
  function write(open) {
    clearTimeout(timer);
    timer = undefined;
    dirty = false;
    return put(local, PREFIX + tab, JSON.stringify({ open, draft }), PREFIX + tab);
  }

  const leave = () => void write(false);
  const back = (/** @type {Event} */ event) => {
    if (/** @type {PageTransitionEvent} */ (event).persisted) write(true);
  };
  const hide = () => {
    if (dirty) write(true);
  };

  try {
    session.setItem(TAB, tab);
  } catch {
    // Without room for an id, the next page of this tab begins with the newest draft.
  }
  prune(local, now(), PREFIX + tab);
  write(true);
  page.addEventListener('pagehide', leave);
  page.addEventListener('pageshow', back);
  page.addEventListener('visibilitychange', hide); // it bubbles from the document

  return {
    tab,
    first,
    save(next) {
      draft = { ...next, at: now() };
      dirty = true;
      timer ??= setTimeout(() => write(true), DELAY);
    },
    flush: () => dirty && write(true),
    close() {
      page.removeEventListener('pagehide', leave);
      page.removeEventListener('pageshow', back);
      page.removeEventListener('visibilitychange', hide);
      clearTimeout(timer);
      write(false);
    },
  };
}

/**
 * Return all drafts of a storage, the newest first.
 * @param {Store} local
 */
function entries(local) {
  const keys = Array.from({ length: local.length }, (_, index) => local.key(index) ?? '');
  return keys
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => ({ key, draft: read(local, key)?.draft ?? emptyDraft() }))
    .sort((one, other) => other.draft.at - one.draft.at);
}

/**
 * @param {Store} local
 * @param {string} key
 * @returns {{ open: boolean, draft: Draft } | null}
 */
function read(local, key) {
  const text = local.getItem(key);
  if (text === null) return null;
  try {
    const stored = JSON.parse(text);
    return isRecord(stored) ? { open: stored.open === true, draft: cleanDraft(stored.draft) } : null;
  } catch {
    return null;
  }
}

/**
 * Remove drafts that are old, or too many.
 * @param {Store} local
 * @param {number} now
 * @param {string} own the key that stays
 */
function prune(local, now, own) {
  const old = entries(local).filter(({ draft }, index) => index >= KEPT.drafts || now - draft.at > KEPT.age);
  for (const { key } of old) if (key !== own) local.removeItem(key);
}

/**
 * Write an item; older drafts make room where there is none.
 * @param {Store} local
 * @param {string} key
 * @param {string} text
 * @param {string} own the key that stays
 * @returns {boolean} whether it is written
 */
function put(local, key, text, own) {
  const others = entries(local).filter((each) => each.key !== own);
  for (;;) {
    try {
      local.setItem(key, text);
      return true;
    } catch {
      const oldest = others.pop();
      if (!oldest) return false;
      local.removeItem(oldest.key);
    }
  }
}

/**
 * @param {unknown} value
 * @returns {value is { [name: string]: unknown }}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function isText(value) {
  return typeof value === 'string';
}

/**
 * @param {unknown} value
 * @returns {unknown[]}
 */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/**
 * @template T
 * @param {readonly T[]} values the first is the default
 * @param {unknown} value
 * @returns {T}
 */
function oneOf(values, value) {
  return values.find((each) => each === value) ?? /** @type {T} */ (values[0]);
}

/**
 * @template T
 * @param {unknown} value
 * @param {number} least
 * @param {number} most
 * @param {T} otherwise
 * @returns {number | T}
 */
function number(value, least, most, otherwise) {
  return typeof value === 'number' && value >= least && value <= most ? value : otherwise;
}
