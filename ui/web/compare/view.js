// What is compared, how it is shown, and what keys do. Zoom and pan write the pictures' transforms alone, once a frame;
// nothing is drawn again for them.

import { isTyping, singleKeys } from '../keys.js';
import { ApiError } from '../lib/api.js';
import { size } from '../lib/format.js';
import { fit, isUpright, ratioOf } from '../lib/layout.js';
import { message } from '../lib/message.js';
import { backendNamed } from '../lib/select.js';
import { figures, nameOf, stylesOf } from '../library/describe.js';
import { errorOf } from '../reading.js';
import { render } from '../vendor/lit.js';
import { FIRST, read, written } from './address.js';
import { bar, few } from './bars.js';
import { heatOf, repaint } from './difference.js';
import { frames } from './frames.js';
import { startDragging, startGestures } from './gestures.js';
import { comparable, framesIn, LEAST, letterOf, MOST, moved, nextPair, pairIn, REFERENCE, swapped } from './order.js';
import { createPictures } from './pictures.js';
import { differences } from './recipe.js';
import { table } from './table.js';
import { actualScale, carriedOver, FITTED, held, isDeep, limitsOf, percentOf, scaledTo, underLoupe } from './zoom.js';

/** @import { Place } from '../lib/address.js' */
/** @import { Update } from '../lib/events.js' */
/** @import { Size } from '../lib/layout.js' */
/** @import { Message, Result } from '../types.js' */
/** @import { How } from './address.js' */
/** @import { Comparison, ComparisonParts } from './compare.js' */
/** @import { Heat } from './difference.js' */
/** @import { Entry } from './frames.js' */
/** @import { Pair } from './order.js' */
/** @import { Zoom } from './zoom.js' */

/** Pixels between frames, of what stands under each, and of its buttons where fingers are. */
const GAP = 8;
const CAPTION = 32;
const CAPTION_TOUCH = 48;
/** Pixels that an arrow key pans. */
const STEP = 64;
/** Pixels of the loupe, and how much it enlarges. */
const LOUPE = 168;
const LOUPE_MORE = 4;
/** Milliseconds after which the zoom counts as chosen, and is said. */
const SETTLED = 250;
/** Windows that are narrower have one column; pixels of the bars over it. */
const NARROW = 700;
const BARS = 200;
/** Pictures that are offered to be added. */
const LATEST = 24;

/**
 * @param {ComparisonParts} parts
 * @param {HTMLElement} mount
 * @returns {Comparison}
 */
export function openComparison(parts, mount) {
  const { api, words: w, router, state, dispatch, enter } = parts;
  const dates = new Intl.DateTimeFormat(w.language, { dateStyle: 'medium', timeStyle: 'short' });
  const pictures = createPictures(changed);
  /** @type {Map<number, Result>} */
  const results = new Map();
  /** Those that are asked for. @type {Set<number>} */
  const asked = new Set();
  /** @type {number[]} */
  let ids = [];
  /** @type {How} */
  let how = FIRST;
  let shown = false;
  let active = 0; // id of the picture that keys act on
  /** @type {Message | null} */
  let notice = null;
  /** @type {Message | null} */
  let problem = null;
  let split = 50;
  let peek = false;
  let loupe = { toggled: false, held: false };
  /** Where the loupe is, from the middle of a frame. */
  let pointer = { x: 0, y: 0 };
  /** @type {Heat | null} */
  let heat = null;
  /** What the heat map is of. */
  let heated = '';
  let heating = new AbortController();
  /** The end of the heat map's scale; null for one that fits. @type {number | null} */
  let scale = null;
  /** @type {Zoom} */
  let zoom = FITTED;
  /** How the frames are, and what fits into them. @type {{ frame: Size, fitted: Size, actual: number } | null} */
  let laid = null;
  /**
   * What the zoom is written to, and what was written.
   * @type {{ pictures: HTMLElement[], lines: HTMLElement[], place: Element | null, percent: number, loupe: boolean }}
   */
  let drawn = { pictures: [], lines: [], place: null, percent: Number.NaN, loupe: false };
  let planned = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;

  const root = element('section', 'cmp');
  const bars = element('div', 'cmp-head');
  const stage = element('div', 'cmp-stage');
  const facts = element('section', 'cmp-facts');
  const said = element('div', 'visually-hidden');
  root.setAttribute('aria-label', w.say('ui-compare-tab'));
  facts.setAttribute('aria-label', w.say('compare-settings'));
  facts.tabIndex = 0; // it scrolls
  said.setAttribute('role', 'status');
  stage.dataset.keys = '1'; // 1:1 while the focus is here, and elsewhere the mode
  root.append(bars, stage, facts, said);
  mount.replaceChildren(root);
  new ResizeObserver(() => draw()).observe(stage);
  startGestures(stage, {
    zoom: (factor, point) => zoomTo(zoom.scale * factor, point),
    pan: panBy,
    toggle: (point) => (zoom.scale === 1 ? zoomTo(laid?.actual ?? 1, point) : fitAll()),
    over: (point) => {
      if (point) pointer = point;
      if (magnifies()) plan();
    },
    mayPan: () => zoom.scale > 1,
  });
  startDragging(stage, (from, to) => reorder(moved(ids, from, to), ids[from]));
  stage.addEventListener('focusin', (event) => {
    const cell = /** @type {HTMLElement} */ (event.target).closest('[data-id]');
    if (cell instanceof HTMLElement && cell.dataset.id) active = Number(cell.dataset.id);
  });
  root.addEventListener('keydown', pressed);
  document.addEventListener('keydown', (event) => {
    const at = document.activeElement;
    if (shown && (at === document.body || at?.id === 'compare-tab')) pressed(event);
  });
  addEventListener('keyup', released);
  addEventListener('blur', () => release());
  return { lead, hear, draw: drawPage };

  // ---- where one is ------------------------------------------------------------------------------------

  /** @param {Place} place */
  function lead(place) {
    const was = shown;
    shown = place.mode === 'compare';
    if (!shown) {
      release();
      return;
    }
    const wanted = comparable(place.picked);
    ids = wanted.length ? wanted : comparable(state().draft.picked);
    if (place.how !== null || was) how = read(place.how);
    if (!was) zoom = FITTED;
    keepPlace();
    void fetchAll();
    draw();
  }

  /** Put what is compared into the address, and into the draft. */
  function keepPlace() {
    router.replace({ picked: ids, how: written(how) });
    const { picked } = state().draft;
    if (picked.join() !== ids.join()) dispatch({ type: 'edit', values: { picked: ids } });
  }

  /** @param {Partial<How>} change */
  function look(change) {
    how = { ...how, ...change };
    peek = false;
    keepPlace();
    draw();
  }

  // ---- the pictures ------------------------------------------------------------------------------------

  async function fetchAll() {
    const wanted = ids.filter((id) => !results.has(id) && !asked.has(id));
    for (const each of state().results) if (each.image && wanted.includes(each.id)) results.set(each.id, each);
    const missing = wanted.filter((id) => !results.has(id));
    for (const id of missing) asked.add(id);
    /** @type {number[]} */
    const gone = [];
    /** @type {number[]} */
    const empty = [];
    await Promise.all(
      missing.map(async (id) => {
        try {
          const result = await api.result(id);
          if (result.image) results.set(id, result);
          else empty.push(id);
        } catch (error) {
          if (error instanceof ApiError && error.status === 404) gone.push(id);
          else problem = errorOf(error);
        } finally {
          asked.delete(id);
        }
      }),
    );
    if (gone.length || empty.length) {
      notice = gone.length
        ? message('compare-gone', { count: gone.length })
        : message('compare-empty', { count: empty.length });
      set(ids.filter((id) => !gone.includes(id) && !empty.includes(id)));
    }
    draw();
  }

  /** @param {number[]} next */
  function set(next) {
    ids = next;
    if (shown) keepPlace();
    else dispatch({ type: 'edit', values: { picked: ids } });
    draw();
  }

  /** @param {number} id */
  function add(id) {
    if (ids.length >= MOST || ids.includes(id)) return;
    /** @type {HTMLElement} */ (document.getElementById('cmp-add')).hidePopover();
    set([...ids, id]);
    void fetchAll();
  }

  /** @param {number} id */
  function remove(id) {
    const at = ids.indexOf(id);
    if (at < 0) return;
    tell('compare-removed', { letter: letterOf(at) });
    set(ids.filter((each) => each !== id));
    focusOn(ids[Math.min(at, ids.length - 1)]);
  }

  /** @param {number[]} next @param {number | undefined} id that has moved */
  function reorder(next, id) {
    if (next.join() === ids.join() || id === undefined) return;
    set(next);
    focusOn(id);
    tell('compare-moved', { letter: letterOf(ids.indexOf(id)), name: label(id) });
  }

  /** @param {number} id */
  async function star(id) {
    const result = results.get(id);
    if (!result) return;
    try {
      /** @type {{ results: Result[] }} */
      const changes = await api.send('PATCH', 'results', { ids: [id], star: !result.star });
      dispatch({ type: 'change', change: { results: changes.results } });
      taken(changes.results);
    } catch (error) {
      problem = errorOf(error);
      draw();
    }
  }

  /** @param {readonly Result[]} next */
  function taken(next) {
    for (const each of next) if (results.has(each.id)) results.set(each.id, each);
    draw();
  }

  /** @param {Update} update */
  function hear(update) {
    if (update.kind === 'connection') return;
    const { results: next = [], deleted = [] } = update.kind === 'hello' ? update.hello : update.change;
    const gone = deleted.filter((id) => ids.includes(id) && !next.some((each) => each.id === id));
    for (const id of deleted) results.delete(id);
    if (gone.length) {
      notice = message('compare-gone', { count: gone.length });
      set(ids.filter((id) => !gone.includes(id)));
    }
    if (next.length) taken(next);
  }

  /** Entries of the pictures that are here, in their order. @returns {Entry[]} */
  function own() {
    return ids.flatMap((id, at) => {
      const result = results.get(id);
      if (!result?.image) return [];
      const letter = letterOf(at);
      const { width, height } = result.image;
      return {
        ...{ id, at, letter, result, label: label(id), name: nameOf(result, w), file: { width, height } },
        title: w.say('compare-title', { letter, label: label(id) }),
        src: api.resultFile(id),
        early: api.resultView(id, 512),
      };
    });
  }

  /** @param {Entry[]} pictures_ @returns {Entry | null} what the first picture was made of */
  function referenceOf([first]) {
    const reference = first?.result?.recipe.reference;
    if (!reference) return null;
    const { digest, width, height } = reference;
    const letter = w.say('ui-reference');
    return {
      ...{ id: REFERENCE, at: -1, letter, label: letter, title: letter, result: null, file: { width, height } },
      name: w.say('reference-alt', { width, height }),
      src: api.referenceFile(digest),
      early: api.referenceView(digest, 512),
    };
  }

  /** @param {number} id */
  function label(id) {
    const result = results.get(id);
    if (!result) return '';
    const styles = stylesOf(result, backendNamed(state(), result.backend)).join(', ');
    return `${styles || result.recipe.prompt.slice(0, 24)} ${String(result.recipe.params.strength ?? '')}`.trim();
  }

  // ---- the difference ----------------------------------------------------------------------------------

  /** Compute the heat map of a pair, where it is not there yet. @param {[Entry, Entry]} pair */
  async function warm([one, other]) {
    const wanted = `${one.src} ${other.src}`;
    const [first, second] = [pictures.get(one.src, one.early), pictures.get(other.src, other.early)];
    if (heated === wanted || first.state !== 'ready' || second.state !== 'ready') return;
    heating.abort();
    heating = new AbortController();
    heat = null;
    heated = wanted;
    const found = await heatOf(first.element, second.element, one.file, scale, heating.signal);
    if (!found || heated !== wanted) return;
    heat = found;
    draw();
  }

  /** @param {number | null} end */
  function rescale(end) {
    scale = end;
    if (heat) void repaint(heat, end ?? heat.fitting, heating.signal).then(plan);
    draw();
  }

  // ---- drawing -----------------------------------------------------------------------------------------

  /** A file has come, or is lost. */
  function changed() {
    draw();
  }

  /** The page has drawn: backends or results may have come. */
  function drawPage() {
    if (shown) draw();
  }

  function draw() {
    if (!shown) return;
    const all = own();
    const reference = referenceOf(all);
    const known = all.map(({ id }) => id);
    const pair = pairIn(known, how.pair, reference !== null);
    const entries = reference ? [reference, ...all] : all;
    const two = pair && /** @type {[Entry, Entry]} */ (pair.map((id) => entries.find((each) => each.id === id)));
    const waiting = ids.some((id) => !results.has(id)) && !problem;
    const enough = all.length >= LEAST || (all.length === 1 && reference !== null) || waiting;
    drawBar(entries, pair, reference !== null, enough);
    stage.classList.toggle('few', !enough);
    facts.hidden = !enough;
    if (!enough) {
      laid = null;
      const latest = state().results.filter((each) => each.image && !ids.includes(each.id));
      const more = latest.slice(0, LEAST - all.length).map(({ id }) => id);
      const act = {
        library: () => enter('library'),
        make: () => enter('make'),
        latest: () => {
          set([...ids, ...more.reverse()]);
          void fetchAll();
        },
      };
      render(few({ count: all.length, latest: more.length + all.length >= LEAST }, act, w), stage);
      return;
    }
    const beside = how.look === 'grid' || !two;
    const seen = beside ? entries.filter(({ id }) => id !== REFERENCE || how.reference) : two;
    pictures.keep(new Set(entries.map(({ src }) => src)));
    const single = innerWidth < NARROW;
    layOut(seen, beside, single);
    if (two && how.look === 'difference') void warm(two);
    render(
      frames(
        {
          look: two ? how.look : 'grid',
          entries: seen,
          pair: two,
          picture: ({ src, early }) => pictures.get(src, early),
          ...{ peek, split, heat, scale },
          scaled: two && sized(two),
        },
        {
          star: (id) => void star(id),
          remove,
          step,
          peek: () => {
            peek = !peek;
            draw();
          },
          split: (percent) => {
            split = percent;
            const cell = /** @type {HTMLElement} */ (stage.querySelector('.cmp-cell.two'));
            cell.style.setProperty('--split', `${percent}%`);
            /** @type {HTMLInputElement} */ (cell.querySelector('input')).value = String(percent);
          },
          scale: rescale,
        },
        w,
      ),
      stage,
    );
    drawFacts(all);
    drawn = {
      pictures: [...stage.querySelectorAll('.cmp-picture')].map((each) => /** @type {HTMLElement} */ (each)),
      lines: [...stage.querySelectorAll('.cmp-lines')].map((each) => /** @type {HTMLElement} */ (each)),
      place: bars.querySelector('.cmp-percent'),
      percent: Number.NaN,
      loupe: drawn.loupe,
    };
    apply();
  }

  /** @param {[Entry, Entry]} pair @returns {string | null} that the second one is scaled */
  function sized([one, other]) {
    if (one.file.width === other.file.width && one.file.height === other.file.height) return null;
    return w.say('compare-scaled', { letter: other.letter, other: one.letter, size: size(one.file) });
  }

  /**
   * Make frames of one size, and the pictures as large as fits.
   * @param {Entry[]} seen
   * @param {boolean} beside
   * @param {boolean} single
   */
  function layOut(seen, beside, single) {
    const line = isUpright({ width: innerWidth, height: innerHeight }) ? CAPTION_TOUCH : CAPTION;
    const caption = !beside && how.look === 'difference' ? 2 * line : line;
    const area = { width: stage.clientWidth, height: stage.clientHeight };
    const ratios = (beside ? seen : seen.slice(0, 1)).map(({ file }) => ratioOf(file));
    if (!area.width || (!single && !area.height) || !ratios.length) return;
    // On a phone one scrolls: what is seen at once is the window less the bars.
    const { columns, frame } = single
      ? framesIn({ ...area, height: innerHeight - BARS }, ratios, { gap: GAP, caption, single })
      : beside
        ? framesIn(area, ratios, { gap: GAP, caption, single })
        : { columns: 1, frame: { width: area.width, height: Math.max(1, area.height - caption) } };
    stage.style.setProperty('--columns', String(columns));
    stage.style.setProperty('--frame-width', `${frame.width}px`);
    stage.style.setProperty('--frame-height', `${frame.height}px`);
    stage.style.setProperty('--caption', `${caption}px`);
    const sizes = seen.map(({ file }) => fit(ratioOf(file), frame));
    seen.forEach(({ src, early }, at) => {
      const { style } = pictures.get(src, early).element;
      const { width, height } = /** @type {Size} */ (sizes[at]);
      style.width = `${width}px`;
      style.height = `${height}px`;
      style.margin = `${-height / 2}px 0 0 ${-width / 2}px`;
    });
    const main = seen.find(({ id }) => id !== REFERENCE) ?? seen[0];
    const fitted = sizes[main ? seen.indexOf(main) : 0];
    if (!main || !fitted) return;
    const actual = actualScale(main.file.width, fitted.width, devicePixelRatio);
    if (laid && laid.fitted.width !== fitted.width) zoom = carriedOver(zoom, laid.fitted.width, fitted.width);
    laid = { frame, fitted, actual };
    stage.style.setProperty('--fitted-width', `${fitted.width}px`);
    stage.style.setProperty('--fitted-height', `${fitted.height}px`);
    zoom = held(zoom, fitted, frame);
  }

  /** @param {Entry[]} entries @param {Pair | null} pair @param {boolean} reference @param {boolean} enough */
  function drawBar(entries, pair, reference, enough) {
    const latest = state()
      .results.filter((each) => each.image && !ids.includes(each.id))
      .slice(0, LATEST)
      .map((each) => ({ id: each.id, src: api.resultView(each.id, 256), name: nameOf(each, w) }));
    render(
      bar(
        {
          ...{ look: how.look, entries, pair, latest, notice, problem, enough, count: ids.length },
          reference: reference ? how.reference : null,
          loupe: loupe.toggled,
        },
        {
          look: (next) => look({ look: next }),
          pair: (next) => look({ pair: next }),
          reference: (on) => look({ reference: on }),
          zoom: (factor) => zoomTo(zoom.scale * factor),
          fit: fitAll,
          actual: () => zoomTo(laid?.actual ?? 1),
          loupe: () => magnify({ ...loupe, toggled: !loupe.toggled }),
          add,
          dismiss: () => {
            notice = null;
            draw();
            focusOn(ids[0]);
          },
          retry: () => {
            problem = null;
            pictures.retry();
            void fetchAll();
          },
        },
        w,
      ),
      bars,
    );
  }

  /** @param {Entry[]} all */
  function drawFacts(all) {
    const columns = all.map(({ result }) => {
      const of = /** @type {Result} */ (result);
      const { reference, prompt } = of.recipe;
      return [
        { key: 'prompt', label: w.say('ui-prompt'), value: prompt },
        ...figures(of, backendNamed(state(), of.backend), dates)
          .filter(({ key }) => key !== 'date' && key !== 'source' && key !== 'place')
          .map(({ key, label: of_, value }) => ({ key, label: w.say(of_), value: w.say(value) })),
        ...(reference
          ? [
              {
                key: 'reference',
                label: w.say('ui-reference'),
                value: `${w.say(size(reference))} ${reference.digest.slice(0, 6)}`,
              },
            ]
          : []),
      ];
    });
    render(table(differences(columns), all.length, w), facts);
  }

  // ---- zoom --------------------------------------------------------------------------------------------

  /** @param {number} wanted @param {{ x: number, y: number }} [point] from a frame's middle */
  function zoomTo(wanted, point = { x: 0, y: 0 }) {
    if (!laid) return;
    zoom = held(scaledTo(zoom, wanted, point, limitsOf(laid.actual)), laid.fitted, laid.frame);
    plan();
  }

  function fitAll() {
    zoom = FITTED;
    plan();
  }

  /** @param {number} x @param {number} y */
  function panBy(x, y) {
    if (!laid) return;
    zoom = held({ ...zoom, x: zoom.x + x, y: zoom.y + y }, laid.fitted, laid.frame);
    plan();
  }

  function plan() {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      apply();
    });
  }

  /** Write the zoom to all pictures. A variable of the stage would make the browser look at all that is in it. */
  function apply() {
    if (!laid) return;
    const { scale: by, x, y } = zoom;
    const view = `translate(${x}px, ${y}px) scale(${by})`;
    for (const each of drawn.pictures) each.style.transform = view;
    const deep = isDeep(zoom, laid.actual);
    stage.classList.toggle('deep', deep);
    stage.classList.toggle('zoomed', by > 1);
    if (deep) {
      for (const { style } of drawn.lines) {
        style.setProperty('--x', `${x}px`);
        style.setProperty('--y', `${y}px`);
        style.setProperty('--scale', String(by));
      }
    }
    const percent = percentOf(zoom, laid.actual);
    if (percent !== drawn.percent) {
      drawn.percent = percent;
      const words = w.say('compare-percent', { percent });
      if (drawn.place) drawn.place.textContent = words;
      clearTimeout(settling);
      settling = setTimeout(() => {
        said.textContent = words;
      }, SETTLED);
    }
    if (drawn.loupe || magnifies()) drawLoupe();
  }

  // ---- the loupe ---------------------------------------------------------------------------------------

  function magnifies() {
    return loupe.toggled || loupe.held;
  }

  /** @param {typeof loupe} next */
  function magnify(next) {
    loupe = next;
    draw();
    plan();
  }

  /** Show in each frame what is at the same place of it, enlarged. */
  function drawLoupe() {
    const on = magnifies() && laid !== null;
    drawn.loupe = on;
    for (const lens of /** @type {NodeListOf<HTMLCanvasElement>} */ (stage.querySelectorAll('.cmp-lens'))) {
      lens.hidden = !on;
      if (on) drawLens(lens);
    }
  }

  /** @param {HTMLCanvasElement} lens */
  function drawLens(lens) {
    const { frame } = /** @type {NonNullable<typeof laid>} */ (laid);
    const box = /** @type {HTMLElement} */ (lens.parentElement);
    const source = underPointer(box, frame);
    if (!source) return;
    const side = Math.min(LOUPE, frame.width * 0.7, frame.height * 0.7);
    const pixels = Math.round(side * devicePixelRatio);
    if (lens.width !== pixels) {
      lens.width = pixels;
      lens.height = pixels;
    }
    lens.style.width = `${side}px`;
    lens.style.height = `${side}px`;
    lens.style.transform = `translate(${pointer.x - side / 2}px, ${pointer.y - side / 2}px)`;
    const file =
      source instanceof HTMLImageElement
        ? { width: source.naturalWidth, height: source.naturalHeight }
        : { width: source.width, height: source.height };
    if (!file.width) return;
    const part = underLoupe(zoom, pointer, side, LOUPE_MORE, { file, fitted: fit(ratioOf(file), frame) });
    const context = /** @type {CanvasRenderingContext2D} */ (lens.getContext('2d'));
    context.clearRect(0, 0, pixels, pixels);
    context.imageSmoothingEnabled = part.width > pixels / 2;
    context.drawImage(source, part.x, part.y, part.width, part.height, 0, 0, pixels, pixels);
  }

  /**
   * Return what is seen in a frame under the pointer.
   * @param {HTMLElement} box
   * @param {Size} frame
   * @returns {HTMLImageElement | HTMLCanvasElement | null}
   */
  function underPointer(box, frame) {
    const layers = /** @type {HTMLElement[]} */ ([...box.querySelectorAll('.cmp-layer')]).filter(
      (each) => !each.hidden,
    );
    const left = (pointer.x / frame.width + 0.5) * 100 < split;
    const top = how.look === 'slide' && left ? layers[0] : layers[layers.length - 1];
    return (top ?? box).querySelector('.cmp-picture');
  }

  // ---- keys --------------------------------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.defaultPrevented || isTyping(event.target) || !laid) return;
    if (acts(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was one of these */
  function acts(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const { key } = event;
    if (event.altKey) {
      const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
      if (!digit || event.ctrlKey || event.metaKey) return false;
      const id = ids.includes(active) ? active : ids[0];
      reorder(swapped(ids, id === undefined ? 0 : ids.indexOf(id), Number(digit) - 1), id);
      return true;
    }
    if (event.ctrlKey || event.metaKey) return false;
    if (key === ' ') return peeks(target, event.repeat);
    if (key === 'Escape' && (magnifies() || peek)) {
      peek = false;
      magnify({ toggled: false, held: false });
      return true;
    }
    if (key.startsWith('Arrow')) return arrow(event, target);
    if (key === 'Delete' || key === 'Backspace') {
      if (!target.closest('[data-at]')) return false;
      remove(active);
      return true;
    }
    if (!singleKeys()) return false;
    /** @type {{ [key: string]: () => void }} */
    const does = {
      '+': () => zoomTo(zoom.scale * 1.25),
      '=': () => zoomTo(zoom.scale * 1.25),
      '-': () => zoomTo(zoom.scale * 0.8),
      0: fitAll,
      1: () => zoomTo(laid?.actual ?? 1),
      z: () => {
        if (!event.repeat) magnify({ ...loupe, held: true });
      },
      s: () => void star(ids.includes(active) ? active : (ids[0] ?? 0)),
      f: openFull,
    };
    const act = does[key.toLowerCase()];
    if (!act || (key === '1' && !stage.contains(target))) return false;
    act();
    return true;
  }

  /** Space shows the second picture while it is held. @param {HTMLElement} target @param {boolean} again */
  function peeks(target, again) {
    // On a button it presses that; the view's own is pressed already.
    const button = target.closest('button');
    if (how.look === 'grid' || how.look === 'slide' || (button && button.dataset.look !== how.look)) {
      return target.classList.contains('cmp-frame'); // the page would scroll
    }
    if (!again) {
      peek = true;
      draw();
    }
    return true;
  }

  /** @param {KeyboardEvent} event */
  function released(event) {
    if (event.key === ' ' && peek && !(/** @type {Element} */ (event.target).closest?.('[data-act="peek"]'))) {
      event.preventDefault(); // a button that has the focus is not pressed by it
      peek = false;
      draw();
    } else if (event.key.toLowerCase() === 'z' && loupe.held) magnify({ ...loupe, held: false });
  }

  /** Whatever is held is let go. */
  function release() {
    if (loupe.held) magnify({ ...loupe, held: false });
    if (peek) {
      peek = false;
      draw();
    }
  }

  /** @param {KeyboardEvent} event @param {HTMLElement} target */
  function arrow({ key, shiftKey }, target) {
    if (target.closest('select, input, [role="tab"], .cmp-facts')) return false;
    const by = key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1;
    const sideways = key === 'ArrowLeft' || key === 'ArrowRight';
    if (shiftKey) {
      const at = ids.indexOf(active);
      if (at < 0 || !sideways || how.look !== 'grid') return false;
      reorder(moved(ids, at, Math.max(0, at + by)), active);
      return true;
    }
    if (zoom.scale > 1) {
      panBy(sideways ? -by * STEP : 0, sideways ? 0 : -by * STEP);
      return true;
    }
    if (how.look !== 'grid') {
      if (sideways) step(by);
      return sideways;
    }
    if (!stage.contains(target)) return false;
    const all = /** @type {HTMLElement[]} */ ([...stage.querySelectorAll('.cmp-frame')]);
    const at = all.findIndex((each) => each.parentElement?.contains(target));
    const columns = Number(stage.style.getPropertyValue('--columns')) || 1;
    const next = all[at + (sideways ? by : by * columns)];
    next?.focus();
    return next !== undefined;
  }

  /** @param {number} by */
  function step(by) {
    const known = own().map(({ id }) => id);
    const pair = pairIn(known, how.pair, true);
    if (pair) look({ pair: nextPair(known, pair, by) });
  }

  function openFull() {
    const walk = () => results.get(ids.includes(active) ? active : (ids[0] ?? 0)) ?? null;
    void parts.full({
      result: walk,
      step: (by) => {
        const next = ids[ids.indexOf(walk()?.id ?? 0) + by];
        if (next === undefined) return;
        active = next;
        parts.redraw();
      },
      stay: () => {},
    });
  }

  /** @param {number | undefined} id */
  function focusOn(id) {
    const cell = stage.querySelector(`[data-id="${id}"] .cmp-frame`) ?? stage.querySelector('.cmp-frame, button');
    /** @type {HTMLElement | null} */ (cell)?.focus({ preventScroll: true });
  }

  /** @param {string} code @param {{ [name: string]: string }} values */
  function tell(code, values) {
    said.textContent = w.say(code, values);
  }
}

/** @param {string} name @param {string} className @returns {HTMLElement} */
function element(name, className) {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
