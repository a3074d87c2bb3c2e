import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formUpdates, readForm } from './form.js';
import { message } from './message.js';

/** @import { Backend, Form, Param } from '../types.js' */

/** @param {Partial<Param> & Pick<Param, 'name' | 'kind'>} fields @returns {Param} */
function param(fields) {
  return {
    label: message(`param-${fields.name}`),
    help: null,
    advanced: false,
    default: null,
    minimum: null,
    maximum: null,
    step: null,
    low: null,
    high: null,
    choices: null,
    ...fields,
  };
}

const PARAMS = [
  param({ name: 'strength', kind: 'number', minimum: 0, maximum: 1, step: 0.01, default: 0.8 }),
  param({ name: 'seed', kind: 'integer', minimum: 0, maximum: 100 }),
  param({ name: 'num_images', kind: 'integer', minimum: 1, maximum: 4, default: 1 }),
  param({ name: 'acceleration', kind: 'choice', choices: ['none', 'high'], default: 'none' }),
];
const BACKEND = /** @type {Backend} */ (
  /** @type {unknown} */ ({ key: 'one', label: message('one'), params: PARAMS, styles: [] })
);
/** @type {Form} */
const FORM = {
  reference: null,
  prompt: 'a lake',
  style: [],
  backend: 'one',
  params: { strength: 0.5, only_elsewhere: 3 },
  seed: 7,
  lock: true,
  count: 2,
};
const FIELDS = ['backend', 'prompt', 'lock', 'strength', 'seed', 'num_images', 'acceleration', 'only_elsewhere'];
const words = /** @type {any} */ ({
  say: (/** @type {any} */ said, /** @type {any} */ values) =>
    typeof said === 'string' ? `${said} ${JSON.stringify(values)}` : said.code,
});

test('the form hands over what is set, and keeps what only other backends have', () => {
  const values = {
    backend: 'one',
    prompt: 'a sea',
    lock: false,
    strength: 0.25,
    seed: 9,
    num_images: 3,
    acceleration: 'high',
  };
  assert.deepEqual(readForm(values, FORM, BACKEND), {
    backend: 'one',
    lock: false,
    seed: 9,
    count: 3,
    params: { strength: 0.25, acceleration: 'high', only_elsewhere: 3 },
  });
});

test('one component alone hands over its own value, and nothing else is set', () => {
  assert.deepEqual(readForm({ strength: 0.25 }, FORM, BACKEND), { params: { strength: 0.25, only_elsewhere: 3 } });
});

test('a number that is just being typed changes nothing', () => {
  const read = readForm({ strength: null, seed: null, num_images: null }, FORM, BACKEND);
  assert.equal(read.params?.strength, 0.5);
  assert.equal(read.seed, null);
  assert.ok(!('count' in read));
});

test('a form is shown by one update for each field, hidden where the backend lacks it', () => {
  const updates = formUpdates(FIELDS, FORM, BACKEND, words);
  const by = Object.fromEntries(FIELDS.map((name, at) => [name, updates[at]]));
  assert.equal(updates.length, FIELDS.length);
  assert.deepEqual(by.only_elsewhere, { __type__: 'update', visible: false });
  assert.equal(by.strength?.value, 0.5);
  assert.deepEqual([by.strength?.minimum, by.strength?.maximum], [0, 1]);
  assert.equal(by.seed?.value, 7);
  assert.deepEqual(by.num_images?.choices, [
    ['1', 1],
    ['2', 2],
    ['3', 3],
    ['4', 4],
  ]);
  assert.deepEqual(by.acceleration?.value, 'none');
});

test('what the form hands over after it was set is what it was set to', () => {
  const updates = formUpdates(FIELDS, FORM, BACKEND, words);
  const values = Object.fromEntries(FIELDS.map((name, at) => [name, updates[at]?.value]));
  const { reference: _, style: __, prompt: ___, ...rest } = FORM;
  assert.deepEqual(readForm(values, FORM, BACKEND), { ...rest, params: { ...FORM.params, acceleration: 'none' } });
});
