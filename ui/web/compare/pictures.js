// The files of pictures, each fetched and decoded once: one element goes from view to view.

/**
 * @typedef {object} Picture
 * @property {HTMLImageElement} element
 * @property {'loading' | 'ready' | 'lost'} state
 */

/**
 * @param {() => void} onChange called when one has come, or cannot be loaded
 */
export function createPictures(onChange) {
  /** By the address of the file. @type {Map<string, Picture>} */
  const all = new Map();

  /**
   * @param {string} src
   * @param {string} early a smaller one, shown until the file is there
   * @returns {Picture}
   */
  function get(src, early) {
    const known = all.get(src);
    if (known) return known;
    const element = document.createElement('img');
    /** @type {Picture} */
    const picture = { element, state: 'loading' };
    all.set(src, picture);
    element.alt = ''; // its frame says what it is
    element.draggable = false;
    element.className = 'cmp-picture';
    element.style.backgroundImage = `url("${early}")`;
    element.src = src;
    element.decode().then(
      () => {
        picture.state = 'ready';
        element.style.backgroundImage = '';
        onChange();
      },
      () => {
        if (all.get(src) !== picture) return; // nobody waits for it any more
        picture.state = 'lost';
        onChange();
      },
    );
    return picture;
  }

  /** Let go of all others, and of their memory. @param {ReadonlySet<string>} wanted addresses */
  function keep(wanted) {
    for (const [src, { element }] of all) {
      if (wanted.has(src)) continue;
      all.delete(src);
      element.remove();
      element.removeAttribute('src');
    }
  }

  /** Fetch those once more that could not be loaded. */
  function retry() {
    for (const [src, { state }] of all) if (state === 'lost') all.delete(src);
  }

  return { get, keep, retry };
}
