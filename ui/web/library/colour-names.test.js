import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourName, NAMES, promptWords } from './colour-names.js';

test('each colour of the table has its own name', () => {
  for (const [name, hex] of Object.entries(NAMES)) assert.equal(colourName(hex), name);
});

test('a colour has the name of the nearest one', () => {
  assert.equal(colourName('#000000'), 'black');
  assert.equal(colourName('#ffffff'), 'white');
  assert.equal(colourName('#639698'), 'muted teal');
  assert.equal(colourName('#cfb48c'), 'warm sand');
  assert.equal(colourName('#FF0000'), 'bright red');
  assert.equal(colourName('#0000ff'), 'bright blue');
  assert.equal(colourName('#8a8a8a'), 'grey');
});

test('a palette becomes words of a prompt, each name once', () => {
  const palette = ['#5d9191', '#5f9392', '#d3b58a'].map((hex) => ({ hex, share: 0.3 }));
  assert.equal(promptWords(palette), 'muted teal, warm sand');
  assert.equal(promptWords([]), '');
});
