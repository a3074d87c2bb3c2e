// The full view: one picture as large as the screen, through the whole strip. Wheel and pinch zoom at the pointer,
// drag pans, a double click shows pixels at 100 %, Space held shows the reference, a swipe goes on, Back closes it.

import { singleKeys } from '../keys.js';
import { addSheet } from '../lib/sheet.js';
import { clamped, zoomedAt } from '../lib/zoom.js';
import { html, render } from '../vendor/lit.js';

/** @import { Words } from '../lib/i18n.js' */
/** @import { Zoom } from '../lib/zoom.js' */

/**
 * @typedef {object} Slide
 * @property {number} id
 * @property {boolean} picked whether it is one of those that are compared
 * @property {string} src
 * @property {string} alt
 * @property {string | null} reference address of what it was made of
 * @property {string} facts
 * @property {string} file
 * @property {string} filename
 * @property {number} width of the file, in pixels
 * @property {number} height
 */

await addSheet(new URL('../later/dialogs.css', import.meta.url));

/** Pixels of a sideways movement that count as a swipe. */
const SWIPE = 60;

export class FullView {
  /**
   * @param {Words} w
   * @param {{ step: (by: number) => void, leave: () => void, pick: (id: number) => void }} tell
   */
  constructor(w, tell) {
    this.w = w;
    this.tell = tell;
    /** @type {Slide | null} */
    this.slide = null;
    this.comparing = false;
    /** @type {Zoom} */
    this.zoom = { scale: 1, x: 0, y: 0 };
    /** @type {Map<number, { x: number, y: number }>} */
    this.pointers = new Map();
    /** @type {{ x: number, y: number } | null} */
    this.start = null;
    this.dialog = document.createElement('dialog');
    this.dialog.className = 'full';
    this.dialog.setAttribute('aria-label', w.say('stage-full-view'));
    document.body.append(this.dialog);
    this.dialog.addEventListener('close', () => this.tell.leave());
    this.dialog.addEventListener('keydown', (event) => this.#key(event));
    this.dialog.addEventListener('keyup', (event) => {
      if (event.key === ' ') this.#compare(false);
    });
  }

  get isOpen() {
    return this.dialog.open;
  }

  open() {
    this.#reset();
    if (!this.dialog.open) this.dialog.showModal();
    this.#draw();
  }

  /** @param {Slide | null} slide what the stage shows */
  show(slide) {
    if (slide?.src !== this.slide?.src) this.#reset();
    this.slide = slide;
    if (this.dialog.open) this.#draw();
  }

  #reset() {
    this.zoom = { scale: 1, x: 0, y: 0 };
    this.comparing = false;
  }

  /** @param {boolean} on */
  #compare(on) {
    if (this.comparing === on || !this.slide?.reference) return;
    this.comparing = on;
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'ArrowRight') this.tell.step(1);
    else if (event.key === 'ArrowLeft') this.tell.step(-1);
    else if (event.key === ' ') this.#compare(true);
    else if (event.key === '+' || event.key === '-') this.#zoomBy(event.key === '+' ? 1.25 : 0.8, null);
    else if (event.key === '0') this.#hundred(null);
    else if (event.key === 'c' && !event.ctrlKey && !event.metaKey && singleKeys()) this.#pick();
    else return;
    event.preventDefault();
  }

  #pick() {
    if (this.slide) this.tell.pick(this.slide.id);
  }

  get #box() {
    return /** @type {HTMLElement} */ (this.dialog.querySelector('.full-picture')).getBoundingClientRect();
  }

  /**
   * @param {number} factor
   * @param {{ x: number, y: number } | null} point on the screen; null for the middle
   */
  #zoomBy(factor, point) {
    const box = this.#box;
    const at = point ?? { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    const middle = { x: at.x - box.left - box.width / 2, y: at.y - box.top - box.height / 2 };
    this.zoom = clamped(zoomedAt(this.zoom, factor, middle), box);
    this.#place();
  }

  /** @param {{ x: number, y: number } | null} point */
  #hundred(point) {
    const { slide } = this;
    if (!slide) return;
    const box = this.#box;
    const fitting = Math.min(box.width / slide.width, box.height / slide.height, 1);
    this.#zoomBy(this.zoom.scale > 1 ? 1 / this.zoom.scale : 1 / fitting / this.zoom.scale / devicePixelRatio, point);
  }

  #place() {
    for (const image of this.dialog.querySelectorAll('img')) {
      image.style.transform = `translate(${this.zoom.x}px, ${this.zoom.y}px) scale(${this.zoom.scale})`;
    }
  }

  /** @param {PointerEvent} event */
  #down = (event) => {
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.start = { x: event.clientX, y: event.clientY };
  };

  /** @param {PointerEvent} event */
  #move = (event) => {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread =
        Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      this.#zoomBy(spread, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else if (this.zoom.scale > 1) {
      this.zoom = clamped(
        { ...this.zoom, x: this.zoom.x + now.x - before.x, y: this.zoom.y + now.y - before.y },
        this.#box,
      );
      this.#place();
    }
    this.pointers.set(event.pointerId, now);
  };

  /** @param {PointerEvent} event */
  #up = (event) => {
    const single = this.pointers.size === 1;
    this.pointers.delete(event.pointerId);
    const sideways = event.clientX - (this.start?.x ?? event.clientX);
    if (single && this.zoom.scale === 1 && Math.abs(sideways) > SWIPE) this.tell.step(sideways < 0 ? 1 : -1);
  };

  /** @param {WheelEvent} event */
  #wheel = (event) => {
    event.preventDefault();
    this.#zoomBy(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
  };

  #draw() {
    const { slide } = this;
    const { w } = this;
    if (!slide) return;
    render(
      html`<div class="full-bar">
          <span class="full-facts" dir="auto">${slide.facts}</span>
          <button type="button" aria-label=${w.say('stage-previous')} @click=${() => this.tell.step(-1)}>‹</button>
          <button type="button" aria-label=${w.say('stage-next')} @click=${() => this.tell.step(1)}>›</button>
          <button type="button" data-act="compare" aria-pressed=${String(slide.picked)} @click=${() => this.#pick()}>${w.say('ui-compare-tab')}</button>
          <a class="button" href=${slide.file} download=${slide.filename}>${w.say('stage-download')}</a>
          <button type="button" autofocus @click=${() => this.dialog.close()}>${w.say('ui-close')}</button>
        </div>
        <div class="full-picture" @wheel=${this.#wheel} @pointerdown=${this.#down} @pointermove=${this.#move} @pointerup=${this.#up} @pointercancel=${this.#up}
          @dblclick=${(/** @type {MouseEvent} */ event) => this.#hundred({ x: event.clientX, y: event.clientY })}>
          <img src=${this.comparing && slide.reference ? slide.reference : slide.src} alt=${slide.alt} draggable="false" />
        </div>`,
      this.dialog,
    );
    this.#place();
  }
}
