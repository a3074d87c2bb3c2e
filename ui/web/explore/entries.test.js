import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backend, form, reference } from '../testing/values.js';
import {
  axisNames,
  axisOf,
  beginsAtOnce,
  draftSteps,
  entryOf,
  experimentOf,
  largest,
  mayBegin,
  presets,
  runsOf,
} from './entries.js';

const LOCAL = backend();
const entry = (/** @type {string} */ name, /** @type {object} */ more) => ({ name, text: '', picked: [], ...more });

test('numbers are typed one by one or as a range', () => {
  assert.deepEqual(axisOf(entry('strength', { text: '0.3, 0.5 0.7' }), LOCAL), {
    axis: { name: 'strength', values: [0.3, 0.5, 0.7] },
  });
  assert.deepEqual(axisOf(entry('strength', { text: ' 0.3..0.9 in 5 ' }), LOCAL), {
    axis: { name: 'strength', spread: { low: 0.3, high: 0.9, count: 5 } },
  });
});

test('what is no number is refused in words', () => {
  for (const text of ['', 'many', '0.3, x', '1..2..3 in 4']) {
    const found = axisOf(entry('strength', { text }), LOCAL);
    assert.equal('error' in found && found.error.code, 'explore-numbers', text);
  }
});

test('prompts stand in lines, or as words that take the place of a word', () => {
  assert.deepEqual(axisOf(entry('prompt', { text: 'a lake\n\n a tower ' }), LOCAL), {
    axis: { name: 'prompt', values: ['a lake', 'a tower'] },
  });
  assert.deepEqual(axisOf(entry('prompt', { text: 'red -> green, deep blue' }), LOCAL), {
    axis: { name: 'prompt', search: 'red', values: ['green', 'deep blue'] },
  });
});

test('styles are picked, and none is one of them', () => {
  assert.deepEqual(axisOf(entry('style', { picked: ['', 'oil'] }), LOCAL), {
    axis: { name: 'style', values: [[], [{ id: 'oil', text: 'an oil painting', weight: 1 }]] },
  });
  const nothing = axisOf(entry('style', {}), LOCAL);
  assert.equal('error' in nothing && nothing.error.code, 'explore-pick');
});

test('an experiment has the form but for what it varies', () => {
  const found = experimentOf(
    [entry('strength', { text: '0.3, 0.6' }), entry('style', { picked: ['oil'] })],
    form({ reference: reference(), prompt: ' a lake ', seed: 7, lock: true }),
    LOCAL,
    null,
  );
  assert.ok('body' in found);
  assert.equal(found.body.base.prompt, 'a lake');
  assert.deepEqual(found.body.base.style, []);
  assert.equal(found.body.base.params.strength, undefined);
  assert.equal(found.body.base.params.seed, 7);
  assert.equal(found.body.axes.length, 2);
});

test('without a picture, a prompt or values there is no experiment, and it is said where', () => {
  const strength = [entry('strength', { text: '0.3, 0.6' })];
  const code = (/** @type {ReturnType<typeof experimentOf>} */ found) =>
    'error' in found && [found.place, found.error.code];
  const whole = form({ reference: reference(), prompt: 'a lake' });
  assert.deepEqual(code(experimentOf(strength, { ...whole, reference: null }, LOCAL, null)), [
    null,
    'explore-no-reference',
  ]);
  assert.deepEqual(code(experimentOf(strength, { ...whole, prompt: ' ' }, LOCAL, null)), [null, 'explore-no-prompt']);
  assert.deepEqual(code(experimentOf([entry('seed', { text: 'x' })], whole, LOCAL, null)), [0, 'explore-numbers']);
  assert.deepEqual(code(experimentOf([], whole, LOCAL, null)), [null, 'explore-begin']);
});

test('every preset and every new axis can be asked for', () => {
  const whole = form({ reference: reference(), prompt: 'a lake', seed: 5 });
  const other = backend({ key: 'other' });
  const all = presets(whole, LOCAL, [LOCAL, other]);
  assert.deepEqual(
    all.map(({ id }) => id),
    ['styles', 'ladder', 'seeds', 'backends'],
  );
  for (const { entries, id } of all) assert.ok('body' in experimentOf(entries, whole, LOCAL, null), id);
  for (const name of axisNames(LOCAL, 2, 2)) {
    const found = axisOf(entryOf(name, whole, LOCAL), LOCAL);
    assert.ok('axis' in found, name);
  }
});

test('where each picture costs money, one begins with twelve styles', () => {
  const styles = Array.from({ length: 30 }, (_, at) => ({
    id: `s${at}`,
    label: `S${at}`,
    text: 't',
    kind: /** @type {const} */ ('medium'),
  }));
  const paid = backend({ provider: 'waves', styles });
  assert.equal(presets(form(), paid, [paid])[0]?.entries[0]?.picked.length, 12);
  assert.equal(presets(form(), backend({ styles }), [paid])[0]?.entries[0]?.picked.length, 30);
});

test('a draft takes half of the steps, at backends of ours', () => {
  assert.equal(draftSteps(form({ params: { num_inference_steps: 20 } }), LOCAL), 10);
  assert.equal(draftSteps(form(), backend({ provider: 'waves' })), null);
});

test('the largest plan that fits gives up values of the longest axis first', () => {
  assert.deepEqual(largest([5, 3], 9), [3, 3]);
  assert.deepEqual(largest([4], 9), [4]);
  assert.equal(largest([4], 0), null);
  assert.deepEqual(largest([1, 2], 1), [1, 1]);
});

test('a style alone is enough of a prompt, where every run has one', () => {
  const wordless = form({ reference: reference(), prompt: ' ' });
  const oil = { id: 'oil', text: 'an oil painting', weight: 1 };
  const whole = (/** @type {object[]} */ entries, /** @type {object} */ more) =>
    'body' in experimentOf(/** @type {any} */ (entries), { ...wordless, ...more }, LOCAL, null);
  assert.ok(whole([entry('style', { picked: ['oil', 'ink'] })], {}));
  assert.ok(!whole([entry('style', { picked: ['', 'oil'] })], {}));
  assert.ok(whole([entry('seed', { text: '1, 2' })], { style: [oil] }));
  assert.ok(!whole([entry('seed', { text: '1, 2' })], { style: [{ ...oil, weight: 0 }] }));
});

test('one click may begin what is free, ready and taken as it is at each of its backends', () => {
  const narrow = backend({
    key: 'narrow',
    params: LOCAL.params.map((param) => (param.name === 'strength' ? { ...param, maximum: 0.5 } : param)),
  });
  const others = [
    LOCAL,
    backend({ key: 'paid', price: { dollars: 0.04, live: true } }),
    backend({ key: 'away', ready: { code: 'recorded', values: {} } }),
    narrow,
  ];
  const may = (/** @type {string[]} */ picked, /** @type {{ [name: string]: number }} */ params = {}) => {
    const whole = form({ reference: reference(), prompt: 'a lake', params });
    const found = experimentOf([entry('backend', { picked })], whole, LOCAL, null);
    return 'body' in found && mayBegin(found.body, others);
  };
  assert.ok(may(['local']));
  for (const key of ['paid', 'away', 'unknown']) assert.ok(!may(['local', key]), key);
  assert.ok(may(['local', 'narrow'], { strength: 0.4 }));
  assert.ok(!may(['local', 'narrow'], { strength: 0.6 }));
  const ladder = experimentOf(
    [entry('strength', { text: '0.3, 0.6' })],
    form({ reference: reference(), prompt: 'a lake' }),
    LOCAL,
    null,
  );
  assert.ok('body' in ladder && mayBegin(ladder.body, others));
});

test('one click begins only what the server has planned as it was asked for, free and below the limit that asks', () => {
  const plan = { cells: 9, cost: { local: 0 }, dollars: 0, seconds: null, adapted: [], fits: 9, asks: false };
  assert.ok(beginsAtOnce(plan));
  const adapted = [{ code: 'adapted-dropped', values: {} }];
  for (const more of [{ asks: true }, { dollars: 0.01 }, { cost: { a: 0.01 } }, { fits: 8 }, { adapted }])
    assert.ok(!beginsAtOnce({ ...plan, ...more }), JSON.stringify(more));
});

test('the runs of a plan are counted before the server knows of it', () => {
  assert.equal(runsOf([entry('strength', { text: '0.3..0.9 in 7' }), entry('seed', { text: '1, 2' })], LOCAL), 14);
  assert.equal(runsOf([entry('strength', { text: 'many' })], LOCAL), 0);
});
