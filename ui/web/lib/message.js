/** @import { Message, Value } from '../types.js' */

/**
 * Return a message of the catalogue. The values have the names of its variables.
 * @param {string} code
 * @param {{ [name: string]: Value }} [values]
 * @returns {Message}
 */
export function message(code, values = {}) {
  return { code, values };
}
