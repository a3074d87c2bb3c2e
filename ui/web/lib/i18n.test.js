import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addLater, choose, createWords, loadWords } from './i18n.js';
import { message } from './message.js';

/** @import { Message } from '../types.js' */

const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const english = read('../../locales/en.ftl');
/** @type {{ messages: { said: Message, text: string, details?: string, todo?: string }[] }} */
const cases = JSON.parse(read('../../../tests/ui/web_cases.json'));
const silent = () => {};

test('messages read as they do on the server', () => {
  const words = createWords([{ language: 'en', text: english }]);
  for (const { said, text, details = '', todo = '' } of cases.messages) {
    assert.equal(words.say(said), text);
    assert.equal(words.advice(said), todo);
    assert.equal(words.details(said), details);
    assert.equal(words.inFull(said), [text, details, todo].filter(Boolean).join(' '));
  }
  assert.deepEqual(words.problems, []);
});

test('a code and its values do for a message', () => {
  const words = createWords([{ language: 'en', text: 'hello = Hello, { $name }' }]);
  assert.equal(words.say('hello', { name: 'you' }), 'Hello, you');
});

test('a message or a value that is missing can be seen', () => {
  const words = createWords([{ language: 'en', text: 'hello = Hello, { $name }' }], silent);
  assert.equal(words.say('absent'), 'absent');
  assert.equal(words.advice(message('absent')), '');
  words.say('hello');
  assert.equal(words.problems.length, 3);
});

test('a message that a language lacks is English', () => {
  const words = createWords([
    { language: 'de', text: 'run = Los' },
    { language: 'en', text: 'run = Run\ncancel = Cancel' },
  ]);
  assert.deepEqual([words.say('run'), words.say('cancel'), words.language], ['Los', 'Cancel', 'de']);
});

test('marks stand around values in languages that run from right to left, and nowhere else', () => {
  const text = 'by = { $name }.';
  assert.equal(createWords([{ language: 'he', text }]).say('by', { name: 'FLUX' }), '\u2068FLUX\u2069.');
  assert.equal(createWords([{ language: 'de', text }]).say('by', { name: 'FLUX' }), 'FLUX.');
  assert.equal(createWords([{ language: 'ar-EG', text }]).direction, 'rtl');
});

test('a broken entry of a catalogue is left out, and the others stay', () => {
  const words = createWords([{ language: 'en', text: 'bad = { $\ngood = Good' }], silent);
  assert.equal(words.say('good'), 'Good');
});

test('the first language that there is gets chosen, with or without its region', () => {
  const there = ['en', 'de', 'pt-BR', 'zh-Hans'];
  assert.equal(choose(['fr', 'de-AT'], there), 'de');
  assert.equal(choose(['pt-br'], there), 'pt-BR');
  assert.equal(choose(['tlh'], there), 'en');
  assert.equal(choose([], there), 'en');
});

test('catalogues are fetched once each, the wanted one before English', async () => {
  /** @type {string[]} */
  const asked = [];
  /** @type {typeof fetch} */
  const fake = async (address) => {
    asked.push(String(address));
    return new Response('run = Run');
  };
  const base = 'http://app.test/p/web/1/locales/';
  const words = await loadWords(['de'], ['en', 'de'], { fetch: fake, base });
  assert.equal(words.language, 'de');
  await loadWords(['en'], ['en', 'de'], { fetch: fake, base });
  assert.deepEqual(asked, [`${base}de.ftl`, `${base}en.ftl`, `${base}en.ftl`]);
  await assert.rejects(loadWords(['en'], ['en'], { fetch: async () => new Response('', { status: 404 }), base }));
});

test('the words of what is opened later are fetched once, and again where that failed', async () => {
  let there = false;
  let asked = 0;
  /** @type {typeof fetch} */
  const fake = async (address) => {
    asked += 1;
    assert.equal(String(address), 'http://app.test/locales/en.later.ftl');
    return there ? new Response('star = Star') : new Response('', { status: 503 });
  };
  const words = createWords([{ language: 'en', text: 'run = Run' }], silent);
  const options = { fetch: fake, base: 'http://app.test/locales/' };
  await assert.rejects(addLater(words, options));
  there = true;
  await Promise.all([addLater(words, options), addLater(words, options)]);
  await addLater(words, options);
  assert.equal(asked, 2);
  assert.equal(words.say('star'), 'Star');
  assert.deepEqual(words.problems, []);
});
