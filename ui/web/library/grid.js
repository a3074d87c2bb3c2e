// The grid in the document. It is drawn by hand: rows come and go with every frame, and their elements are used again.

import { HEADING, layoutOf, moved, placeAt, revealed, rowOf, rowsIn, tiles } from './layout.js';
import { elementHeight, scrolled, spotOf } from './scroll.js';

/** @import { Result } from '../types.js' */
/** @import { Group } from './blocks.js' */
/** @import { Layout, Row } from './layout.js' */
/** @import { Spot } from './scroll.js' */

/** Views above and below what is seen in which rows stand already. */
const AHEAD = 0.75;
/** A frame that moves by more than this share of the view is too fast to see pictures in. */
const FAST = 1 / 5;
/** Milliseconds without such a frame after which pictures are fetched again. */
const CALM = 90;

/**
 * What the grid asks and tells.
 * @typedef {object} GridParts
 * @property {(place: number) => Result | null} at the result at a place of the list; null where it is not here yet
 * @property {(result: Result) => string} name
 * @property {(result: Result) => string} why a picture is missing
 * @property {(id: number, width: number) => string} view address of a picture
 * @property {(group: Group) => string} heading
 * @property {(id: number) => boolean} selected
 * @property {() => number | null} current the id of the picture whose details are open
 * @property {(from: number, to: number) => void} need tells which places are looked at
 * @property {string} waiting what a tile is called before its picture is here
 * @property {string} label of the grid
 */

/** @typedef {HTMLElement & { place: number, shown: Result | null, image: HTMLImageElement, why: HTMLElement, src: string }} Cell */
/** @typedef {HTMLElement & { cells: Cell[], heading: HTMLElement | null, row: Row | null }} RowElement */

export class Grid {
  /** @param {GridParts} parts */
  constructor(parts) {
    this.parts = parts;
    this.scroller = document.createElement('div');
    this.scroller.className = 'lib-scroll';
    this.body = document.createElement('div');
    this.body.className = 'lib-grid';
    this.body.setAttribute('role', 'grid');
    this.body.setAttribute('aria-multiselectable', 'true');
    this.body.setAttribute('aria-label', parts.label);
    this.scroller.append(this.body);
    /** The day of what is seen first; the heading itself has gone by. */
    this.now = document.createElement('div');
    this.now.className = 'lib-now';
    this.now.setAttribute('aria-hidden', 'true');
    this.now.hidden = true;
    /** @type {Layout} */
    this.layout = layoutOf([], { columns: 1, tile: 1 });
    /** @type {Spot} */
    this.spot = { top: 0, scroll: 0 };
    this.view = 1;
    this.width = 1;
    this.wanted = 176;
    this.total = 0;
    /** The place that has the grid's Tab stop. */
    this.focused = 0;
    /** @type {Group[]} */
    this.groups = [];
    /** By their number. @type {Map<number, RowElement>} */
    this.rows = new Map();
    /** @type {RowElement[]} */
    this.spare = [];
    this.planned = false;
    this.fast = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.calm = undefined;
    this.scroller.addEventListener('scroll', () => this.#plan(), { passive: true });
    this.scroller.addEventListener('scrollend', () => this.#settle());
    this.body.addEventListener('load', (event) => this.#loaded(event), true);
    this.body.addEventListener('focusin', (event) => {
      const cell = this.cellOf(event.target);
      if (cell && cell.place !== this.focused) this.#stop(cell.place);
    });
    new ResizeObserver(() => this.resize()).observe(this.scroller);
  }

  // ---- what is shown -----------------------------------------------------------------------------------

  /**
   * Show another list, or the same after something came or went.
   * @param {Group[]} groups
   * @param {{ place: number, offset: number } | null} anchor the place that stays where it is: so many pixels below the
   *   view's top; null for the list's beginning
   */
  set(groups, anchor) {
    this.groups = groups;
    const last = groups[groups.length - 1];
    this.total = last ? last.start + last.count : 0;
    this.focused = Math.max(0, Math.min(this.focused, this.total - 1));
    this.#arrange(anchor);
  }

  /** @param {number} wanted pixels that a tile is about as wide as */
  resizeTiles(wanted) {
    const anchor = this.anchor();
    this.wanted = wanted;
    this.#arrange(anchor);
  }

  /** Take the size that the window leaves. */
  resize() {
    const { clientWidth: width, clientHeight: view } = this.scroller;
    if (width === 0 || (width === this.width && view === this.view)) return;
    const anchor = this.anchor();
    this.width = width;
    this.view = view;
    this.#arrange(anchor);
  }

  /**
   * Return what is to stay where it is when all is laid out again: the focused picture where it is in view, else the
   * first one there.
   * @returns {{ place: number, offset: number } | null}
   */
  anchor() {
    if (this.total === 0 || this.spot.top === 0) return null;
    const focused = rowOf(this.layout, this.focused);
    const inView = focused && focused.top >= this.spot.top && focused.top < this.spot.top + this.view;
    const place = inView ? this.focused : placeAt(this.layout, this.spot.top);
    const row = rowOf(this.layout, place);
    return row && { place, offset: row.top - this.spot.top };
  }

  /** @param {{ place: number, offset: number } | null} anchor */
  #arrange(anchor) {
    // The window's own scrollbar is beside the tiles; 2 pixels at each side are the focus ring's.
    this.layout = layoutOf(this.groups, tiles(this.width - 4, this.wanted));
    const { columns, tile, total } = this.layout;
    this.body.style.setProperty('--tile', `${tile}px`);
    this.body.setAttribute('aria-rowcount', String(total));
    this.body.setAttribute('aria-colcount', String(columns));
    this.body.style.height = `${elementHeight(this.#extent)}px`;
    const had = this.hasFocus;
    for (const element of this.rows.values()) this.#release(element);
    this.rows.clear();
    const row = anchor && rowOf(this.layout, Math.min(anchor.place, this.total - 1));
    // Of smaller tiles, one that was cut by the upper edge would be gone.
    this.#go(anchor && row ? row.top - Math.max(anchor.offset, -tile / 2) : 0);
    this.draw();
    if (had) this.cellAt(this.focused)?.focus({ preventScroll: true });
  }

  get #extent() {
    return { height: this.layout.height, view: this.view };
  }

  /** @param {number} top of the whole, that is to be seen first */
  #go(top) {
    this.spot = spotOf(top, this.#extent);
    this.scroller.scrollTop = this.spot.scroll;
    // A browser may round, and may not go as far.
    this.spot = { top: this.spot.top, scroll: this.scroller.scrollTop };
  }

  /** @param {number} top */
  scrollTo(top) {
    this.#go(top);
    this.draw();
  }

  // ---- drawing -----------------------------------------------------------------------------------------

  #plan() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.#moved();
    });
  }

  #moved() {
    const { scrollTop } = this.scroller;
    const before = this.spot;
    if (scrollTop === before.scroll) return;
    this.spot = scrolled(before, scrollTop, this.#extent);
    if (this.spot.scroll !== scrollTop) this.scroller.scrollTop = this.spot.scroll;
    this.fast = Math.abs(this.spot.top - before.top) > this.view * FAST;
    clearTimeout(this.calm);
    if (this.fast) this.calm = setTimeout(() => this.#settle(), CALM);
    this.draw();
  }

  /** Fetch what was left out while it went too fast. */
  #settle() {
    clearTimeout(this.calm);
    const wanted = spotOf(this.spot.top, this.#extent);
    const off = Math.abs(wanted.scroll - this.spot.scroll) > 1;
    if (!this.fast && !off) return;
    this.fast = false;
    if (off) this.#go(this.spot.top);
    this.draw();
  }

  /** Put the rows that are in view, or nearly, into their places. */
  draw() {
    const { layout, spot, view } = this;
    if (this.width <= 1) return; // not shown
    const ahead = view * AHEAD;
    const rows = rowsIn(layout, spot.top - ahead, spot.top + view + ahead);
    // The row with the focus stays, or the focus would be lost.
    const own = rowOf(layout, this.focused);
    const far = own !== null && !rows.some(({ number }) => number === own.number);
    if (far) {
      if (own.number < (rows[0]?.number ?? 0)) rows.unshift(own);
      else rows.push(own);
    }
    const kept = new Set(rows.map(({ number }) => number));
    for (const [number, element] of this.rows) {
      if (kept.has(number)) continue;
      this.rows.delete(number);
      this.#release(element);
    }
    if (!this.fast) this.#tell(far ? rows.filter((row) => row !== own) : rows);
    this.#name(rows);
    const shift = spot.scroll - spot.top;
    const seen = (/** @type {Row} */ row) => row.top < spot.top + view && row.top + layout.tile > spot.top;
    // What is seen asks for its pictures first.
    this.#place(rows);
    for (const row of [...rows.filter(seen), ...rows.filter((each) => !seen(each))]) this.#put(row, shift);
  }

  /** Say which day is seen first, where its heading has gone by. @param {Row[]} rows */
  #name(rows) {
    const first = rows.find((row) => row.top + (row.heading ? 0 : this.layout.tile) > this.spot.top);
    const hidden = !first || first.heading || first.group.day === null;
    this.now.hidden = hidden;
    const words = hidden ? '' : this.parts.heading(first.group);
    if (this.now.textContent !== words) this.now.textContent = words;
  }

  /** Give each row an element, in the order of the list: a screen reader reads them in that of the document. @param {Row[]} rows */
  #place(rows) {
    /** @type {RowElement | null} */
    let below = null;
    for (let at = rows.length - 1; at >= 0; at -= 1) {
      const { number } = /** @type {Row} */ (rows[at]);
      let element = this.rows.get(number);
      if (!element) {
        element = this.spare.pop() ?? this.#newRow();
        element.hidden = false;
        element.setAttribute('aria-rowindex', String(number + 1));
        this.rows.set(number, element);
        if (!element.isConnected || element.nextSibling !== below) this.body.insertBefore(element, below);
      }
      below = element;
    }
  }

  /** Tell which part of the list is looked at. @param {Row[]} rows */
  #tell(rows) {
    const near = rows.filter((row) => !row.heading);
    const first = near[0];
    const last = near[near.length - 1];
    if (first && last) this.parts.need(first.start, last.start + last.count - 1);
  }

  /**
   * @param {Row} row
   * @param {number} shift pixels from its place in the whole to that in the element
   */
  #put(row, shift) {
    const element = /** @type {RowElement} */ (this.rows.get(row.number));
    element.row = row;
    const transform = `translateY(${row.top + shift}px)`;
    if (element.style.transform !== transform) element.style.transform = transform;
    if (row.heading) this.#fillHeading(element, row);
    else this.#fill(element, row);
  }

  /** @returns {RowElement} */
  #newRow() {
    const element = /** @type {RowElement} */ (/** @type {unknown} */ (document.createElement('div')));
    element.setAttribute('role', 'row');
    element.className = 'lib-row';
    element.cells = [];
    element.heading = null;
    element.row = null;
    return element;
  }

  /** @param {RowElement} element @param {Row} row */
  #fillHeading(element, row) {
    if (!element.heading) {
      for (const cell of element.cells) this.#empty(cell);
      element.heading = document.createElement('div');
      element.heading.setAttribute('role', 'rowheader');
      element.classList.add('lib-day');
      element.prepend(element.heading);
    }
    element.heading.setAttribute('aria-colspan', String(this.layout.columns));
    const words = this.parts.heading(row.group);
    if (element.heading.textContent !== words) element.heading.textContent = words;
  }

  /** @param {RowElement} element @param {Row} row */
  #fill(element, row) {
    if (element.heading) {
      element.heading.remove();
      element.heading = null;
      element.classList.remove('lib-day');
    }
    while (element.cells.length < row.count) {
      const cell = this.#newCell(element.cells.length);
      element.cells.push(cell);
      element.append(cell);
    }
    element.cells.forEach((cell, column) => {
      if (column < row.count) this.#show(cell, row.start + column);
      else this.#empty(cell);
    });
  }

  /** @param {number} column @returns {Cell} */
  #newCell(column) {
    const cell = /** @type {Cell} */ (/** @type {unknown} */ (document.createElement('div')));
    cell.className = 'lib-cell';
    cell.setAttribute('role', 'gridcell');
    cell.setAttribute('aria-colindex', String(column + 1));
    cell.tabIndex = -1;
    cell.image = document.createElement('img');
    cell.image.alt = '';
    cell.image.decoding = 'async';
    cell.image.draggable = false;
    cell.why = document.createElement('span');
    const check = document.createElement('span');
    check.className = 'lib-check';
    cell.append(cell.image, cell.why, check);
    cell.place = -1;
    cell.shown = null;
    cell.src = '';
    return cell;
  }

  /** @param {Cell} cell @param {number} place */
  #show(cell, place) {
    const result = this.parts.at(place);
    if (cell.place !== place || cell.shown !== result) {
      if (cell.place === -1) cell.hidden = false;
      cell.place = place;
      cell.tabIndex = place === this.focused ? 0 : -1;
      if (cell.shown?.id !== result?.id) this.#unload(cell);
      cell.shown = result;
      const name = result ? this.parts.name(result) : this.parts.waiting;
      cell.setAttribute('aria-label', name);
      cell.title = result ? name : '';
      cell.classList.toggle('starred', result?.star === true);
      cell.classList.toggle('failed', result !== null && result.image === null);
      cell.why.textContent = result && !result.image ? this.parts.why(result) : '';
      this.#mark(cell);
    }
    if (result?.image && !cell.src && !this.fast) {
      cell.src = this.parts.view(result.id, this.layout.tile * devicePixelRatio);
      cell.image.src = cell.src;
    }
  }

  /** @param {Cell} cell */
  #mark(cell) {
    const on = cell.shown !== null && this.parts.selected(cell.shown.id);
    const said = String(on);
    if (cell.getAttribute('aria-selected') !== said) cell.setAttribute('aria-selected', said);
    cell.classList.toggle('current', cell.shown !== null && cell.shown.id === this.parts.current());
  }

  /** Take a picture away; one that was still on its way is not waited for. @param {Cell} cell */
  #unload(cell) {
    if (!cell.src) return;
    cell.image.removeAttribute('src');
    cell.classList.remove('ready');
    cell.src = '';
  }

  /** @param {Cell} cell */
  #empty(cell) {
    if (cell.place === -1 && cell.hidden) return;
    this.#unload(cell);
    cell.place = -1;
    cell.shown = null;
    cell.tabIndex = -1;
    cell.hidden = true;
  }

  /** @param {RowElement} element */
  #release(element) {
    for (const cell of element.cells) this.#unload(cell);
    for (const cell of element.cells) {
      cell.shown = null;
      cell.place = cell.hidden ? -1 : -2; // whatever it shows next is another
    }
    element.row = null;
    // It stays in the document: to take it out and in again costs more than to hide it.
    element.hidden = true;
    this.spare.push(element);
  }

  /** @param {Event} event */
  #loaded(event) {
    const cell = this.cellOf(event.target);
    if (cell?.src) cell.classList.add('ready');
  }

  /** Draw what has changed of the selection, and which picture is open. */
  mark() {
    for (const { cells } of this.rows.values()) for (const cell of cells) if (cell.place >= 0) this.#mark(cell);
  }

  // ---- the focus ---------------------------------------------------------------------------------------

  /**
   * @param {EventTarget | null} target
   * @returns {Cell | null}
   */
  cellOf(target) {
    const cell = /** @type {Cell | null} */ (/** @type {Element | null} */ (target)?.closest?.('.lib-cell') ?? null);
    return cell && cell.place >= 0 ? cell : null;
  }

  /** @param {number} place @returns {Cell | null} */
  cellAt(place) {
    for (const { row, cells } of this.rows.values()) {
      if (row && !row.heading && place >= row.start && place < row.start + row.count)
        return cells[place - row.start] ?? null;
    }
    return null;
  }

  get hasFocus() {
    return this.body.contains(document.activeElement);
  }

  /** Give a place the grid's Tab stop. @param {number} place */
  #stop(place) {
    const before = this.cellAt(this.focused);
    if (before) before.tabIndex = -1;
    this.focused = place;
    const cell = this.cellAt(place);
    if (cell) cell.tabIndex = 0;
  }

  /**
   * Move the focus to a place, and that into view.
   * @param {number} place
   * @param {{ take?: boolean }} [how] whether the document's focus comes along
   */
  focus(place, { take = true } = {}) {
    const within = Math.max(0, Math.min(place, this.total - 1));
    if (within !== this.focused) this.#stop(within);
    this.reveal(within);
    if (take) this.cellAt(within)?.focus({ preventScroll: true });
  }

  /** @param {number} place */
  reveal(place) {
    const row = rowOf(this.layout, place);
    if (!row) return;
    const top = revealed(row, this.layout.tile, this.spot.top, this.view - HEADING);
    if (top !== this.spot.top) this.#go(top);
    this.draw();
  }

  /**
   * @param {string} key
   * @returns {number | null} where it leads; null for another key
   */
  led(key) {
    return moved(this.layout, this.focused, key, this.view);
  }
}
