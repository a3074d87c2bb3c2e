// The gradio form as values: what it hands over becomes a form of ours, and a form of ours becomes its updates.

import { fitted, imageCount } from './recipe.js';

/** @import { Backend, Form, Param, ParamValue } from '../types.js' */
/** @import { Words } from './i18n.js' */

/** Whole numbers up to here are chosen from a row (`FEW` of ui/controls.py). */
const FEW = 6;

/**
 * What gradio's components hold, by the names of `data-fields`.
 * @typedef {{ [name: string]: unknown }} Values
 */

/**
 * Return what the form's values set. A value that is just being typed, or of a setting that the backend lacks, is left
 * out; so is the prompt, of which the text box itself knows first.
 * @param {Values} values of all components, or of one
 * @param {Form} form as it was
 * @param {Backend | undefined} backend the chosen one
 * @returns {Partial<Form>}
 */
export function readForm(values, form, backend) {
  /** @type {{ [name: string]: ParamValue }} */
  const params = { ...form.params };
  for (const param of backend?.params ?? []) {
    const value = values[param.name];
    if (param.name === 'seed' || param.name === 'num_images' || !isValue(value)) continue;
    params[param.name] = value;
  }
  /** @type {Partial<Form>} */
  const read = { params };
  if (typeof values.lock === 'boolean') read.lock = values.lock;
  if (typeof values.backend === 'string') read.backend = values.backend;
  if ('seed' in values)
    read.seed = typeof values.seed === 'number' && Number.isInteger(values.seed) ? values.seed : null;
  if (typeof values.num_images === 'number') read.count = values.num_images;
  return read;
}

/** @param {unknown} value @returns {value is ParamValue} */
function isValue(value) {
  return (
    typeof value === 'boolean' || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
  );
}

/**
 * Return the updates of gradio's components, in the order of the fields, that show a form.
 * @param {readonly string[]} fields
 * @param {Form} form
 * @param {Backend} backend the chosen one
 * @param {Words} w
 */
export function formUpdates(fields, form, backend, w) {
  const { values } = fitted(backend, form.params);
  return fields.map((name) => {
    if (name === 'backend') return update({ value: backend.key });
    if (name === 'prompt') return update({ value: form.prompt });
    if (name === 'lock') return update({ value: form.lock });
    const param = backend.params.find((each) => each.name === name);
    if (!param) return update({ visible: false });
    const own = name === 'seed' ? form.seed : name === 'num_images' ? imageCount(form, backend) : values[name];
    return update({ visible: true, ...limits(param, w), value: own ?? (name === 'seed' ? null : param.default) });
  });
}

/**
 * @param {{ [name: string]: unknown }} fields
 * @returns {{ [name: string]: unknown }}
 */
export function update(fields) {
  return { __type__: 'update', ...fields };
}

/**
 * @param {Param} param
 * @param {Words} w
 */
function limits(param, w) {
  const info = param.help ? w.say(param.help) : null;
  switch (param.kind) {
    case 'number':
      return { info, minimum: param.minimum, maximum: param.maximum, step: param.step };
    case 'integer':
      if (param.name === 'seed') return { minimum: param.minimum, maximum: param.maximum };
      if ((param.maximum ?? 0) <= FEW) return { info, choices: numbers(param) };
      return { info, minimum: param.minimum, maximum: param.maximum, step: 1 };
    case 'choice':
      return { info, choices: (param.choices ?? []).map((each) => [each, each]) };
    default:
      return { info };
  }
}

/** @param {Param} param @returns {[string, number][]} */
function numbers(param) {
  const first = param.minimum ?? 1;
  return Array.from({ length: (param.maximum ?? first) - first + 1 }, (_, at) => [String(first + at), first + at]);
}
