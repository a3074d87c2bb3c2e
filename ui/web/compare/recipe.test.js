import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences, wordDifferences } from './recipe.js';

/** @param {{ [key: string]: string }} values */
const column = (values) => Object.entries(values).map(([key, value]) => ({ key, label: key.toUpperCase(), value }));

test('only what differs is printed, and the rest is the same', () => {
  const { different, same } = differences([
    column({ cost: 'free', seed: '7', strength: '0.5', acceleration: 'none' }),
    column({ cost: 'free', seed: '7', strength: '0.7', acceleration: 'none' }),
  ]);
  assert.deepEqual(different, [{ key: 'strength', label: 'STRENGTH', values: ['0.5', '0.7'] }]);
  assert.deepEqual(
    same.map(({ key }) => key),
    ['seed', 'acceleration', 'cost'],
  );
});

test('what one of them lacks differs', () => {
  const { different } = differences([column({ style: 'oil' }), column({}), column({ style: 'oil' })]);
  assert.deepEqual(different, [{ key: 'style', label: 'STYLE', values: ['oil', null, 'oil'] }]);
});

test('they are printed in the order of the form, with what they took at the end', () => {
  const one = column({ time: '1', cost: '1', acceleration: '1', seed: '1', strength: '1', prompt: '1' });
  const other = one.map((each) => ({ ...each, value: '2' }));
  const { different } = differences([one, other]);
  assert.deepEqual(
    different.map(({ key }) => key),
    ['prompt', 'strength', 'seed', 'acceleration', 'time', 'cost'],
  );
});

test('the words that not all prompts have stand out', () => {
  const shown = (/** @type {string[]} */ texts) =>
    wordDifferences(texts).map((parts) => parts.map(({ text, same }) => (same ? text : `[${text}]`)).join(''));
  assert.deepEqual(shown(['a street at night', 'a street at noon']), ['a street at[ night]', 'a street at[ noon]']);
  assert.deepEqual(shown(['a street', 'a wet street', 'A street, wet']), [
    'a street',
    'a[ wet] street',
    'A street[, wet]',
  ]);
  assert.deepEqual(shown(['a cat', 'a dog', 'a cat']), ['a[ cat]', 'a[ dog]', 'a[ cat]']);
  assert.deepEqual(shown(['水彩 山', '水彩 海']), ['水彩[ 山]', '水彩[ 海]']);
  assert.deepEqual(shown(['', 'x']), ['', '[x]']);
});
