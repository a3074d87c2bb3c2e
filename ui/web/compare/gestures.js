// Wheel, pinch, drag and double click on the frames, as changes of the zoom; and where the pointer is, for the loupe.

/** @import { Point } from './zoom.js' */

/** Of a wheel's pixels, and of those of a pinch on a touchpad, that enlarge by e. */
const WHEEL = 400;
const PINCH = 100;

/**
 * @typedef {object} Moves
 * @property {(factor: number, point: Point) => void} zoom at a point from the middle of its frame
 * @property {(x: number, y: number) => void} pan
 * @property {(point: Point) => void} toggle between fit and 1:1
 * @property {(point: Point | null) => void} over where the pointer is
 * @property {() => boolean} mayPan whether one finger pans
 */

/**
 * @param {HTMLElement} stage
 * @param {Moves} moves
 */
export function startGestures(stage, moves) {
  /** @type {Map<number, Point>} */
  const pointers = new Map();
  /** The frame in which a gesture has begun. @type {Element | null} */
  let frame = null;

  /** @param {{ target: EventTarget | null }} event */
  const frameOf = ({ target }) => {
    const element = /** @type {Element} */ (target);
    return element.closest('button, input') ? null : element.closest('.cmp-frame');
  };

  /** @param {Point} at on the screen @param {Element} of */
  const fromMiddle = (at, of) => {
    const box = of.getBoundingClientRect();
    return { x: at.x - box.left - box.width / 2, y: at.y - box.top - box.height / 2 };
  };

  stage.addEventListener(
    'wheel',
    (event) => {
      const over = frameOf(event);
      if (!over) return;
      event.preventDefault();
      const pixels = event.deltaMode === 1 ? event.deltaY * 32 : event.deltaY;
      moves.zoom(Math.exp(-pixels / (event.ctrlKey ? PINCH : WHEEL)), fromMiddle(event, over));
    },
    { passive: false },
  );
  stage.addEventListener('pointerdown', (event) => {
    const over = frameOf(event);
    if (!over || event.button !== 0) return;
    frame = over;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    // A finger that scrolls stays the browser's.
    if (event.pointerType !== 'touch' || moves.mayPan() || pointers.size > 1) over.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    const now = { x: event.clientX, y: event.clientY };
    const over = frame ?? frameOf(event);
    moves.over(over && fromMiddle(now, over));
    const before = pointers.get(event.pointerId);
    if (!before || !frame) return;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      const factor = Math.hypot(now.x - other.x, now.y - other.y) / spread;
      moves.zoom(factor, fromMiddle({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }, frame));
      moves.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    } else if (moves.mayPan()) moves.pan(now.x - before.x, now.y - before.y);
    pointers.set(event.pointerId, now);
  });
  for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    stage.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      if (!pointers.size) frame = null;
    });
  }
  stage.addEventListener('pointerleave', () => moves.over(null));
  stage.addEventListener('dblclick', (event) => {
    const over = frameOf(event);
    if (over) moves.toggle(fromMiddle(event, over));
  });
}

/** Pixels after which a press has become a drag. */
const DRAG = 6;

/**
 * Let pictures be dragged by their letters to other places.
 * @param {HTMLElement} stage
 * @param {(from: number, to: number) => void} move
 */
export function startDragging(stage, move) {
  stage.addEventListener('pointerdown', (event) => {
    const handle = /** @type {HTMLElement} */ (event.target).closest('.cmp-handle');
    const cell = /** @type {HTMLElement | null} */ (handle?.closest('[data-at]') ?? null);
    if (!cell || !handle || event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const start = { x: event.clientX, y: event.clientY };
    /** @type {HTMLElement | null} */
    let over = null;

    /** @param {HTMLElement | null} next */
    const target = (next) => {
      over?.classList.remove('target');
      over = next === cell ? null : next;
      over?.classList.add('target');
    };
    /** @param {PointerEvent} now */
    const dragged = (now) => {
      const [x, y] = [now.clientX - start.x, now.clientY - start.y];
      if (!cell.classList.contains('dragged') && Math.hypot(x, y) < DRAG) return;
      cell.classList.add('dragged');
      cell.style.transform = `translate(${x}px, ${y}px)`;
      const under = document.elementsFromPoint(now.clientX, now.clientY);
      const cells = under.map((each) => /** @type {HTMLElement | null} */ (each.closest('.cmp-cell[data-at]')));
      target(cells.find((each) => each && each !== cell) ?? null);
    };
    /** @param {PointerEvent | KeyboardEvent} last */
    const ended = (last) => {
      if (last instanceof KeyboardEvent && last.key !== 'Escape') return;
      const to = last.type === 'pointerup' ? over?.dataset.at : undefined;
      target(null);
      cell.classList.remove('dragged');
      cell.style.transform = '';
      stop.abort();
      if (to !== undefined) move(Number(cell.dataset.at), Number(to));
    };
    const stop = new AbortController();
    const { signal } = stop;
    addEventListener('pointermove', dragged, { signal });
    for (const name of /** @type {const} */ (['pointerup', 'pointercancel', 'keydown']))
      addEventListener(name, ended, { signal });
  });
}
