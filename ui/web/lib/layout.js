// How large things are. Pictures are as large as they can be; the form and the bars take what they need.

/** @typedef {{ width: number, height: number }} Size */

/** Pixels between pictures. */
export const GAP = 8;
/** Windows narrower than this are a phone's; up to the second, a tablet's where they are higher than wide. */
const PHONE = 700;
const TABLET = 1024;

/**
 * Return whether a window is held upright: the picture comes first there, and the form is a sheet over it. As
 * studio.css has it.
 * @param {Size} window
 */
export function isUpright({ width, height }) {
  return width < PHONE || (width < TABLET && height > width);
}

/**
 * How pictures are arranged.
 * @typedef {object} Arrangement
 * @property {number} columns
 * @property {number} rows
 * @property {Size} cell the place of each picture
 * @property {Size[]} pictures their sizes within their places, shape kept
 */

/**
 * Return the arrangement in which pictures are largest: side by side, one over the other, or in between.
 * @param {Size} area all there is
 * @param {number[]} ratios width by height, of each picture
 * @param {{ gap?: number, caption?: number }} [options] pixels between places; height of what stands under the pictures of
 *   a single row (over each other, they have it in their corners)
 * @returns {Arrangement}
 */
export function arrange(area, ratios, { gap = GAP, caption = 0 } = {}) {
  const count = Math.max(ratios.length, 1);
  /** @type {Arrangement | null} */
  let best = null;
  let most = -1;
  for (let columns = count; columns >= 1; columns -= 1) {
    const rows = Math.ceil(count / columns);
    if (columns > 1 && Math.ceil(count / (columns - 1)) === rows) continue; // a place would stay empty
    const cell = {
      width: Math.max(1, (area.width - gap * (columns - 1)) / columns),
      height: Math.max(1, (area.height - gap * (rows - 1)) / rows - (rows > 1 ? 0 : caption)),
    };
    const pictures = ratios.map((ratio) => fit(ratio, cell));
    const pixels = pictures.reduce((sum, { width, height }) => sum + width * height, 0);
    // A tie goes to the wider one: pictures beside each other are easier to compare.
    if (pixels > most * 1.001) {
      most = pixels;
      best = { columns, rows, cell, pictures };
    }
  }
  return /** @type {Arrangement} */ (best);
}

/**
 * Return the largest size of a shape in a place.
 * @param {number} ratio width by height
 * @param {Size} place
 * @returns {Size}
 */
export function fit(ratio, { width, height }) {
  return width / height > ratio ? { width: height * ratio, height } : { width, height: width / ratio };
}

/**
 * Return the shape of a picture; a square where it is not known.
 * @param {Partial<Size> | null | undefined} picture
 */
export function ratioOf(picture) {
  return picture?.width && picture.height ? picture.width / picture.height : 1;
}

/**
 * Return the size in which a picture shows all its pixels on a screen, or as many as the screen has.
 * @param {number} width CSS pixels
 * @param {number} density device pixels by CSS pixel; more than two are not seen
 */
export function screenPixels(width, density) {
  return Math.ceil(width * Math.min(Math.max(density, 1), 2));
}
