// An experiment as it is drawn: its axes in the order of the screen, how far each cell is. All pure.

/** @import { Change } from '../types.js' */
/** @import { Experiment, ExperimentCell, Line, Live, Sheet } from './types.js' */

/** States of a cell that nothing more comes of by itself. */
const OVER = new Set(['done', 'failed', 'cancelled', 'unknown', 'interrupted', 'skipped', 'deleted']);
/** Those of them that can be made after all. */
const MISSING = new Set(['failed', 'cancelled', 'unknown', 'interrupted', 'skipped']);
/** What has no place of its own. @type {Line} */
const ALONE = { at: 0, value: '' };

/**
 * Return what is drawn of an experiment. Numbers rise, whenever they were added.
 * @param {Pick<Experiment, 'axes' | 'cells'>} experiment
 * @param {ReadonlySet<string>} [hidden] `axis:place` of what is not shown
 * @returns {Sheet}
 */
export function sheetOf({ axes, cells }, hidden = new Set()) {
  const lines = axes.map((axis, number) => {
    const all = axis.values.map((value, at) => ({ at, value }));
    const numbers = axis.name !== 'seed' && all.every(({ value }) => typeof value === 'number');
    if (numbers) all.sort((one, other) => Number(one.value) - Number(other.value));
    return all.filter(({ at }) => !hidden.has(`${number}:${at}`));
  });
  const [columns = [ALONE], rows = [ALONE], pages = [ALONE]] = lines;
  const by = new Map(cells.map((cell) => [cell.at.join(), cell]));
  return {
    columns,
    rows,
    pages,
    cell: (column, row, page) => {
      const at = [columns[column], rows[row], pages[page]].slice(0, axes.length).map((line) => line?.at);
      return by.get(at.join()) ?? null;
    },
  };
}

/** By what the cells of a sheet with one axis are sorted. */
export const ORDERS = /** @type {const} */ (['own', 'structure', 'colour_shift', 'sharpness']);

/**
 * Return a sheet with one axis with its cells in another order: the highest first, those of which it is not known last.
 * @param {Sheet} sheet
 * @param {typeof ORDERS[number]} order
 * @returns {Sheet}
 */
export function inOrder(sheet, order) {
  if (order === 'own') return sheet;
  const figures = sheet.columns.map((_, column) => sheet.cell(column, 0, 0)?.meters?.[order] ?? -2); // the least is -1
  const places = figures.map((_, column) => column);
  places.sort((one, other) => (figures[other] ?? 0) - (figures[one] ?? 0));
  return {
    ...sheet,
    columns: places.flatMap((column) => sheet.columns[column] ?? []),
    cell: (column, row, page) => sheet.cell(places[column] ?? -1, row, page),
  };
}

/**
 * Return an experiment after news of the stream; the same object where none is of it.
 * @param {Experiment} experiment
 * @param {Change} told
 * @returns {Experiment}
 */
export function withNews(experiment, told) {
  const standing = told.experiments?.find(({ id }) => id === experiment.id);
  /** @type {Map<number, Partial<ExperimentCell & Live>>} */
  const moved = new Map();
  const places = new Map(experiment.cells.flatMap(({ job, place }) => (job === null ? [] : [[job, place]])));
  for (const job of told.jobs ?? []) {
    const place = job.cell?.experiment === experiment.id ? job.cell.place : places.get(job.id);
    if (place === undefined) continue;
    places.set(job.id, place);
    /** @type {Partial<ExperimentCell & Live>} */
    const change = { job: job.id };
    if (job.state) change.state = job.state;
    if (job.preview !== undefined) change.preview = job.preview;
    if (job.error !== undefined) change.error = job.error;
    if (job.cost !== undefined) change.cost = job.cost;
    if (job.event) Object.assign(change, stepsOf(job.event));
    if (job.results?.[0]?.image) Object.assign(change, { result: job.results[0].id, star: job.results[0].star });
    moved.set(place, change);
  }
  for (const result of told.results ?? []) {
    const place = places.get(result.job);
    if (place === undefined || result.place !== 0) continue;
    const there = result.image ? result.id : null;
    moved.set(place, { ...moved.get(place), result: there, star: result.star, meters: result.meters });
  }
  const gone = new Set(told.deleted ?? []);
  for (const { place, result } of experiment.cells)
    if (result !== null && gone.has(result) && !moved.get(place)?.result)
      moved.set(place, { ...moved.get(place), result: null });
  if (!standing && !moved.size) return experiment;
  const cells = experiment.cells.map((cell) => {
    const change = moved.get(cell.place);
    return change ? { ...cell, ...change } : cell;
  });
  const spent = cells.reduce(
    (sum, cell, at) => sum + Math.max(0, (cell.cost ?? 0) - (experiment.cells[at]?.cost ?? 0)),
    experiment.spent,
  );
  return { ...experiment, ...standing, cells, spent };
}

/** @param {NonNullable<import('../types.js').Job['event']>} event */
function stepsOf(event) {
  return event.kind === 'progress' ? { step: event.step, total: event.total } : {};
}

/**
 * Return how far an experiment is.
 * @param {Pick<Experiment, 'cells'>} experiment
 */
export function countsOf({ cells }) {
  const count = (/** @type {(state: string) => boolean} */ which) => cells.filter(({ state }) => which(state)).length;
  return {
    all: cells.length,
    done: count((state) => state === 'done'),
    missing: count((state) => MISSING.has(state)),
    waiting: count((state) => state === 'waiting'),
    open: count((state) => !OVER.has(state)),
  };
}

/** @param {ExperimentCell} cell */
export function canRetry({ state }) {
  return MISSING.has(state);
}

/**
 * Return the value in the middle between two neighbours, on the grid of their parameter; null where there is none.
 * @param {number} low
 * @param {number} high
 * @param {number} step of the parameter
 */
export function middle(low, high, step) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  const value = Number((Math.round((low + high) / 2 / step) * step).toFixed(digits));
  return value > low && value < high ? value : null;
}

/**
 * Return the next place in a grid for a key; null where the key is none of it.
 * @param {string} key
 * @param {{ column: number, row: number }} from
 * @param {{ columns: number, rows: number }} size
 */
export function moved(key, { column, row }, { columns, rows }) {
  const to = {
    ArrowRight: { column: column + 1, row },
    ArrowLeft: { column: column - 1, row },
    ArrowDown: { column, row: row + 1 },
    ArrowUp: { column, row: row - 1 },
    Home: { column: 0, row },
    End: { column: columns - 1, row },
  }[key];
  if (!to) return null;
  return {
    column: Math.min(columns - 1, Math.max(0, to.column)),
    row: Math.min(rows - 1, Math.max(0, to.row)),
  };
}
