// The axes of an experiment as people fill them in, and what is asked of the server for them. All pure.

import { message } from '../lib/message.js';
import { fitted, nearest, settings } from '../lib/recipe.js';

/** @import { Backend, Form, Message, Param, Reference, StyleUse } from '../types.js' */
/** @import { AxisBody, Entry, NewExperiment, Plan } from './types.js' */

/** Axes that are no parameter, in the order of the menu. */
export const OWN = ['style', 'prompt', 'seed', 'backend', 'reference'];
/** Values that are picked, and not typed. */
const PICKED = new Set(['style', 'backend', 'reference']);
/** `0.3..0.9 in 5` */
const RANGE = /^\s*(-?[\d.]+?)\s*(?:\.\.|…)\s*(-?[\d.]+)\s+in\s+(\d+)\s*$/;
/** `red -> green, blue` */
const SEARCH = /^([^\n]+?)\s*(?:->|→)\s*([^\n]+)$/;
/** Seeds that follow each other when they are counted up from one. */
const SEEDS = 2 ** 31;
/** Steps of a draft, as a share of the form's. */
const DRAFT = 0.5;
/** Styles with which one begins where each picture costs money. */
const PAID_STYLES = 12;
/** Values of the strength ladder. */
const LADDER = 7;

/**
 * Return what a backend's experiments can vary, in the order of the menu.
 * @param {Backend} backend
 * @param {number} backends how many there are
 * @param {number} references how many are known
 */
export function axisNames(backend, backends, references) {
  const numbers = settings(backend).map(({ name }) => name);
  const own = OWN.filter(
    (name) =>
      (name !== 'style' || backend.styles.length > 0) &&
      (name !== 'backend' || backends > 1) &&
      (name !== 'reference' || references > 1),
  );
  return [...numbers.slice(0, 2), ...own, ...numbers.slice(2)];
}

/**
 * Return whether the values of an axis are picked from a list.
 * @param {string} name
 * @param {Backend} backend
 */
export function isPicked(name, backend) {
  const kind = paramNamed(backend, name)?.kind;
  return PICKED.has(name) || kind === 'choice' || kind === 'toggle';
}

/**
 * Return a new axis with values to begin with.
 * @param {string} name
 * @param {Form} form
 * @param {Backend} backend
 * @returns {Entry}
 */
export function entryOf(name, form, backend) {
  const param = paramNamed(backend, name);
  /** @type {Entry} */
  const entry = { name, text: '', picked: [] };
  if (name === 'seed') entry.text = seedsFrom(form.seed ?? 1, 4);
  else if (name === 'prompt') entry.text = form.prompt;
  else if (name === 'style') entry.picked = backend.styles.slice(0, 4).map(({ id }) => id);
  else if (name === 'backend') entry.picked = [backend.key];
  else if (name === 'reference') entry.picked = form.reference ? [form.reference.digest] : [];
  else if (param?.kind === 'choice') entry.picked = [...(param.choices ?? [])];
  else if (param?.kind === 'toggle') entry.picked = ['false', 'true'];
  else if (param) entry.text = rangeOf(param, 5);
  return entry;
}

/**
 * @param {Param} param
 * @param {number} count
 */
function rangeOf(param, count) {
  const low = param.name === 'strength' ? Math.max(param.minimum ?? 0, 0.3) : (param.minimum ?? 0);
  const high = param.name === 'strength' ? Math.min(param.maximum ?? 1, 0.9) : (param.maximum ?? 1);
  return `${low}..${high} in ${count}`;
}

/**
 * @param {number} first
 * @param {number} count
 */
function seedsFrom(first, count) {
  return Array.from({ length: count }, (_, at) => (first + at) % SEEDS).join(', ');
}

/**
 * A plan that one click makes.
 * @typedef {object} Preset
 * @property {'styles' | 'ladder' | 'seeds' | 'backends'} id
 * @property {Entry[]} entries
 */

/**
 * Return the plans that one click makes, as far as the backends have room for them.
 * @param {Form} form
 * @param {Backend} backend the form's
 * @param {readonly Backend[]} backends
 * @returns {Preset[]}
 */
export function presets(form, backend, backends) {
  /** @type {Preset[]} */
  const found = [];
  const entry = (/** @type {string} */ name, /** @type {Partial<Entry>} */ more) => [
    { name, text: '', picked: [], ...more },
  ];
  const styles = backend.styles.map(({ id }) => id);
  const strength = paramNamed(backend, 'strength');
  const ready = backends.filter((each) => each.ready === null).map(({ key }) => key);
  if (styles.length > 1)
    found.push({
      id: 'styles',
      entries: entry('style', { picked: isOurs(backend) ? styles : styles.slice(0, PAID_STYLES) }),
    });
  if (strength) found.push({ id: 'ladder', entries: entry('strength', { text: rangeOf(strength, LADDER) }) });
  found.push({ id: 'seeds', entries: entry('seed', { text: seedsFrom(form.seed ?? 1, 9) }) });
  if (ready.length > 1) found.push({ id: 'backends', entries: entry('backend', { picked: ready }) });
  return found;
}

/**
 * Return how many runs a plan has; 0 where one of its axes is incomplete.
 * @param {Entry[]} entries
 * @param {Backend} backend
 */
export function runsOf(entries, backend) {
  return entries.reduce((product, entry) => {
    const found = axisOf(entry, backend);
    return 'axis' in found ? product * (found.axis.values?.length ?? found.axis.spread?.count ?? 1) : 0;
  }, 1);
}

/**
 * Return whether one click may begin an experiment, as far as that is known here: each of its backends is ready and
 * free, and takes every setting as it is.
 * @param {NewExperiment} body
 * @param {readonly Backend[]} backends
 */
export function mayBegin({ base, axes }, backends) {
  const settled = Object.entries(base.params);
  const keys = axes.find(({ name }) => name === 'backend')?.values ?? [base.backend];
  return keys.every((key) => {
    const one = backends.find((each) => each.key === key);
    return (
      one?.ready === null &&
      !one.price.dollars &&
      settled.every(([name, value]) => {
        const param = paramNamed(one, name);
        return param !== undefined && nearest(param, value) === value;
      })
    );
  });
}

/**
 * Return whether one click begins what the server has planned: it is free, it all fits, and nothing is to be looked at.
 * @param {Plan} plan
 */
export function beginsAtOnce({ cells, fits, asks, adapted, cost, dollars }) {
  return !asks && !dollars && !adapted.length && fits >= cells && Object.values(cost).every((each) => !each);
}

/**
 * Return whether a backend runs here, and costs nothing.
 * @param {Backend} backend
 */
export function isOurs({ provider }) {
  return provider === null;
}

/**
 * Return the steps of a draft; null where the backend makes none.
 * @param {Form} form
 * @param {Backend} backend
 */
export function draftSteps(form, backend) {
  const param = paramNamed(backend, 'num_inference_steps');
  if (!isOurs(backend) || !param) return null;
  const steps = Number(fitted(backend, form.params).values.num_inference_steps);
  const draft = Math.max(param.minimum ?? 1, Math.round(steps * DRAFT));
  return draft < steps ? draft : null;
}

/**
 * Return an axis of a request, or why there is none.
 * @param {Entry} entry
 * @param {Backend} backend
 * @returns {{ axis: AxisBody } | { error: Message }}
 */
export function axisOf(entry, backend) {
  const { name, text, picked } = entry;
  const param = paramNamed(backend, name);
  if (isPicked(name, backend)) {
    if (!picked.length) return { error: message('explore-pick') };
    if (name === 'style') return { axis: { name, values: picked.map((id) => styleUse(id, backend)) } };
    return { axis: { name, values: param?.kind === 'toggle' ? picked.map((each) => each === 'true') : picked } };
  }
  if (name === 'prompt') return prompts(text);
  const range = RANGE.exec(text);
  if (range && name !== 'seed') {
    const [low, high, count] = range.slice(1).map(Number);
    if (low === undefined || high === undefined || !count || Number.isNaN(low + high))
      return { error: message('explore-numbers') };
    return { axis: { name, spread: { low, high, count } } };
  }
  const values = text.split(/[\s,;]+/).filter(Boolean);
  const numbers = values.map(Number);
  if (!numbers.length || numbers.some(Number.isNaN)) return { error: message('explore-numbers') };
  return { axis: { name, values: numbers } };
}

/**
 * @param {string} text
 * @returns {{ axis: AxisBody } | { error: Message }}
 */
function prompts(text) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const search = lines.length === 1 ? SEARCH.exec(lines[0] ?? '') : null;
  if (search?.[1] && search[2]) {
    const values = search[2].split(',').map((each) => each.trim());
    return { axis: { name: 'prompt', search: search[1], values } };
  }
  return lines.length ? { axis: { name: 'prompt', values: lines } } : { error: message('explore-prompts') };
}

/**
 * @param {string} id '' for no style
 * @param {Backend} backend
 * @returns {StyleUse[]}
 */
function styleUse(id, backend) {
  const style = backend.styles.find((each) => each.id === id);
  return style ? [{ id, text: style.text, weight: 1 }] : [];
}

/**
 * Return the request for an experiment, or what is missing at which axis.
 * @param {Entry[]} entries
 * @param {Form} form
 * @param {Backend} backend
 * @param {number | null} steps of a draft
 * @returns {{ body: NewExperiment } | { place: number | null, error: Message }}
 */
export function experimentOf(entries, form, backend, steps) {
  const varied = entries.find(({ name }) => name === 'reference');
  const reference = form.reference?.digest ?? varied?.picked[0];
  if (!reference) return { place: null, error: message('explore-no-reference') };
  if (!entries.length) return { place: null, error: message('explore-begin') };
  /** @type {AxisBody[]} */
  const axes = [];
  for (const [place, entry] of entries.entries()) {
    const found = axisOf(entry, backend);
    if ('error' in found) return { place, error: found.error };
    axes.push(found.axis);
  }
  const names = new Set(entries.map(({ name }) => name));
  const params = Object.fromEntries(
    Object.entries(fitted(backend, form.params).values).filter(([name]) => !names.has(name)),
  );
  if (steps !== null && !names.has('num_inference_steps')) params.num_inference_steps = steps;
  if (form.seed !== null && form.lock && !names.has('seed')) params.seed = form.seed;
  const words = names.has('style') ? axes.find(({ name }) => name === 'style')?.values : [form.style];
  const styled = words?.every((style) => Array.isArray(style) && style.some(({ weight }) => weight > 0)) ?? false;
  if (!form.prompt.trim() && !names.has('prompt') && !styled)
    return { place: null, error: message('explore-no-prompt') };
  return {
    body: {
      reference,
      base: {
        backend: backend.key,
        prompt: form.prompt.trim(),
        style: names.has('style') ? [] : form.style.filter(({ weight }) => weight > 0),
        params,
      },
      axes,
    },
  };
}

/**
 * Return the largest plan of the same kind that has no more cells: the longest axis gives up its last values first.
 * @param {readonly number[]} counts of the axes' values
 * @param {number} most cells
 */
export function largest(counts, most) {
  const left = [...counts];
  const cells = () => left.reduce((product, count) => product * count, 1);
  while (cells() > most) {
    const longest = left.indexOf(Math.max(...left));
    if ((left[longest] ?? 0) <= 1) return null;
    left[longest] = (left[longest] ?? 0) - 1;
  }
  return most < 1 ? null : left;
}

/**
 * Return a reference that stands in a list of those that can be picked.
 * @param {{ [digest: string]: Reference }} known
 * @param {readonly string[]} picked
 */
export function pickable(known, picked) {
  const listed = Object.values(known).reverse();
  return [
    ...listed.filter(({ digest }) => picked.includes(digest)),
    ...listed.filter((each) => !picked.includes(each.digest)),
  ];
}

/**
 * @param {Backend} backend
 * @param {string} name
 */
function paramNamed(backend, name) {
  return backend.params.find((each) => each.name === name);
}
