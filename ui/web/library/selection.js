// Which pictures are selected: some by their ids, or all that were found but some.

/**
 * @typedef {object} Selection
 * @property {number | null} all everything found up to this id, so that what comes later is never acted on; null where
 *   pictures are selected one by one
 * @property {ReadonlySet<number>} ids those that are selected; of all, those that are not
 */

/** @type {Selection} */
export const NONE = { all: null, ids: new Set() };

/**
 * @param {Selection} selection
 * @param {number} id
 */
export function isSelected({ all, ids }, id) {
  return all === null ? ids.has(id) : id <= all && !ids.has(id);
}

/**
 * @param {Selection} selection
 * @param {number} found how many pictures were found
 */
export function countOf({ all, ids }, found) {
  return all === null ? ids.size : Math.max(0, found - ids.size);
}

/**
 * Return the selection with one picture turned on or off.
 * @param {Selection} selection
 * @param {number} id
 * @returns {Selection}
 */
export function toggled({ all, ids }, id) {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { all, ids: next };
}

/**
 * Return the selection with further pictures.
 * @param {Selection} selection
 * @param {Iterable<number>} more
 * @returns {Selection}
 */
export function joined({ all, ids }, more) {
  const next = new Set(ids);
  for (const id of more) {
    if (all === null) next.add(id);
    else next.delete(id);
  }
  return { all, ids: next };
}

/**
 * Return the selection of everything that was found.
 * @param {number} newest the highest id
 * @returns {Selection}
 */
export function everything(newest) {
  return { all: newest, ids: new Set() };
}

/**
 * Return the selection without pictures that are gone.
 * @param {Selection} selection
 * @param {readonly number[]} gone
 * @returns {Selection}
 */
export function withoutGone({ all, ids }, gone) {
  if (!gone.some((id) => ids.has(id))) return { all, ids };
  const left = new Set(ids);
  for (const id of gone) left.delete(id);
  return { all, ids: left };
}
