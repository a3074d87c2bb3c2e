// Axes and their values in words.

import { message } from '../lib/message.js';
import { styleName } from '../library/describe.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Backend, Message, Reference } from '../types.js' */
/** @import { AxisValue, ExperimentCell } from './types.js' */

/** What axes are called that are no parameter. @type {{ [name: string]: Message }} */
const OWN = {
  style: message('styles-medium'),
  prompt: message('ui-prompt'),
  seed: message('param-seed'),
  backend: message('ui-backend'),
  reference: message('explore-reference'),
  neighbour: message('explore-neighbour'),
};

/**
 * What names are looked up in.
 * @typedef {object} Names
 * @property {readonly Backend[]} backends
 * @property {{ [digest: string]: Reference }} references
 * @property {Words} words
 */

/**
 * Return what an axis is called.
 * @param {string} name
 * @param {Names} names
 */
export function axisLabel(name, { backends, words: w }) {
  const own = OWN[name];
  if (own) return w.say(own);
  for (const { params } of backends) {
    const param = params.find((each) => each.name === name);
    if (param) return w.say(param.label);
  }
  return name.replaceAll('_', ' ');
}

/**
 * Return a value of an axis in words.
 * @param {string} name of the axis
 * @param {AxisValue} value
 * @param {Names} names
 * @returns {string}
 */
export function valueLabel(name, value, { backends, references, words: w }) {
  if (Array.isArray(value))
    return value.length ? value.map(({ id }) => styleName(id, backends)).join(', ') : w.say('explore-no-style');
  if (typeof value === 'boolean') return w.say(value ? 'library-on' : 'library-off');
  if (name === 'backend') {
    const backend = backends.find(({ key }) => key === value);
    return backend ? w.say(backend.label) : String(value);
  }
  if (name === 'reference') return references[String(value)]?.name ?? `${String(value).slice(0, 6)}…`;
  return String(value);
}

/**
 * Return a picked value of an axis in words.
 * @param {string} name of the axis
 * @param {string} picked
 * @param {Names} names
 */
export function pickedLabel(name, picked, names) {
  if (name === 'style') return picked ? styleName(picked, names.backends) : names.words.say('explore-no-style');
  if (picked === 'true' || picked === 'false') return valueLabel(name, picked === 'true', names);
  return valueLabel(name, picked, names);
}

/**
 * Return how far a cell is, in words.
 * @param {ExperimentCell & { step?: number | null, total?: number | null }} cell
 * @param {Words} w
 */
export function stateWords({ state, step, total, error, result }, w) {
  if (state === 'done') return result === null ? w.say('explore-gone') : '';
  if (state === 'running' && step && total) return w.say('explore-steps', { step, total });
  if (state === 'failed' && error) return w.say(error);
  return w.say(`explore-state-${state.replace('_', '-')}`);
}
