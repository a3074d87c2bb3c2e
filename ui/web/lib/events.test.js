import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBrowser, createClock, createServer } from '../testing/browser.js';
import { hello, job, result } from '../testing/values.js';
import { createEvents } from './events.js';

/** @import { Connection } from '../types.js' */
/** @import { Update } from './events.js' */

/** @param {{ locks?: boolean }} [options] */
function world(options) {
  const clock = createClock();
  const server = createServer();
  const { tab, locks } = createBrowser(clock, options);
  let id = 0;
  server.greet((lastId, { onSign, onEvent }) => {
    onSign();
    const since = lastId === null ? {} : { results: [], deleted: [] };
    onEvent({ type: 'hello', data: JSON.stringify(hello({ total: id, ...since })), id: String(id) });
  });
  return {
    clock,
    server,
    locks,
    /** A stored change. */
    change() {
      id += 1;
      server.say('change', { results: [result({ id })], total: id }, String(id));
    },
    /** A change that nobody was connected for. */
    changeUnheard() {
      id += 1;
    },
    /** Open a tab. */
    open() {
      const around = tab();
      const events = createEvents(server.connect, around.browser);
      /** @type {Update[]} */
      const log = [];
      events.onState((update) => void log.push(update));
      events.start();
      const hellos = () => log.flatMap((update) => (update.kind === 'hello' ? [update.hello] : []));
      return {
        ...around,
        events,
        log,
        hellos,
        total: () => {
          let total = -1;
          for (const update of log) {
            if (update.kind === 'hello') total = update.hello.total;
            if (update.kind === 'change') total = update.change.total ?? total;
          }
          return total;
        },
        connection: () => {
          /** @type {Connection} */
          let connection = 'connecting';
          for (const update of log) if (update.kind === 'connection') connection = update.connection;
          return connection;
        },
      };
    },
    /** Time passes, and the server's heart beats. */
    async beats(/** @type {number} */ count) {
      for (let beat = 0; beat < count; beat += 1) {
        await clock.pass(15_000);
        server.beat();
        await clock.pass(0);
      }
    },
  };
}

test('twelve tabs have one stream, and all of them see what comes', async () => {
  const { clock, server, open, change } = world();
  const tabs = Array.from({ length: 12 }, open);
  await clock.pass(100);
  change();
  await clock.pass(0);
  assert.equal(server.open(), 1);
  for (const each of tabs) {
    assert.equal(each.connection(), 'live');
    assert.equal(each.total(), 1);
  }
  assert.deepEqual(
    tabs.map(({ events }) => events.role()),
    ['leader', ...Array(11).fill('follower')],
  );
});

test('a tab that joins sees how everything stands at once, without asking the server', async () => {
  const { clock, server, open, change } = world();
  open();
  await clock.pass(100);
  server.say('change', { jobs: [job({ id: 'run' })] });
  change();
  await clock.pass(0);
  const late = open();
  await clock.pass(10);
  assert.deepEqual(
    late.hellos().map((each) => [each.total, each.jobs.map(({ id }) => id)]),
    [[1, ['run']]],
  );
  assert.equal(server.asked.length, 1);
});

test('when the leader goes, the next resumes from what it saw last', async () => {
  const { clock, server, open, change } = world();
  const [first, second, third] = [open(), open(), open()];
  await clock.pass(100);
  change();
  change();
  await clock.pass(0);
  first.leave();
  await clock.pass(100);
  assert.equal(second.events.role(), 'leader');
  assert.deepEqual(server.asked, [null, '2']);
  assert.equal(server.open(), 1);
  change();
  await clock.pass(0);
  assert.deepEqual([second.total(), third.total()], [3, 3]);
  assert.deepEqual(
    [second, third].map((each) => each.hellos().at(-1)?.stale),
    [undefined, undefined],
  );
});

test('a leader that is frozen without a word is replaced by a visible tab, and follows when it thaws', async () => {
  const { clock, server, open, change, beats } = world();
  const leader = open();
  const hidden = open();
  const visible = open();
  hidden.hide();
  await clock.pass(100);
  leader.hide();
  leader.freeze();
  await clock.pass(36_000);
  assert.equal(visible.events.role(), 'leader');
  assert.equal(hidden.events.role(), 'follower');
  leader.thaw();
  leader.show();
  await clock.pass(3000);
  assert.equal(leader.events.role(), 'follower');
  assert.equal(server.open(), 1);
  change();
  await clock.pass(0);
  assert.deepEqual([leader.total(), hidden.total(), visible.total()], [1, 1, 1]);
  await beats(8);
  assert.equal(server.asked.length, 2);
});

test('a tab that joins a frozen leader asks the server instead', async () => {
  const { clock, server, open } = world();
  const leader = open();
  await clock.pass(100);
  leader.freeze();
  const late = open();
  await clock.pass(1100);
  assert.equal(late.events.role(), 'leader');
  assert.equal(late.connection(), 'live');
  assert.equal(server.open(), 1);
});

test('quiet hours with heartbeats change nothing', async () => {
  const { clock, server, open, beats } = world();
  const [leader, follower] = [open(), open()];
  await clock.pass(100);
  await beats(240);
  assert.deepEqual(
    [leader.events.role(), follower.events.role(), follower.connection()],
    ['leader', 'follower', 'live'],
  );
  assert.equal(server.asked.length, 1);
});

test('after a lost line every tab says so when it lasts, and sees the truth within two seconds of its return', async () => {
  for (const outage of [6000, 30_000, 110_000]) {
    const { clock, server, open, changeUnheard } = world();
    const tabs = [open(), open()];
    await clock.pass(100);
    server.down();
    await clock.pass(1000);
    for (const each of tabs) assert.equal(each.connection(), 'connecting');
    await clock.pass(outage);
    for (const each of tabs) assert.equal(each.connection(), 'offline');
    changeUnheard();
    server.up();
    await clock.pass(1900);
    for (const each of tabs) {
      assert.equal(each.connection(), 'live');
      assert.equal(each.total(), 1);
    }
    assert.equal(server.open(), 1);
  }
});

test('a short loss is not worth a word', async () => {
  const { clock, server, open } = world();
  const only = open();
  await clock.pass(100);
  server.down();
  server.up();
  await clock.pass(2500);
  const seen = only.log.flatMap((update) => (update.kind === 'connection' ? [update.connection] : []));
  assert.deepEqual(seen, ['connecting', 'live', 'connecting', 'live']);
});

test('a busy server is asked again when it says, whoever is in a hurry', async () => {
  const { clock, server, open } = world();
  server.down({ status: 503, retryAfter: 20_000 });
  const [leader, follower] = [open(), open()];
  await clock.pass(10_000);
  leader.online();
  follower.online();
  assert.equal(server.asked.length, 1);
  server.up();
  await clock.pass(11_000);
  assert.deepEqual([leader.connection(), follower.connection()], ['live', 'live']);
});

test('a server that refuses is asked again, later and later', async () => {
  const { clock, server, open } = world();
  server.down({ status: 503, retryAfter: null });
  const only = open();
  await clock.pass(60_000);
  const within = server.asked.length;
  assert.ok(within > 30 && within < 90, String(within));
  await clock.pass(300_000);
  const before = server.asked.length;
  await clock.pass(60_000);
  assert.ok(server.asked.length - before <= 25);
  server.up();
  only.online();
  await clock.pass(10);
  assert.equal(only.connection(), 'live');
});

test('after an hour of sleep a line that looks open is given up', async () => {
  const { clock, server, open, changeUnheard } = world();
  const tabs = [open(), open()];
  await clock.pass(100);
  changeUnheard();
  clock.sleep(3_600_000);
  await clock.pass(2000);
  assert.equal(server.open(), 1);
  assert.equal(server.asked.length, 2);
  for (const each of tabs) assert.equal(each.total(), 1);
});

test('a page that comes back from the cache begins again where it was', async () => {
  const { clock, server, open, change, locks } = world();
  const only = open();
  await clock.pass(100);
  change();
  await clock.pass(0);
  only.leave();
  await clock.pass(0);
  assert.deepEqual([server.open(), only.events.role()], [0, 'stopped']);
  assert.equal(/** @type {any} */ (locks).holder(), false);
  only.comeBack();
  await clock.pass(100);
  assert.deepEqual(server.asked, [null, '1']);
  assert.equal(only.connection(), 'live');
});

test('a follower that missed something fetches its results again', async () => {
  const { clock, open, change } = world();
  open();
  const sleeper = open();
  await clock.pass(100);
  sleeper.freeze();
  change();
  await clock.pass(0);
  sleeper.thaw();
  sleeper.leave();
  sleeper.comeBack();
  await clock.pass(100);
  assert.deepEqual([sleeper.hellos().at(-1)?.stale, sleeper.total()], [true, 1]);
  sleeper.leave();
  sleeper.comeBack();
  await clock.pass(100);
  assert.equal(sleeper.hellos().at(-1)?.stale, undefined);
});

test('without locks a tab has its own stream while it is visible', async () => {
  const { clock, server, open, change } = world({ locks: false });
  const [one, two] = [open(), open()];
  await clock.pass(100);
  assert.equal(server.open(), 2);
  two.hide();
  await clock.pass(10_000);
  assert.equal(server.open(), 1);
  change();
  await clock.pass(0);
  assert.deepEqual([one.total(), two.total()], [1, 0]);
  two.show();
  await clock.pass(100);
  assert.equal(two.total(), 1);
  assert.deepEqual(server.asked, [null, null, '0']);
  two.hide();
  two.show();
  await clock.pass(10_000);
  assert.equal(server.open(), 2);
});

test('where a browser refuses its locks, a tab has its own stream', async () => {
  const clock = createClock();
  const server = createServer();
  const { tab } = createBrowser(clock);
  const { browser } = tab();
  const events = createEvents(server.connect, {
    ...browser,
    locks: { request: () => Promise.reject(new Error('no')) },
  });
  events.start();
  await clock.pass(100);
  assert.deepEqual([events.role(), server.open()], ['alone', 1]);
  events.stop();
  assert.equal(server.open(), 0);
});

test('two streams that overlap show nothing twice', async () => {
  const { clock, server, open } = world();
  const only = open();
  await clock.pass(100);
  for (const id of ['3', '3', '2']) server.say('change', { total: 3 }, id);
  server.say('change', { total: 4 });
  await clock.pass(0);
  assert.equal(only.log.filter(({ kind }) => kind === 'change').length, 2);
  assert.equal(only.events.lastId(), '3');
});

test('a callback gets the latest state at once, and nothing after it has left', async () => {
  const { clock, open, change } = world();
  const only = open();
  await clock.pass(100);
  /** @type {string[]} */
  const seen = [];
  const leave = only.events.onState(({ kind }) => void seen.push(kind));
  assert.deepEqual(seen, ['connection', 'hello']);
  leave();
  change();
  await clock.pass(0);
  assert.equal(seen.length, 2);
  only.events.stop();
  assert.equal(only.events.role(), 'stopped');
});
