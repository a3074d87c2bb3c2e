// What storage has room for: which pictures the next run would remove, and when the person is told.

/** @import { Room } from '../types.js' */

/** The part of the storage that is used when it is said what goes next. */
const NEARLY_FULL = 0.9;

/**
 * Return whether it is time to say what is removed when storage runs out.
 * @param {Room} room
 */
export function isNearlyFull({ full, oldest }) {
  return full >= NEARLY_FULL && oldest !== null;
}

/**
 * Return about how many of an owner's oldest pictures a run would remove: its own are taken to be as large as theirs are.
 * @param {Room | null} room
 * @param {number} images that the run makes
 */
export function removedBy(room, images) {
  if (!room?.goes_first || room.oldest === null || room.removable_pictures === 0) return 0;
  const { free_bytes, removable_bytes, removable_pictures } = room;
  const size = removable_bytes / removable_pictures;
  return Math.max(0, Math.min(removable_pictures, Math.ceil((images * size - free_bytes) / size)));
}
