import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createWords } from '../lib/i18n.js';
import { backend, recipe, result, STYLES } from '../testing/values.js';
import { archiveName, figures, meterWords, nameOf, recipeWords, styleName } from './describe.js';

const FTL = readFileSync(new URL('../../locales/en.ftl', import.meta.url), 'utf8');
const w = createWords([{ language: 'en', text: FTL }], (problem) => assert.fail(problem));
const dates = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' });
const OIL = { id: 'oil', weight: 1, text: 'an oil painting' };
const MADE = result({
  cost: 0.025,
  seconds: 6,
  recipe: recipe({
    style: [OIL],
    params: {
      strength: 0.6,
      guidance_scale: 4.5,
      num_inference_steps: 20,
      acceleration: 'high',
      enable_safety_checker: true,
    },
    seeds: [7, 8, 9],
    seed: 7,
    index: 1,
    model: { id: 'mini', revision: 'abc' },
  }),
});

test('every number of a result is said', () => {
  const said = Object.fromEntries(
    figures(MADE, backend({ styles: STYLES }), dates).map(({ key, label, value }) => [
      key,
      `${w.say(label)}: ${w.say(value)}`,
    ]),
  );
  assert.deepEqual(said, {
    style: 'Style: Oil',
    strength: 'Strength: 0.6',
    guidance_scale: 'Guidance: 4.5',
    seed: 'Seed: 8',
    place: 'Images: 2 of 3',
    steps: 'Steps: 12 of 20 steps',
    acceleration: 'Acceleration: high',
    enable_safety_checker: 'Safety checker: on',
    size: 'Size: 1024×768',
    time: 'Time: 6.0 s',
    cost: 'Cost: $0.025',
    backend: `Backend: ${w.say(backend().label)}`,
    model: 'Model: mini @ abc',
    date: 'Date: Jan 12, 1970',
    source: 'Made by: This page',
  });
});

test('how a result compares with its reference is said in words', () => {
  const said = (/** @type {Parameters<typeof meterWords>[0]} */ meters) =>
    meterWords(meters).map((each) => w.say(each));
  assert.deepEqual(said({ structure: 0.8312, colour_shift: 4.2, sharpness: 0.9, palette: [] }), [
    'Structure kept 83 %',
    'Colour shift 4.2 (1 is just visible)',
    'Sharpness 0.9 of the reference',
  ]);
  assert.deepEqual(said({ structure: -0.2, colour_shift: 70.04, sharpness: null, palette: [] }), [
    'Structure kept 0 %',
    'Colour shift 70 (1 is just visible)',
  ]);
});

test('of a backend that is gone, names take the place of labels', () => {
  const said = figures(MADE, undefined, dates).map(({ value }) => w.say(value));
  assert.ok(said.includes('local') && said.includes('oil'));
  assert.equal(styleName('oil_painting', []), 'oil painting');
});

test('a result has a name that none of its neighbours has', () => {
  assert.equal(nameOf(MADE, w), 'a street, oil, strength 0.6, seed 8');
  assert.match(nameOf({ ...MADE, star: true }, w), /, starred$/);
  const why = { code: 'recorded', values: { what: 'It broke.' } };
  assert.equal(
    nameOf({ ...MADE, image: null, missing: { reason: 'failed', why } }, w),
    'a street, oil, strength 0.6, seed 8: It broke.',
  );
  assert.deepEqual(
    recipeWords(MADE, undefined).map((each) => w.say(each)),
    ['oil', 'strength 0.6', 'guidance 4.5', 'seed 8'],
  );
});

test('an archive has the day here in its name, and its number where there are several', () => {
  const { env } = /** @type {any} */ (globalThis).process;
  const zone = env.TZ;
  env.TZ = 'Pacific/Kiritimati'; // the next day begins there at ten in the morning of UTC
  const at = Date.UTC(2026, 2, 1, 12) / 1000;
  const names = [archiveName(1, 1, at, w), archiveName(2, 3, at, w)];
  if (zone === undefined) delete env.TZ;
  else env.TZ = zone;
  assert.deepEqual(names, ['SRPO Studio 2026-03-02.zip', 'SRPO Studio 2026-03-02, part 2 of 3.zip']);
});
