import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn } from './drafts-in-turn.js';

/** Drafts that end when a test says so. */
function made() {
  /** @type {{ about: string, done: (failed?: boolean) => void, signal: AbortSignal }[]} */
  const asked = [];
  /** @type {string[]} */
  const shown = [];
  /** @type {unknown[]} */
  const failed = [];
  let clock = 0;
  const turn = inTurn({
    show: (/** @type {string} */ draft) => shown.push(draft),
    fail: (error) => failed.push(error),
    now: () => clock,
  });
  const want = (/** @type {string} */ about) =>
    turn.want(
      about,
      (signal) =>
        new Promise((resolve, reject) => {
          asked.push({ about, signal, done: (bad) => (bad ? reject(new Error(about)) : resolve(about)) });
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { asked, shown, failed, want, turn, settle, pass: (/** @type {number} */ ms) => (clock += ms) };
}

test('a newer draft drops the older, and is asked for next', async () => {
  const { asked, shown, want, settle } = made();
  want('a');
  want('b');
  want('c');
  await settle();
  assert.deepEqual(
    asked.map(({ about }) => about),
    ['a', 'c'],
  );
  assert.equal(asked[0]?.signal.aborted, true);
  asked[1]?.done();
  await settle();
  assert.deepEqual(shown, ['c']);
});

test('while the dials move for long, the draft on its way is let end', async () => {
  const { asked, shown, want, settle, pass } = made();
  want('a');
  pass(1500);
  want('b');
  asked[0]?.done();
  await settle();
  assert.deepEqual(shown, ['a']);
  asked[1]?.done();
  await settle();
  assert.deepEqual(shown, ['a', 'b']);
});

test('a draft that is more than half done comes first, one that has just begun does not', async () => {
  const { asked, shown, want, settle, pass } = made();
  want('a');
  pass(400);
  asked[0]?.done();
  await settle();
  want('b');
  pass(250);
  want('c'); // b is there in 150 ms
  pass(150);
  asked[1]?.done();
  await settle();
  pass(50);
  want('d'); // c would take 350 more
  pass(50);
  await settle();
  assert.deepEqual(shown, ['a', 'b']);
  assert.deepEqual(
    asked.map(({ about, signal }) => `${about} ${signal.aborted}`),
    ['a false', 'b false', 'c true', 'd false'],
  );
});

test('however the dials move, a draft comes now and then', async () => {
  const { asked, shown, want, settle, pass } = made();
  want('a');
  pass(400);
  asked[0]?.done();
  await settle();
  for (let at = 0; at < 12; at += 1) {
    want(`b${at}`);
    await settle();
    pass(100);
  }
  assert.equal(asked.at(-1)?.signal.aborted, false);
  assert.ok(asked.length < 8, 'after 400 ms none is dropped any more');
  asked.at(-1)?.done();
  await settle();
  assert.equal(shown.length, 2);
});

test('the same is asked for once, and again after it has failed', async () => {
  const { asked, failed, want, settle } = made();
  want('a');
  want('a');
  asked[0]?.done(true);
  await settle();
  assert.equal(failed.length, 1);
  want('a');
  await settle();
  assert.equal(asked.length, 2);
});

test('what is stopped is never shown', async () => {
  const { asked, shown, turn, want, settle } = made();
  want('a');
  turn.stop();
  asked[0]?.done();
  await settle();
  assert.deepEqual(shown, []);
});

test('in any order of movements and ends, nothing older is shown after something newer', async () => {
  const seed = Number(/** @type {any} */ (globalThis).process.env.SEED ?? Date.now() % 1e9);
  let number = seed;
  const random = () => {
    number = (number * 48271) % 2147483647;
    return number / 2147483647;
  };
  const { asked, shown, want, settle, pass } = made();
  for (let at = 0; at < 300; at += 1) {
    if (random() < 0.5) want(String(at).padStart(3, '0'));
    else asked[asked.length - 1]?.done(random() < 0.1);
    pass(random() * 800);
    await settle();
  }
  assert.deepEqual(shown, [...shown].sort(), `SEED=${seed}`);
  assert.ok(shown.length > 5, `SEED=${seed}`);
});
