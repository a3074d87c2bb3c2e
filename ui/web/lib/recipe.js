// Recipes: what repeats a picture. From the form to a job, from a result back into the form, and which are the same.

import { cleanForm } from './draft.js';

/** @import { Backend, Draft, Form, FoundRecipe, JobBody, Param, ParamValue, Recipe, Reference, Style, StyleUse } from '../types.js' */

/** Settings that have a place of their own in the form. */
const OWN_PLACE = new Set(['seed', 'num_images']);
const SEEDS = 2 ** 31;

/** What can be recalled of a result alone; any other part is a setting's name. */
const PARTS = new Set(['all', 'reference', 'prompt', 'style', 'backend', 'seed']);

/**
 * A setting that had to be changed, for another backend has other limits.
 * @typedef {{ param: Param, before: ParamValue, after: ParamValue }} Adjustment
 */

/**
 * Return a backend's settings as a form has them, without seed and number of images.
 * @param {Backend} backend
 */
export function settings(backend) {
  return backend.params.filter(({ name }) => !OWN_PLACE.has(name));
}

/**
 * Return the values that a backend runs with: those of the form where they fit, the nearest that do, or its defaults.
 * @param {Backend} backend
 * @param {{ [name: string]: ParamValue }} given
 * @returns {{ values: { [name: string]: ParamValue }, adjusted: Adjustment[] }}
 */
export function fitted(backend, given) {
  /** @type {{ [name: string]: ParamValue }} */
  const values = {};
  /** @type {Adjustment[]} */
  const adjusted = [];
  for (const param of settings(backend)) {
    const before = given[param.name];
    const after = before === undefined ? param.default : nearest(param, before);
    if (after === null) continue;
    values[param.name] = after;
    if (before !== undefined && before !== after) adjusted.push({ param, before, after });
  }
  return { values, adjusted };
}

/**
 * Return the allowed value that is nearest to another one.
 * @param {Param} param
 * @param {ParamValue} value
 * @returns {ParamValue | null}
 */
export function nearest(param, value) {
  if (param.kind === 'toggle') return typeof value === 'boolean' ? value : param.default;
  if (param.kind === 'choice') return param.choices?.includes(String(value)) ? String(value) : param.default;
  const number = typeof value === 'number' ? value : Number.parseFloat(String(value));
  if (!Number.isFinite(number)) return param.default;
  const whole = param.kind === 'integer' ? Math.round(number) : number;
  return Math.min(Math.max(whole, param.minimum ?? whole), param.maximum ?? whole);
}

/**
 * Return how many images a run of a form makes.
 * @param {Pick<Form, 'count'>} form
 * @param {Backend} backend
 */
export function imageCount({ count }, backend) {
  const param = backend.params.find(({ name }) => name === 'num_images');
  return param ? Number(nearest(param, count)) : 1;
}

/**
 * Return the body of the job that Run begins; null without a reference.
 * @param {Form} form
 * @param {Backend} backend
 * @returns {JobBody | null}
 */
export function jobBody(form, backend) {
  if (form.reference === null) return null;
  const { values } = fitted(backend, form.params);
  const seed = lockedSeed(form);
  return {
    reference: form.reference.digest,
    backend: backend.key,
    prompt: form.prompt.trim(),
    style: form.style.filter(({ weight }) => weight > 0),
    params: seed === null ? values : { ...values, seed },
    num_images: imageCount(form, backend),
  };
}

/**
 * Return the seed that the next run takes, null where one is drawn.
 * @param {Pick<Form, 'seed' | 'lock'>} form
 */
export function lockedSeed({ seed, lock }) {
  return lock ? seed : null;
}

/**
 * Return the form that would make the picture of a recipe again.
 * @param {Recipe} recipe of one image
 * @param {Reference | null} [reference] what is known of its reference beyond the recipe: its name
 * @returns {Form}
 */
export function formOf(recipe, reference = null) {
  return {
    reference: referenceOf(recipe, reference),
    prompt: recipe.prompt,
    style: recipe.style.map((each) => ({ ...each })),
    backend: recipe.backend,
    params: ownSettings(recipe.params),
    seed: imageSeed(recipe),
    lock: true,
    count: 1,
  };
}

/**
 * Return the fields of a form that a part of a recipe sets.
 * @param {Form} form as it is
 * @param {Recipe} recipe of one image
 * @param {string} part 'all', 'recipe' (all but the reference), 'reference', 'prompt', 'settings', 'style', 'backend',
 *   'seed', or a setting's name
 * @param {Reference | null} [reference] what is known of its reference beyond the recipe
 * @returns {Partial<Form>}
 */
export function recalled(form, recipe, part, reference = null) {
  const whole = formOf(recipe, reference);
  switch (part) {
    case 'all':
      return { ...whole, params: { ...form.params, ...whole.params }, reference: whole.reference ?? form.reference };
    case 'recipe':
      return { ...whole, params: { ...form.params, ...whole.params }, reference: form.reference };
    case 'settings':
      return { backend: whole.backend, style: whole.style, params: { ...form.params, ...whole.params } };
    case 'reference':
      return whole.reference ? { reference: whole.reference } : {};
    case 'prompt':
      return { prompt: whole.prompt };
    case 'style':
      return { style: whole.style };
    case 'backend':
      return { backend: whole.backend };
    case 'seed':
      return { seed: whole.seed, lock: true };
  }
  const value = whole.params[part];
  return value === undefined ? {} : { params: { ...form.params, [part]: value } };
}

/**
 * Return the fields of a form that the settings found in a file set.
 * @param {Form} form as it is
 * @param {FoundRecipe} found
 * @param {{ known: boolean, here: Reference | null, whole?: boolean }} how whether the backend is offered here; the
 *   reference, where it is stored here; whether all pictures of the job are to be made again
 * @returns {Partial<Form>}
 */
export function restored(form, found, { known, here, whole = false }) {
  const seed = whole ? found.seed : (found.seeds[found.index ?? 0] ?? found.seed);
  return {
    params: { ...form.params, ...ownSettings(found.params) },
    count: whole ? found.seeds.length : 1,
    ...(found.prompt === null ? {} : { prompt: found.prompt, style: found.style.map((each) => ({ ...each })) }),
    ...(known && found.backend !== null ? { backend: found.backend } : {}),
    ...(seed === null ? {} : { seed, lock: true }),
    ...(here ? { reference: here } : {}),
  };
}

/**
 * Return what can be recalled of a recipe, in the order of a menu.
 * @param {Recipe} recipe
 * @param {Backend | undefined} backend whose settings are named
 */
export function recallable(recipe, backend) {
  const known = backend ? settings(backend).map(({ name }) => name) : [];
  const parts = [...PARTS].filter(
    (part) => (part !== 'style' || recipe.style.length) && (part !== 'reference' || recipe.reference),
  );
  return [...parts, ...known.filter((name) => recipe.params[name] !== undefined)];
}

/**
 * Return values by name without those that have a place of their own in the form.
 * @param {{ [name: string]: ParamValue }} params
 */
function ownSettings(params) {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !OWN_PLACE.has(name)));
}

/**
 * Return the seed of a recipe's one image.
 * @param {Recipe} recipe
 */
export function imageSeed(recipe) {
  return recipe.seeds[recipe.index ?? 0] ?? recipe.seed;
}

/**
 * @param {Recipe} recipe
 * @param {Reference | null} known
 * @returns {Reference | null}
 */
function referenceOf({ reference, parent }, known) {
  if (reference === null) return null;
  return { ...reference, notices: [], parent, name: known?.digest === reference.digest ? known.name : null };
}

/**
 * Return a text that is the same for recipes that give the same picture on the same model.
 * @param {Recipe} recipe of one image
 * @param {boolean} seedPerImage whether each image of a batch has a seed of its own; else its place counts
 */
export function pictureKey(recipe, seedPerImage) {
  const place = seedPerImage ? [imageSeed(recipe)] : [recipe.seed, recipe.index ?? 0];
  return key(
    recipe.reference?.digest,
    recipe.mask?.digest,
    recipe.backend,
    recipe.prompt,
    recipe.style,
    recipe.params,
    place,
  );
}

/**
 * Return the keys of the pictures that a form would make; none where its seed is drawn.
 * @param {Form} form
 * @param {Backend} backend
 */
export function formKeys(form, backend) {
  const body = jobBody(form, backend);
  const seed = lockedSeed(form);
  if (body === null || seed === null) return [];
  const places = Array.from({ length: body.num_images }, (_, index) =>
    backend.seed_per_image ? [(seed + index) % SEEDS] : [seed, index],
  );
  return places.map((place) =>
    key(body.reference, undefined, body.backend, body.prompt, body.style, body.params, place),
  );
}

/**
 * @param {string | undefined} reference
 * @param {string | undefined} mask
 * @param {string} backend
 * @param {string} prompt
 * @param {StyleUse[]} style
 * @param {{ [name: string]: ParamValue }} params
 * @param {number[]} place
 */
function key(reference, mask, backend, prompt, style, params, place) {
  const styles = style.filter(({ weight }) => weight > 0).map(({ weight, text }) => [weight, text]);
  const values = Object.entries(ownSettings(params));
  values.sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([reference ?? null, mask ?? null, backend, prompt.trim(), styles, values, place]);
}

/**
 * Return whether two forms set the same; a form that only names its reference equals one that knows all of it.
 * @param {Form} one
 * @param {Form} other
 */
export function sameForm(one, other) {
  const plain = (/** @type {Form} */ form) =>
    JSON.stringify([
      key(form.reference?.digest, undefined, form.backend, form.prompt, form.style, form.params, []),
      form.seed,
      form.lock,
      form.count,
    ]);
  return plain(one) === plain(other);
}

/**
 * Return the styles after one was pressed. One that is on goes off. Another takes the place of those of its kind, for a
 * picture has one medium and one light; with `add` it joins them.
 * @param {StyleUse[]} used
 * @param {Style} pressed
 * @param {readonly Style[]} known the backend's
 * @param {{ add?: boolean }} [how]
 * @returns {StyleUse[]}
 */
export function pressStyle(used, pressed, known, { add = false } = {}) {
  if (used.some(({ id }) => id === pressed.id)) return used.filter(({ id }) => id !== pressed.id);
  const kinds = new Map(known.map(({ id, kind }) => [id, kind]));
  const others = add ? used : used.filter(({ id }) => kinds.get(id) !== pressed.kind);
  return [...others, { id: pressed.id, weight: 1, text: pressed.text }];
}

/**
 * Return those of the styles that a backend knows; all where it takes any.
 * @param {StyleUse[]} used
 * @param {Backend} backend
 */
export function knownStyles(used, backend) {
  const ids = new Set(backend.styles.map(({ id }) => id));
  return ids.size === 0 ? used : used.filter(({ id }) => ids.has(id));
}

/**
 * Return a form as text for an address; its reference is named by digest, so only its owner can open that.
 * @param {Form} form
 */
export function packForm(form) {
  const { reference, prompt, style, backend, params, seed, lock, count } = form;
  const image = reference && { ...reference, notices: undefined };
  const bytes = new TextEncoder().encode(
    JSON.stringify({ reference: image, prompt, style, backend, params, seed, lock, count }),
  );
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}

/**
 * Return the form in a text of `packForm`, null where it is none.
 * @param {string} text
 * @returns {Form | null}
 */
export function unpackForm(text) {
  try {
    const packed = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    const stored = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(packed, (c) => c.charCodeAt(0))),
    );
    return typeof stored === 'object' && stored !== null ? cleanForm(stored) : null;
  } catch {
    return null;
  }
}

/**
 * Return the form of a draft.
 * @param {Draft} draft
 * @returns {Form}
 */
export function formIn({ reference, prompt, style, backend, params, seed, lock, count }) {
  return { reference, prompt, style, backend, params, seed, lock, count };
}
