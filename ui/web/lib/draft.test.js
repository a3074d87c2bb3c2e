import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanDraft, cleanForm, emptyDraft, openDrafts, safeStorage } from './draft.js';

/** @import { Draft } from '../types.js' */
/** @import { Store } from './draft.js' */

const DIGEST = 'ab'.repeat(32);
/** @type {Draft} */
const FULL = {
  ...emptyDraft(),
  reference: {
    digest: DIGEST,
    mime: 'image/png',
    width: 4,
    height: 3,
    size: 9,
    notices: [],
    parent: null,
    name: 'a.jpg',
  },
  prompt: 'the same street\nat night',
  style: [{ id: 'oil', weight: 1.5, text: 'an oil painting' }],
  backend: 'wavespeed',
  params: { strength: 0.4, output_format: 'png', enable_safety_checker: false },
  seed: 77,
  lock: true,
  count: 4,
  view: 'slider',
  split: 0.25,
  shown: { result: 1_700_000_000_000_001 },
  last: 'j',
  picked: [1_700_000_000_000_001, 4],
  spent: { dollars: 0.63, open: ['j'], experiments: [] },
  budget: 2,
  dayBudget: 5,
};

/**
 * A storage with room for so many characters.
 * @param {number} [room]
 * @returns {Store}
 */
function storage(room = Number.POSITIVE_INFINITY) {
  const inner = safeStorage(() => {
    throw new Error('none');
  });
  return {
    ...inner,
    get length() {
      return inner.length;
    },
    setItem(key, value) {
      let used = value.length;
      for (let index = 0; index < inner.length; index += 1) {
        const each = inner.key(index) ?? '';
        if (each !== key) used += (inner.getItem(each) ?? '').length;
      }
      if (used > room) throw new DOMException('full', 'QuotaExceededError');
      inner.setItem(key, value);
    },
  };
}

/** A browser: tabs share its storage, each has a session of its own. */
function browser(local = storage()) {
  let ids = 0;
  let clock = Date.UTC(2026, 0, 1);
  const newId = () => {
    ids += 1;
    return `tab${ids}`;
  };
  const now = () => {
    clock += 1;
    return clock;
  };
  return {
    local,
    open(session = storage()) {
      const page = new EventTarget();
      const drafts = openDrafts({ local, session, page, now, newId });
      return { drafts, session, page, leave: () => page.dispatchEvent(new Event('pagehide')) };
    },
    /** @param {number} milliseconds */
    pass(milliseconds) {
      clock += milliseconds;
    },
  };
}

/** @param {Draft} draft */
const timeless = (draft) => ({ ...draft, at: 0 });

test('a reload finds everything again', () => {
  const { open } = browser();
  const before = open();
  before.drafts.save(FULL);
  before.leave();
  const after = open(before.session);
  assert.equal(after.drafts.tab, before.drafts.tab);
  assert.deepEqual(timeless(after.drafts.first), FULL);
  after.leave();
});

test('tabs do not write over each other, and a new one starts from the newest', () => {
  const { open } = browser();
  const [one, two] = [open(), open()];
  one.drafts.save({ ...FULL, prompt: 'one' });
  one.drafts.flush();
  two.drafts.save({ ...FULL, prompt: 'two' });
  two.drafts.flush();
  const three = open();
  assert.equal(three.drafts.first.prompt, 'two');
  assert.deepEqual(three.drafts.first.spent, emptyDraft().spent);
  one.leave();
  assert.equal(open(one.session).drafts.first.prompt, 'one');
});

test('a duplicated tab goes on with a copy of its own', () => {
  const { open } = browser();
  const one = open();
  one.drafts.save(FULL);
  one.drafts.flush();
  const copied = storage();
  copied.setItem('srpo-studio:tab', one.drafts.tab);
  const two = open(copied);
  assert.notEqual(two.drafts.tab, one.drafts.tab);
  two.drafts.save({ ...FULL, prompt: 'the copy' });
  two.drafts.flush();
  one.leave();
  assert.equal(open(one.session).drafts.first.prompt, FULL.prompt);
});

test('a tab that was killed finds its draft again', () => {
  const { open } = browser();
  const killed = open();
  killed.drafts.save(FULL);
  killed.page.dispatchEvent(new Event('visibilitychange'));
  const other = open();
  other.drafts.save({ ...FULL, prompt: 'newer' });
  other.drafts.flush();
  assert.deepEqual(timeless(open(killed.session).drafts.first), FULL);
});

test('a page that comes back from the cache holds its draft again', () => {
  const { open } = browser();
  const one = open();
  one.leave();
  one.page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  const copied = storage();
  copied.setItem('srpo-studio:tab', one.drafts.tab);
  assert.notEqual(open(copied).drafts.tab, one.drafts.tab);
});

test('many changes are written once, a moment later', async () => {
  const { open, local } = browser();
  const one = open();
  const key = `srpo-studio:draft:${one.drafts.tab}`;
  for (const prompt of ['a', 'ab', 'abc']) one.drafts.save({ ...FULL, prompt });
  assert.equal(JSON.parse(local.getItem(key) ?? '').draft.prompt, '');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(JSON.parse(local.getItem(key) ?? '').draft.prompt, 'abc');
  assert.equal(one.drafts.flush(), false);
  one.drafts.close();
});

test('older drafts make room, and a full disk breaks nothing', () => {
  const { open } = browser(storage(2600));
  for (let count = 0; count < 6; count += 1) {
    const tab = open();
    tab.drafts.save({ ...FULL, prompt: `prompt ${count}` });
    assert.equal(tab.drafts.flush(), true);
    tab.leave();
  }
  assert.equal(open().drafts.first.prompt, 'prompt 5');
  const { open: cramped } = browser(storage(10));
  const tab = cramped();
  tab.drafts.save(FULL);
  assert.equal(tab.drafts.flush(), false);
});

test('old drafts go, a few stay', () => {
  const { open, local, pass } = browser();
  for (let count = 0; count < 30; count += 1) {
    const tab = open();
    tab.drafts.save(FULL);
    tab.drafts.flush();
  }
  assert.ok(local.length <= 22);
  pass(61 * 86_400_000);
  open();
  assert.equal(local.length, 1);
});

test('garbage is an empty draft, and one bad field costs that field alone', () => {
  for (const stored of [null, 1, 'x', [], { version: 'x' }]) assert.deepEqual(cleanDraft(stored), emptyDraft());
  const bad = {
    ...FULL,
    seed: 2 ** 40,
    view: 'cube',
    split: Number.NaN,
    style: [{ id: 1 }, FULL.style[0]],
    shown: { result: 'x' },
  };
  assert.deepEqual(cleanDraft(bad), { ...FULL, seed: null, view: 'pair', split: 0.5, shown: null });
  assert.equal(cleanDraft({ ...FULL, reference: { digest: '../etc' } }).reference, null);
  assert.deepEqual(cleanForm({ params: { a: [1], b: 2, c: { d: 1 } } }).params, { b: 2 });
  const local = storage();
  local.setItem('srpo-studio:draft:x', '{"open": fal');
  local.setItem('srpo-studio:draft:y', '7');
  assert.deepEqual(browser(local).open().drafts.first, emptyDraft());
});

test('a draft of a newer version is read as far as it is known', () => {
  const newer = { ...FULL, version: 7, hue: 3 };
  assert.deepEqual(cleanDraft(newer), FULL);
});

test('a frame without storage has one as long as it lives', () => {
  const none = safeStorage(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  none.setItem('a', '1');
  assert.deepEqual([none.getItem('a'), none.length, none.key(0), none.getItem('b')], ['1', 1, 'a', null]);
  none.removeItem('a');
  assert.equal(none.length, 0);
});
