import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend, DIGEST, OTHER, recipe, reference, STYLES } from '../testing/values.js';
import { emptyDraft } from './draft.js';
import {
  fitted,
  formIn,
  formKeys,
  formOf,
  imageCount,
  imageSeed,
  jobBody,
  knownStyles,
  nearest,
  packForm,
  pictureKey,
  pressStyle,
  recallable,
  recalled,
  restored,
  sameForm,
  unpackForm,
} from './recipe.js';

/** @import { Form, Style } from '../types.js' */

/**
 * @param {Partial<Form>} [more]
 * @returns {Form}
 */
const form = (more = {}) => ({
  ...formIn(emptyDraft()),
  reference: reference(),
  prompt: 'a street',
  backend: 'local',
  params: { strength: 0.6 },
  seed: 42,
  lock: true,
  ...more,
});
const style = (/** @type {number} */ index) => /** @type {Style} */ (STYLES[index]);

test('a backend takes what fits, the nearest of what does not, and its defaults for the rest', () => {
  const { values, adjusted } = fitted(backend(), {
    strength: 0.4,
    guidance_scale: 99,
    output_format: 'webp',
    unknown: 1,
  });
  assert.deepEqual(values, { strength: 0.4, num_inference_steps: 20, guidance_scale: 20, output_format: 'png' });
  assert.deepEqual(
    adjusted.map(({ param, before, after }) => [param.name, before, after]),
    [
      ['guidance_scale', 99, 20],
      ['output_format', 'webp', 'png'],
    ],
  );
});

test('a number that came as text, or as none, finds its place', () => {
  const [strength, steps] = backend().params;
  assert.ok(strength && steps);
  assert.equal(nearest(strength, '0.25'), 0.25);
  assert.equal(nearest(strength, 'x'), 0.6);
  assert.equal(nearest(steps, 7.6), 8);
  assert.equal(nearest({ ...strength, kind: 'toggle', default: true }, 'yes'), true);
});

test('Run sends the form as the backend takes it, and its seed only if it is locked', () => {
  const body = jobBody(
    form({ prompt: ' a street\n', count: 9, style: [{ id: 'oil', weight: 0, text: 'x' }] }),
    backend(),
  );
  assert.deepEqual(body, {
    reference: DIGEST,
    backend: 'local',
    prompt: 'a street',
    style: [],
    params: { strength: 0.6, num_inference_steps: 20, guidance_scale: 4, output_format: 'png', seed: 42 },
    num_images: 4,
  });
  assert.equal(jobBody(form({ lock: false }), backend())?.params.seed, undefined);
  assert.equal(jobBody(form({ reference: null }), backend()), null);
  assert.equal(imageCount({ count: 3 }, backend({ params: [] })), 1);
});

test('a result fills the form with what makes it again: the seed of image 3 of 4', () => {
  const of = recipe({ seeds: [42, 43, 44, 45], index: 2, params: { strength: 0.3, num_images: 4 }, parent: OTHER });
  const whole = formOf(of, reference());
  assert.deepEqual([whole.seed, whole.count, whole.lock, whole.params], [44, 1, true, { strength: 0.3 }]);
  assert.deepEqual([whole.reference?.name, whole.reference?.parent], ['street.jpg', OTHER]);
  assert.equal(imageSeed(recipe({ seeds: [7, 7], index: 1 })), 7);
});

test('each part can be recalled alone', () => {
  const before = form({ params: { strength: 0.6, guidance_scale: 9 } });
  const of = recipe({
    prompt: 'other',
    style: [{ id: 'oil', weight: 1, text: 'an oil painting' }],
    params: { strength: 0.1 },
  });
  assert.deepEqual(recalled(before, of, 'prompt'), { prompt: 'other' });
  assert.deepEqual(recalled(before, of, 'seed'), { seed: 42, lock: true });
  assert.deepEqual(recalled(before, of, 'settings'), {
    backend: 'local',
    style: of.style,
    params: { strength: 0.1, guidance_scale: 9 },
  });
  assert.deepEqual(recalled(before, of, 'strength'), { params: { strength: 0.1, guidance_scale: 9 } });
  assert.deepEqual(recalled(before, of, 'guidance_scale'), {});
  assert.deepEqual(recalled(before, of, 'backend'), { backend: 'local' });
  assert.equal(recalled(before, of, 'style').style?.length, 1);
  assert.equal(recalled(before, of, 'reference').reference?.digest, DIGEST);
  assert.deepEqual(recalled(before, recipe({ reference: null }), 'reference'), {});
  const all = recalled(before, recipe({ reference: null }), 'all');
  assert.equal(all.reference?.name, 'street.jpg');
  assert.equal(all.params?.guidance_scale, 9);
  assert.deepEqual(recallable(recipe(), backend()), [
    'all',
    'reference',
    'prompt',
    'backend',
    'seed',
    'strength',
    'num_inference_steps',
  ]);
});

test('the same settings and seed give the same key, whatever the order of writing', () => {
  const of = recipe({
    params: { output_format: 'png', num_images: 4, guidance_scale: 4, num_inference_steps: 20, strength: 0.6 },
  });
  assert.deepEqual(formKeys(form(), backend()), [pictureKey(of, true)]);
  assert.deepEqual(formKeys(form({ lock: false }), backend()), []);
  assert.deepEqual(formKeys(form({ reference: null }), backend()), []);
});

test('every image of a batch has a key, and each other setting another', () => {
  const keys = formKeys(form({ count: 3 }), backend());
  const of = (/** @type {number} */ index) => ({
    seeds: [40, 41, 42, 43, 44, 45],
    index,
    params: fitted(backend(), { strength: 0.6 }).values,
  });
  assert.deepEqual(
    keys,
    [2, 3, 4].map((index) => pictureKey(recipe(of(index)), true)),
  );
  const shared = formKeys(form({ count: 2 }), backend({ seed_per_image: false }));
  assert.equal(new Set(shared).size, 2);
  const others = [
    { prompt: 'b' },
    { seed: 1 },
    { params: { strength: 0.5 } },
    { style: [{ id: 'x', weight: 1, text: 'y' }] },
    { reference: reference({ digest: OTHER }) },
  ];
  for (const other of others) assert.notEqual(formKeys(form(other), backend())[0], keys[0]);
});

test('forms are compared by what they set', () => {
  assert.equal(sameForm(form(), form({ reference: reference({ name: null, size: 0 }) })), true);
  assert.equal(sameForm(form(), form({ count: 2 })), false);
  assert.equal(sameForm(form(), form({ lock: false })), false);
});

test('a picture has one medium and one light, unless another is added', () => {
  let used = pressStyle([], style(0), STYLES);
  used = pressStyle(used, style(2), STYLES);
  assert.deepEqual(
    used.map(({ id }) => id),
    ['oil', 'night'],
  );
  assert.deepEqual(
    pressStyle(used, style(1), STYLES).map(({ id }) => id),
    ['night', 'ink'],
  );
  assert.deepEqual(
    pressStyle(used, style(1), STYLES, { add: true }).map(({ id }) => id),
    ['oil', 'night', 'ink'],
  );
  assert.deepEqual(
    pressStyle(used, style(0), STYLES).map(({ id }) => id),
    ['night'],
  );
  assert.deepEqual(
    knownStyles(used, backend({ styles: [style(0)] })).map(({ id }) => id),
    ['oil'],
  );
  assert.equal(knownStyles(used, backend({ styles: [] })), used);
});

test('a form goes through an address, in any script', () => {
  const given = form({ prompt: 'Straße, 夜 🌃 & "more"' });
  assert.deepEqual(unpackForm(packForm(given)), given);
  assert.match(packForm(given), /^[\w-]+$/);
  for (const text of ['', '%', 'bm9uZQ', btoa('null'), packForm(given).slice(0, -9)])
    assert.equal(unpackForm(text), null);
});

test('settings found in a file are set where they say something, and the rest stays', () => {
  const none = {
    backend: null,
    model: null,
    prompt: null,
    style: [],
    seeds: [],
    index: null,
    reference: null,
    parent: null,
  };
  const foreign = { ...none, params: { strength: 0.3, seed: 9 }, seed: null };
  const kept = { ...form(), ...restored(form(), foreign, { known: false, here: null }) };
  assert.deepEqual(kept, form({ params: { strength: 0.3 } }));

  const own = { ...none, ...recipe(), model: 'mini', params: { strength: 0.4 }, seed: 5, seeds: [5, 6, 7], index: 1 };
  const alone = restored(form(), own, { known: true, here: reference() });
  assert.deepEqual(
    [alone.backend, alone.prompt, alone.seed, alone.lock, alone.count],
    ['local', own.prompt, 6, true, 1],
  );
  assert.deepEqual(alone.reference, reference());
  const batch = restored(form(), own, { known: false, here: null, whole: true });
  assert.deepEqual([batch.seed, batch.count, batch.backend, batch.reference], [5, 3, undefined, undefined]);
});
