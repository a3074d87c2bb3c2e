// Zoom of one picture that fits a box: a scale, and a shift of its middle in pixels.

/**
 * @typedef {{ scale: number, x: number, y: number }} Zoom
 * @typedef {{ x: number, y: number }} Point
 */

/** The most that a picture is enlarged. */
export const MOST = 16;

/**
 * Return the zoom after a change of scale that leaves the pixel under a point where it is.
 * @param {Zoom} zoom
 * @param {number} factor
 * @param {Point} point from the box's middle
 * @returns {Zoom}
 */
export function zoomedAt(zoom, factor, point) {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor));
  const real = scale / zoom.scale;
  return { scale, x: point.x - (point.x - zoom.x) * real, y: point.y - (point.y - zoom.y) * real };
}

/**
 * Return the zoom with its shift held so that the picture's box never leaves the middle of the screen's.
 * @param {Zoom} zoom
 * @param {{ width: number, height: number }} box
 * @returns {Zoom}
 */
export function clamped({ scale, x, y }, box) {
  const most = { x: (box.width * (scale - 1)) / 2, y: (box.height * (scale - 1)) / 2 };
  return { scale, x: Math.min(most.x, Math.max(-most.x, x)), y: Math.min(most.y, Math.max(-most.y, y)) };
}
