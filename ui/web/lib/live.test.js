import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hello, job } from '../testing/values.js';
import { changed, isEnded, mergedBackends, mergedJobs } from './live.js';

test('jobs merge by id, and only whole ones are new', () => {
  const jobs = mergedJobs(
    [job()],
    [{ id: 'j1', state: 'running' }, job({ id: 'j0', created: 1 }), { id: 'x', preview: 1 }],
  );
  assert.deepEqual(
    jobs.map(({ id, state }) => [id, state]),
    [
      ['j0', 'queued'],
      ['j1', 'running'],
    ],
  );
});

test('ended is ended', () => {
  const done = job({ state: 'done', cost: 1 });
  assert.deepEqual(mergedJobs([done], [{ id: 'j1', state: 'running', preview: 9 }]), [done]);
  assert.equal(mergedJobs([done], [{ id: 'j1', cost: 2 }])[0]?.cost, 2);
  assert.equal(isEnded('detached'), false);
});

test('old jobs that have ended are forgotten, others never', () => {
  const many = Array.from({ length: 80 }, (_, index) => job({ id: `d${index}`, created: index, state: 'done' }));
  const jobs = mergedJobs([job({ id: 'old', created: -1 }), ...many], []);
  assert.equal(jobs.length, 51);
  assert.deepEqual([jobs[0]?.id, jobs[1]?.id], ['old', 'd30']);
});

test('what has not changed stays as it was', () => {
  const before = hello({ jobs: [job()] });
  const after = changed(before, { total: 5, backends: { local: { ready: { code: 'x', values: {} } } } });
  assert.equal(after.jobs, before.jobs);
  assert.deepEqual([after.total, after.backends.local?.ready?.code, after.backends.local?.price.live], [5, 'x', true]);
  assert.deepEqual(Object.keys(mergedBackends({}, { odd: { ready: null } })), []);
});
