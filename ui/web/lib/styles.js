// Sheets of styles that are fetched when what they are for is opened first.

/**
 * Fetch a sheet of styles; until it is there nothing of what it is for is shown.
 * @param {URL} address
 * @returns {Promise<unknown>}
 */
export function loadStyles(address) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = address.href;
  document.head.append(link);
  return new Promise((resolve) => {
    link.onload = resolve;
    link.onerror = resolve;
  });
}
