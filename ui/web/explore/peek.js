// A cell of the grid, large: while the pointer rests on it, or Space is held on it. It takes no focus and no room.

import { screenPixels } from '../lib/layout.js';

/** @import { Api } from '../lib/api.js' */

/** Milliseconds for which the pointer rests, or the key is held, before something is shown. */
const REST = 350;
/** CSS pixels between a cell and its large picture. */
const GAP = 8;
/** Where beside a cell no picture fits that is larger by so much, it is shown over the grid's middle. */
const WORTH = 1.25;

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

/**
 * Return where a cell's large picture stands: on the side of the cell on which it is largest.
 * @param {Box} cell
 * @param {Box} room in which it may stand
 * @param {number} ratio width over height
 * @returns {{ left: number, top: number, width: number, height: number }}
 */
export function beside(cell, room, ratio) {
  /** @type {Box[]} */
  const sides = [
    { ...room, left: cell.right + GAP },
    { ...room, right: cell.left - GAP },
    { ...room, top: cell.bottom + GAP },
    { ...room, bottom: cell.top - GAP },
  ];
  const widths = sides.map((side) => widthIn(side, ratio));
  const best = widths.indexOf(Math.max(...widths));
  const enough = (widths[best] ?? 0) >= WORTH * (cell.right - cell.left);
  const side = (enough && sides[best]) || room;
  const width = widthIn(side, ratio);
  const height = width / ratio;
  // As near to the cell as it can be.
  const near = (/** @type {number} */ middle, /** @type {number} */ low, /** @type {number} */ high) =>
    Math.max(low, Math.min(high, middle));
  return {
    left: near((cell.left + cell.right - width) / 2, side.left, side.right - width),
    top: near((cell.top + cell.bottom - height) / 2, side.top, side.bottom - height),
    width,
    height,
  };
}

/**
 * @param {Box} box
 * @param {number} ratio
 */
function widthIn({ left, top, right, bottom }, ratio) {
  return Math.max(0, Math.min(right - left, (bottom - top) * ratio));
}

/**
 * @param {HTMLElement} root holds the cells
 * @param {(place: number) => { result: number, ratio: number } | null} pictureOf a cell; null where it has none yet
 * @param {Api} api
 */
export function createPeek(root, pictureOf, api) {
  const element = document.createElement('div');
  element.className = 'xp-peek';
  element.popover = 'manual';
  element.ariaHidden = 'true';
  const image = element.appendChild(new Image());
  image.alt = '';
  /** The cell on which the pointer is. @type {HTMLElement | null} */
  let over = null;
  /** The cell on which Space is held. @type {HTMLElement | null} */
  let held = null;
  let seen = false; // whether anything was shown since it is held
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {EventTarget | null} target @returns {HTMLElement | null} */
  const cellOf = (target) => /** @type {Element | null} */ (target)?.closest?.('.xp-cell') ?? null;
  const shown = () => element.matches(':popover-open');

  /** @param {HTMLElement} cell */
  function show(cell) {
    const of = pictureOf(Number(cell.dataset.place));
    if (!of || !cell.isConnected) {
      hide();
      return;
    }
    const { left, top, right, bottom } = root.getBoundingClientRect();
    const room = {
      left: Math.max(GAP, left),
      top: Math.max(GAP, top),
      right: Math.min(innerWidth, right) - GAP,
      bottom: Math.min(innerHeight, bottom) - GAP,
    };
    const at = beside(cell.getBoundingClientRect(), room, of.ratio);
    for (const [name, value] of Object.entries(at)) element.style.setProperty(name, `${value}px`);
    const small = cell.querySelector('img')?.currentSrc;
    image.style.backgroundImage = small ? `url("${small}")` : '';
    image.src = api.resultView(of.result, screenPixels(at.width, devicePixelRatio));
    element.showPopover();
    seen = true;
  }

  function hide() {
    clearTimeout(timer);
    if (shown()) element.hidePopover();
  }

  /** @param {HTMLElement} cell */
  function wait(cell) {
    clearTimeout(timer);
    // From one picture to the next there is nothing to wait for.
    if (shown()) show(cell);
    else timer = setTimeout(() => show(cell), REST);
  }

  function letGo() {
    held = null;
    hide();
  }

  root.addEventListener('pointerover', (event) => {
    const cell = event.pointerType === 'touch' ? null : cellOf(event.target);
    if (cell === over || held) return;
    over = cell;
    if (cell) wait(cell);
    else hide();
  });
  root.addEventListener('pointerleave', () => {
    over = null;
    if (!held) hide();
  });
  // Who clicks or scrolls wants something else.
  for (const name of ['pointerdown', 'scroll', 'wheel'])
    root.addEventListener(name, hide, { capture: true, passive: true });

  root.addEventListener('keydown', (event) => {
    const cell = cellOf(event.target);
    if (event.key !== ' ' || !cell || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); // the button's own click comes when the key is let go
    if (event.repeat) return;
    held = cell;
    seen = false;
    wait(cell);
  });
  root.addEventListener('keyup', (event) => {
    if (event.key !== ' ' || !held) return;
    event.preventDefault();
    const cell = held;
    letGo();
    if (!seen) cell.click();
  });
  root.addEventListener('focusin', ({ target }) => {
    const cell = cellOf(target);
    if (!held || cell === held) return;
    held = cell;
    if (cell) wait(cell);
    else hide();
  });
  root.addEventListener('focusout', ({ relatedTarget }) => {
    if (held && !root.contains(/** @type {Node | null} */ (relatedTarget))) letGo();
  });
  addEventListener('blur', letGo);

  return {
    element,
    hide,
    /** Hide what is shown. @returns {boolean} whether something was shown */
    dismiss() {
      const there = shown();
      hide();
      return there;
    },
  };
}
