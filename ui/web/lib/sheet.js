// Style sheets of what is opened later.

/** @type {Map<string, Promise<unknown>>} */
const sheets = new Map();

/**
 * Add a sheet to the page, once.
 * @param {URL} url
 * @returns {Promise<unknown>} settled when it is there, or cannot be fetched
 */
export function addSheet({ href }) {
  const coming =
    sheets.get(href) ??
    new Promise((resolve) => {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = href;
      link.onload = resolve;
      link.onerror = resolve;
      document.head.append(link);
    });
  sheets.set(href, coming);
  return coming;
}
