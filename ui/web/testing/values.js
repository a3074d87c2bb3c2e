// Values of the API for tests, each complete, with what a test changes.

/** @import { Experiment, ExperimentCell } from '../explore/types.js' */
/** @import { Backend, Form, Hello, Job, Recipe, Reference, Result, Room, Specs, Style } from '../types.js' */

export const DIGEST = 'ab'.repeat(32);
export const OTHER = 'cd'.repeat(32);

/** @type {Style[]} */
export const STYLES = [
  { id: 'oil', label: 'Oil', text: 'an oil painting', kind: 'medium' },
  { id: 'ink', label: 'Ink', text: 'an ink drawing', kind: 'medium' },
  { id: 'night', label: 'Night', text: 'at night', kind: 'mood' },
];

/**
 * @param {Partial<Reference>} [more]
 * @returns {Reference}
 */
export function reference(more = {}) {
  return {
    digest: DIGEST,
    mime: 'image/png',
    width: 1024,
    height: 768,
    size: 9,
    notices: [],
    parent: null,
    name: 'street.jpg',
    ...more,
  };
}

/**
 * @param {Partial<Recipe>} [more]
 * @returns {Recipe}
 */
export function recipe(more = {}) {
  return {
    version: 1,
    backend: 'local',
    model: { id: 'mini', revision: null },
    app: '1.0',
    prompt: 'a street',
    style: [],
    params: { strength: 0.6, num_inference_steps: 20, num_images: 1 },
    seed: 42,
    seeds: [42],
    index: null,
    reference: { digest: DIGEST, mime: 'image/png', width: 1024, height: 768, size: 9 },
    origin: null,
    mask: null,
    parent: null,
    ...more,
  };
}

/**
 * @param {Partial<Job>} [more]
 * @returns {Job}
 */
export function job(more = {}) {
  return {
    id: 'j1',
    state: 'queued',
    backend: 'local',
    created: 1_000_000,
    recipe: recipe(),
    event: { kind: 'queued', position: 1 },
    preview: 0,
    expected: 8,
    started: null,
    error: null,
    notices: [],
    results: [],
    cost: null,
    seconds: null,
    cell: null,
    ...more,
  };
}

/**
 * @param {Partial<Result>} [more]
 * @returns {Result}
 */
export function result(more = {}) {
  return {
    id: 1,
    job: 'j1',
    place: 0,
    created: 1_000_000,
    recipe: recipe({ index: 0 }),
    image: { digest: OTHER, mime: 'image/png', width: 1024, height: 768, size: 9 },
    missing: null,
    backend: 'local',
    cost: 0,
    seconds: 2,
    parent: null,
    star: false,
    note: '',
    tags: [],
    project: null,
    source: 'page',
    meters: null,
    ...more,
  };
}

/**
 * @param {Partial<Backend>} [more]
 * @returns {Backend}
 */
export function backend(more = {}) {
  const plain = { help: null, advanced: false, step: null, low: null, high: null, choices: null };
  const range = { minimum: null, maximum: null };
  return {
    key: 'local',
    label: { code: 'backend-local', values: { model: 'mini' } },
    model: 'mini',
    provider: null,
    styles: STYLES,
    notices: [],
    concurrency: 1,
    shows_steps: true,
    shows_preview: true,
    seed_per_image: true,
    working_pixels: null,
    working_side: null,
    params: [
      { ...plain, name: 'strength', kind: 'number', label: label('strength'), default: 0.6, minimum: 0, maximum: 1 },
      {
        ...plain,
        name: 'num_inference_steps',
        kind: 'integer',
        label: label('num-inference-steps'),
        default: 20,
        minimum: 1,
        maximum: 50,
      },
      {
        ...plain,
        name: 'guidance_scale',
        kind: 'number',
        label: label('guidance-scale'),
        default: 4,
        minimum: 1,
        maximum: 20,
      },
      { ...plain, name: 'seed', kind: 'integer', label: label('seed'), default: null, minimum: 0, maximum: 2147483647 },
      { ...plain, name: 'num_images', kind: 'integer', label: label('num-images'), default: 1, minimum: 1, maximum: 4 },
      {
        ...plain,
        ...range,
        name: 'output_format',
        kind: 'choice',
        label: label('output-format'),
        default: 'png',
        choices: ['png', 'jpeg'],
      },
    ],
    ready: null,
    words: [],
    price: { dollars: 0, live: true },
    pace: { '': { fixed: 1, step: 0.5 } },
    ...more,
  };
}

/** @param {string} name */
function label(name) {
  return { code: `param-${name}`, values: {} };
}

/**
 * @param {Backend[]} [backends]
 * @returns {Specs}
 */
export function specs(backends = [backend()]) {
  return {
    build: 'b1',
    alone: true,
    limits: { prompt: 4000, bytes: 20e6, megapixels: 50, side: 16384 },
    downloads: 'embed',
    backends,
  };
}

/**
 * @param {Partial<Hello>} [more]
 * @returns {Hello}
 */
export function hello(more = {}) {
  const { ready, words, price, pace } = backend();
  return {
    build: 'b1',
    now: 1_000_000,
    backends: { local: { ready, words, price, pace } },
    jobs: [],
    total: 0,
    revision: 0,
    ...more,
  };
}

/**
 * @param {Partial<Form>} [more]
 * @returns {Form}
 */
export function form(more = {}) {
  return {
    reference: null,
    prompt: '',
    style: [],
    backend: 'local',
    params: {},
    seed: null,
    lock: false,
    count: 1,
    ...more,
  };
}

/**
 * @param {Partial<ExperimentCell>} [more]
 * @returns {ExperimentCell}
 */
export function cell(more = {}) {
  return {
    place: 0,
    at: [0],
    backend: 'local',
    state: 'waiting',
    job: null,
    result: null,
    star: false,
    meters: null,
    error: null,
    recipe: recipe(),
    ...more,
  };
}

/**
 * @param {Partial<Experiment>} [more]
 * @returns {Experiment}
 */
export function experiment(more = {}) {
  return {
    id: 'e1',
    created: 1_000_000,
    state: 'running',
    why: null,
    count: 1,
    waiting: 1,
    names: ['strength'],
    spent: 0,
    needs_keys: [],
    reference: DIGEST,
    base: { backend: 'local', prompt: 'a street', style: [], params: {} },
    axes: [{ name: 'strength', values: [0.3] }],
    adapted: [],
    evolved: null,
    cells: [cell()],
    ...more,
  };
}

/**
 * @param {Partial<Room>} [more]
 * @returns {Room}
 */
export function room(more = {}) {
  return {
    full: 0.99,
    quota_bytes: 20_000,
    free_bytes: 200,
    removable_bytes: 1000,
    removable_pictures: 10,
    goes_first: true,
    oldest: 1_700_000_000,
    ...more,
  };
}
