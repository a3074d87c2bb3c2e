import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  cost,
  dayOf,
  downloadName,
  duration,
  elapsedTime,
  expectedSeconds,
  isLate,
  price,
  roughly,
  slug,
  stepsRun,
  workingSize,
} from './format.js';

/** @type {{ steps: [number, number, number][], sizes: [number, number, number | null, number | null, number, number][] }} */
const cases = JSON.parse(readFileSync(new URL('../../../tests/ui/web_cases.json', import.meta.url), 'utf8'));

test('the steps that run are those of the server', () => {
  for (const [steps, strength, run] of cases.steps)
    assert.equal(stepsRun(steps, strength), run, `${steps} ${strength}`);
});

test('the size of work is that of the server', () => {
  for (const [width, height, working_pixels, working_side, w, h] of cases.sizes) {
    assert.deepEqual(workingSize({ width, height }, { working_pixels, working_side }), { width: w, height: h });
  }
});

test('the expected time is a fixed part and a part for each megapixel, image and step, at least a second', () => {
  const run = { level: 'none', width: 1000, height: 1000, images: 2, steps: 10 };
  assert.equal(expectedSeconds({ none: { fixed: 2, step: 0.1 } }, run), 4);
  assert.equal(expectedSeconds({ '': { fixed: 2, step: 0.2 } }, run), 6);
  assert.equal(expectedSeconds({ none: { fixed: 0, step: 0 } }, run), 1);
  assert.equal(expectedSeconds({ high: { fixed: 2, step: 0.1 } }, run), null);
  assert.equal(expectedSeconds({}, run), null);
});

test('durations get coarser as they grow', () => {
  assert.deepEqual(duration(0.84), { code: 'wait-tenths', values: { amount: 0.8 } });
  assert.deepEqual(duration(9.97), { code: 'wait-seconds', values: { amount: 10 } });
  assert.deepEqual(duration(119.4), { code: 'wait-seconds', values: { amount: 119 } });
  assert.deepEqual(duration(120), { code: 'wait-minutes', values: { amount: 2 } });
  assert.deepEqual(duration(7200), { code: 'wait-hours', values: { amount: 2 } });
  assert.deepEqual(roughly(0.2), { code: 'wait-seconds', values: { amount: 1 } });
  assert.deepEqual(roughly(8.6), { code: 'wait-seconds', values: { amount: 9 } });
  assert.deepEqual(roughly(130), { code: 'wait-minutes', values: { amount: 2 } });
});

test('a run that takes longer than usual says so, and a first second of none does not', () => {
  assert.equal(isLate(2, 1), false);
  assert.equal(isLate(2.5, 1), true);
  assert.equal(isLate(900, null), false);
  assert.equal(elapsedTime(3.9, null).code, 'stage-elapsed');
  assert.deepEqual(elapsedTime(3.9, 8), { code: 'stage-elapsed-of', values: { elapsed: 3, expected: 8 } });
  assert.deepEqual(elapsedTime(20.2, 8), { code: 'stage-elapsed-late', values: { elapsed: 20 } });
});

test('prices count the images, and unconfirmed ones are marked', () => {
  assert.deepEqual(price({ dollars: 0, live: true }, 4), { code: 'price-free', values: {} });
  assert.deepEqual(price({ dollars: 0.1, live: true }, 3), { code: 'price-live', values: { dollars: 0.3 } });
  assert.equal(price({ dollars: 0.1, live: false }, 3).code, 'price-documented');
  assert.equal(cost(null).code, 'cost-unknown');
  assert.equal(cost(0).code, 'price-free');
});

test('a day is one of this computer’s calendar', () => {
  const now = new Date(2026, 2, 1, 0, 30);
  const at = (/** @type {Date} */ date) => dayOf(date.getTime() / 1000, now);
  assert.deepEqual([at(now).label, at(now).key], ['today', '2026-03-01']);
  assert.deepEqual([at(new Date(2026, 1, 28, 23)).label, at(new Date(2026, 1, 28)).key], ['yesterday', '2026-02-28']);
  assert.equal(at(new Date(2026, 1, 27, 23, 59)).label, null);
});

test('a download says reference, style, strength and seed', () => {
  const picture = {
    reference: 'Still Life.jpeg',
    styles: ['oil-painting'],
    strength: 0.6,
    seed: 42,
    mime: 'image/png',
  };
  assert.equal(downloadName(picture), 'srpo_still-life_oil-painting_s60_42.png');
  assert.equal(downloadName({ ...picture, styles: [], mime: 'image/jpeg' }), 'srpo_still-life_s60_42.jpg');
  assert.equal(downloadName({ ...picture, reference: null, strength: null }), 'srpo_picture_oil-painting_42.png');
  assert.equal(downloadName({ ...picture, reference: '../..\\évil:*?', styles: [] }), 'srpo_evil_s60_42.png');
  assert.equal(downloadName({ ...picture, strength: 0.29, styles: [] }), 'srpo_still-life_s29_42.png');
});

test('no name is longer than a disk takes, whatever its script', () => {
  const name = downloadName({
    reference: '写'.repeat(300),
    styles: Array(40).fill('ölbild'),
    strength: 1,
    seed: 2147483647,
    mime: 'image/webp',
  });
  assert.ok(new TextEncoder().encode(name).length < 255, name);
  assert.match(name, /^srpo_写+_olbild[a-z-]*_s100_2147483647\.webp$/);
  assert.equal(slug('a b', 2), 'a');
});
