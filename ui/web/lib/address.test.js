import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, createRouter, HOME, placeOf } from './address.js';

/** @import { Place } from './address.js' */

/** @type {Place[]} */
const PLACES = [
  HOME,
  { ...HOME, mode: 'library', picked: [3, 1_700_000_000_000_001] },
  { ...HOME, mode: 'compare', picked: [4, 2, 9], how: 'slide.4.9' },
  { ...HOME, view: 'slider', shown: { result: 7 }, full: true },
  { ...HOME, view: 'single', shown: { job: 'a b&c' } },
  { ...HOME, form: 'eyJ4Ijox-_' },
  { ...HOME, mode: 'library', filter: { q: 'a lake & sun', star: 'true', sort: 'cost' }, open: 12 },
  { ...HOME, mode: 'explore', experiment: 'ab'.repeat(16) },
];

/** A browser's history: entries with state and address, and Back. */
function browser() {
  const events = new EventTarget();
  /** @type {{ state: any, hash: string }[]} */
  const entries = [{ state: { gradio: 1 }, hash: '' }];
  let at = 0;
  const page = {
    location: {
      get hash() {
        return entries[at]?.hash ?? '';
      },
    },
    history: {
      get state() {
        return entries[at]?.state;
      },
      /** @type {(state: any, title: string, hash: string) => void} */
      pushState(state, _, hash) {
        at += 1;
        entries.splice(at, entries.length, { state, hash });
      },
      /** @type {(state: any, title: string, hash: string) => void} */
      replaceState(state, _, hash) {
        entries[at] = { state, hash };
      },
      back() {
        at = Math.max(0, at - 1);
        events.dispatchEvent(new Event('popstate'));
      },
    },
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
  };
  return { page: /** @type {any} */ (page), entries, depth: () => at };
}

test('an address leads back to its place', () => {
  for (const place of PLACES) assert.deepEqual(placeOf(addressOf(place)), place);
  assert.equal(addressOf(HOME), '#make');
});

test('an address that is spelt wrong leads home', () => {
  for (const hash of ['', '#', '#nowhere?view=cube&result=x&picked=a.b', '#?result=9e99', '#make?%E0%A4%A']) {
    assert.deepEqual(placeOf(hash), HOME);
  }
});

test('Back leaves what was entered, and the cross does the same', () => {
  const { page, depth } = browser();
  /** @type {Place[]} */
  const seen = [];
  const router = createRouter((place) => void seen.push(place), page);
  router.go({ mode: 'make', shown: { result: 1 } });
  router.go({ full: true });
  router.go({ full: true });
  assert.equal(depth(), 2);
  router.replace({ shown: { result: 2 } });
  assert.deepEqual(router.place(), { ...HOME, shown: { result: 2 }, full: true });
  router.leave({ full: false });
  assert.equal(depth(), 1);
  assert.deepEqual(seen, [{ ...HOME, shown: { result: 1 } }]);
  page.history.back();
  assert.deepEqual(seen[1], HOME);
  router.stop();
});

test('where a link led straight into the full view, closing it stays in the app', () => {
  const { page, entries, depth } = browser();
  entries[0] = { state: { gradio: 1 }, hash: '#make?full=1' };
  /** @type {Place[]} */
  const seen = [];
  createRouter((place) => void seen.push(place), page).leave({ full: false });
  assert.equal(depth(), 0);
  assert.deepEqual(seen, [HOME]);
  assert.deepEqual(entries[0]?.state, { gradio: 1, studio: false });
});
