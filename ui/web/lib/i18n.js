// Words: messages of the catalogues `ui/locales/*.ftl`, rendered as `core/messages.py` does on the server.
// tests/ui/web_cases.json holds both to the same texts.

import { FluentBundle, FluentResource } from '../vendor/fluent.js';
import { message } from './message.js';

/** @import { Message, Value } from '../types.js' */

/** The language of whatever another catalogue lacks. */
export const ENGLISH = 'en';
/** The code of a sentence that was stored as text. */
const RECORDED = 'recorded';
/** Letters of a value that are shown. */
const LONGEST = 900;
/** Languages whose sentences need marks around values, lest a Latin name turns the order of the words. */
const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur', 'ckb', 'dv', 'ps', 'sd', 'ug', 'yi']);

/**
 * What renders messages.
 * @typedef {object} Words
 * @property {string} language of the first catalogue
 * @property {readonly string[]} languages of all of them
 * @property {'ltr' | 'rtl'} direction
 * @property {(said: Message | string, values?: { [name: string]: Value }) => string} say what happened, or what a thing
 *   is called
 * @property {(said: Message) => string} advice what to do next; empty where there is nothing to do
 * @property {(said: Message) => string} details what few people need to read; empty where there is none
 * @property {(said: Message) => string} ownersAdvice what the app's owner can do beside
 * @property {(said: Message) => string} inFull what happened, its details, and the advice
 * @property {(code: string) => boolean} has
 * @property {(catalogues: { language: string, text: string }[]) => void} add adds messages to those languages
 * @property {readonly string[]} problems messages that no catalogue has, and values that were missing, for tests
 */

/**
 * Return what renders messages in a language, and in the next where it lacks one.
 * @param {{ language: string, text: string }[]} catalogues in order of preference
 * @param {(problem: string) => void} [report]
 * @returns {Words}
 */
export function createWords(catalogues, report = (problem) => console.warn(problem)) {
  /** @type {string[]} */
  const problems = [];
  const bundles = catalogues.map(
    ({ language }) => new FluentBundle(language, { useIsolating: isRightToLeft(language) }),
  );
  add(catalogues);

  /** @param {{ language: string, text: string }[]} more */
  function add(more) {
    for (const { language, text } of more) {
      const errors =
        bundles.find(({ locales }) => locales[0] === language)?.addResource(new FluentResource(text)) ?? [];
      for (const error of errors) note(`catalogue ${language}: ${error.message}`);
    }
  }
  /** @param {string} problem */
  function note(problem) {
    problems.push(problem);
    report(problem);
  }

  /**
   * @param {Message} said
   * @param {string | null} attribute null for the message itself
   * @returns {string}
   */
  function render({ code, values }, attribute) {
    if (code === RECORDED) return String(values[attribute ?? 'what'] ?? '');
    for (const bundle of bundles) {
      const entry = bundle.getMessage(code);
      if (!entry) continue;
      const pattern = attribute === null ? entry.value : entry.attributes[attribute];
      if (!pattern) return '';
      /** @type {Error[]} */
      const errors = [];
      const text = bundle.formatPattern(pattern, shown(values), errors);
      for (const error of errors) note(`message ${code}: ${error.message}`);
      return text.trim();
    }
    note(`message ${code}: not in the catalogue`);
    return attribute === null ? code : '';
  }

  /** @param {{ [name: string]: Value }} values */
  function shown(values) {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, one(value)]));
  }

  /** @param {Value} value */
  function one(value) {
    if (typeof value === 'number') return value;
    return clipped(typeof value === 'object' ? render(value, null) : String(value));
  }

  /** @param {Message} said */
  const advice = (said) => render(said, 'todo');
  return {
    language: catalogues[0]?.language ?? ENGLISH,
    languages: catalogues.map(({ language }) => language),
    direction: isRightToLeft(catalogues[0]?.language ?? ENGLISH) ? 'rtl' : 'ltr',
    say: (said, values) => render(typeof said === 'string' ? message(said, values) : said, null),
    advice,
    details: (said) => render(said, 'details'),
    ownersAdvice: (said) => render(said, 'owner'),
    inFull: (said) =>
      [null, 'details', 'todo']
        .map((part) => render(said, part))
        .filter(Boolean)
        .join(' '),
    has: (code) => bundles.some((bundle) => bundle.hasMessage(code)),
    add,
    problems,
  };
}

/**
 * Fetch the catalogues of the first wanted language that there is, and of English behind it.
 * @param {readonly string[]} wanted such as `navigator.languages`
 * @param {readonly string[]} available
 * @param {{ fetch?: typeof fetch, base?: URL | string }} [options] `base` is the folder of the catalogues
 * @returns {Promise<Words>}
 */
export async function loadWords(wanted, available, options = {}) {
  const languages = [...new Set([choose(wanted, available), ENGLISH])];
  return createWords(await loadCatalogues(languages, '', options));
}

/** @type {WeakMap<Words, Promise<void>>} */
const later = new WeakMap();

/**
 * Add the words of what is opened later (the library, a file that holds settings); they are fetched once.
 * @param {Words} words
 * @param {{ fetch?: typeof fetch, base?: URL | string }} [options]
 */
export function addLater(words, options = {}) {
  const coming = later.get(words) ?? loadCatalogues(words.languages, '.later', options).then(words.add);
  later.set(words, coming);
  coming.catch(() => later.delete(words));
  return coming;
}

/**
 * @param {readonly string[]} languages
 * @param {string} part of the catalogues
 * @param {{ fetch?: typeof fetch, base?: URL | string }} options
 */
function loadCatalogues(languages, part, options) {
  const { fetch: ask = fetch, base = new URL('../locales/', import.meta.url) } = options;
  return Promise.all(
    languages.map(async (language) => {
      // The head preloads it, with the same mode and credentials.
      const answer = await ask(new URL(`${language}${part}.ftl`, base), { credentials: 'same-origin' });
      if (!answer.ok) throw new Error(`no catalogue ${language}: ${answer.status}`);
      return { language, text: await answer.text() };
    }),
  );
}

/**
 * Return the first available language that somebody wants; a language without its region will do.
 * @param {readonly string[]} wanted
 * @param {readonly string[]} available
 */
export function choose(wanted, available) {
  const by = new Map(available.map((language) => [language.toLowerCase(), language]));
  for (const each of wanted) {
    const found = by.get(each.toLowerCase()) ?? by.get(primary(each));
    if (found) return found;
  }
  return ENGLISH;
}

/** @param {string} language */
function isRightToLeft(language) {
  return RIGHT_TO_LEFT.has(primary(language));
}

/** @param {string} language */
function primary(language) {
  return language.toLowerCase().split('-')[0] ?? '';
}

/** @param {string} text */
function clipped(text) {
  if (text.length <= LONGEST) return text;
  const letters = [...text];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 3).join('')}...` : text;
}
