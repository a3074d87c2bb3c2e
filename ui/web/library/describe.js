// A result in words: its name in the grid, and every number of it in the details.

import { cost, duration, size, stepsRun } from '../lib/format.js';
import { message } from '../lib/message.js';
import { imageSeed } from '../lib/recipe.js';
import { dayIn } from './filter.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Backend, Message, Result } from '../types.js' */

/** Settings that the list names in a way of its own. */
const NAMED = new Set(['strength', 'guidance_scale', 'num_inference_steps', 'seed', 'num_images']);
/** What others are called, also where their backend is gone. @type {{ [name: string]: Message }} */
const LABELS = {
  output_format: message('param-output-format'),
  acceleration: message('param-acceleration'),
  enable_safety_checker: message('param-enable-safety-checker'),
};

/**
 * @param {string} text
 * @returns {Message}
 */
const plain = (text) => message('recorded', { what: text });

/**
 * Return the styles of a result, as people call them.
 * @param {Result} result
 * @param {Backend | undefined} backend
 */
export function stylesOf({ recipe }, backend) {
  return recipe.style.map(({ id }) => styleName(id, backend ? [backend] : []));
}

/**
 * @param {string} id
 * @param {readonly Backend[]} backends that may know it
 */
export function styleName(id, backends) {
  for (const { styles } of backends) {
    const known = styles.find((each) => each.id === id);
    if (known) return known.label;
  }
  return id.replaceAll('_', ' ');
}

/**
 * Return what a result is called in the grid, a name that none of its neighbours has.
 * @param {Result} result
 * @param {Words} w
 */
export function nameOf({ recipe, image, missing, star }, w) {
  const style = recipe.style.map(({ id }) => id.replaceAll('_', ' ')).join(', ');
  const name = w.say('strip-name', {
    prompt: recipe.prompt,
    style: style ? `${style}, ` : '',
    strength: String(recipe.params.strength ?? ''),
    seed: String(imageSeed(recipe)),
  });
  if (!image) return w.say('strip-ended', { prompt: name, what: missing ? w.say(missing.why) : w.say('strip-failed') });
  return star ? w.say('library-name-starred', { name }) : name;
}

/**
 * Return the line under the prompt: how it was made, in words.
 * @param {Result} result
 * @param {Backend | undefined} backend
 * @returns {Message[]}
 */
export function recipeWords(result, backend) {
  const { strength, guidance_scale: guidance } = result.recipe.params;
  /** @type {Message[]} */
  const words = stylesOf(result, backend).map(plain);
  if (typeof strength === 'number') words.push(message('figure-strength', { value: String(strength) }));
  if (typeof guidance === 'number') words.push(message('figure-guidance', { value: String(guidance) }));
  words.push(message('figure-seed', { seed: String(imageSeed(result.recipe)) }));
  return words;
}

/**
 * Return how a result compares with its reference, in words.
 * @param {NonNullable<Result['meters']>} meters
 * @returns {Message[]}
 */
export function meterWords({ structure, colour_shift: shift, sharpness }) {
  const words = [
    message('meters-structure', { percent: Math.round(100 * Math.max(0, structure)) }),
    message('meters-colour-shift', { value: shift }),
  ];
  return sharpness === null ? words : [...words, message('meters-sharpness', { value: sharpness })];
}

/**
 * A line of the details: what it is, and how much.
 * @typedef {{ key: string, label: Message, value: Message }} Figure
 */

/**
 * Return every number of a result.
 * @param {Result} result
 * @param {Backend | undefined} backend
 * @param {Intl.DateTimeFormat} dates
 * @returns {Figure[]}
 */
export function figures(result, backend, dates) {
  const { recipe, image } = result;
  /** @type {Figure[]} */
  const found = [];
  const add = (/** @type {string} */ key, /** @type {Message} */ label, /** @type {Message | null} */ value) => {
    if (value) found.push({ key, label, value });
  };
  const { strength, guidance_scale: guidance, num_inference_steps: steps } = recipe.params;
  add('style', message('styles-medium'), recipe.style.length ? plain(stylesOf(result, backend).join(', ')) : null);
  add('strength', message('param-strength'), number(strength));
  add('guidance_scale', message('param-guidance-scale'), number(guidance));
  add('seed', message('param-seed'), plain(String(imageSeed(recipe))));
  if (recipe.index !== null && recipe.seeds.length > 1)
    add(
      'place',
      message('param-num-images'),
      message('cell-place', { number: recipe.index + 1, count: recipe.seeds.length }),
    );
  if (typeof steps === 'number')
    add(
      'steps',
      message('param-num-inference-steps'),
      typeof strength === 'number'
        ? message('figure-steps', { run: stepsRun(steps, strength), total: steps })
        : number(steps),
    );
  for (const [name, value] of Object.entries(recipe.params)) {
    if (NAMED.has(name)) continue;
    const label = LABELS[name] ?? backend?.params.find((each) => each.name === name)?.label;
    const shown = typeof value === 'boolean' ? message(value ? 'library-on' : 'library-off') : plain(String(value));
    add(name, label ?? plain(name.replaceAll('_', ' ')), shown);
  }
  add('size', message('library-size'), image && size(image));
  add('time', message('library-time'), result.seconds === null ? null : duration(result.seconds));
  add('cost', message('library-cost'), cost(result.cost));
  add('backend', message('ui-backend'), backend?.label ?? plain(result.backend));
  const { id, revision } = recipe.model;
  add('model', message('library-model'), plain(revision ? `${id} @ ${revision}` : id));
  add('date', message('library-date'), plain(dates.format(result.created * 1000)));
  add('source', message('library-source'), message(`source-${result.source}`));
  return found;
}

/**
 * @param {unknown} value
 * @returns {Message | null}
 */
function number(value) {
  return typeof value === 'number' ? plain(String(value)) : null;
}

/**
 * Return the name of a file with pictures, or with a part of them, of the day that it is here.
 * @param {number} number which part, from 1
 * @param {number} of how many there are
 * @param {number} at seconds since 1970
 * @param {Words} w
 */
export function archiveName(number, of, at, w) {
  const values = { title: w.say('ui-title'), day: dayIn(at) };
  const name = of > 1 ? message('library-archive-part', { ...values, number, of }) : message('library-archive', values);
  return `${w.say(name)}.zip`;
}
