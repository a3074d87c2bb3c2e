// The views in their places: from the page's state to what each of them draws.

import { cost, duration, price, size } from '../lib/format.js';
import { arrange, isUpright, ratioOf, screenPixels } from '../lib/layout.js';
import { isEnded } from '../lib/live.js';
import { message } from '../lib/message.js';
import { imageSeed } from '../lib/recipe.js';
import { removedBy } from '../lib/room.js';
import {
  backendNamed,
  backendOf,
  canDraft,
  chosenResult,
  downloadNameOf,
  progress,
  spentAt,
  spoken,
  stage,
  strip,
} from '../lib/select.js';
import { html, nothing, render } from '../vendor/lit.js';
import { actions, addressWith, facts } from './facts.js';
import { preflight } from './preflight.js';
import { referenceBox } from './reference.js';
import { liveSwitch, stageBody, stageMessage, viewSwitch } from './stage.js';
import { backendStatus } from './status.js';
import { strip as stripView } from './strip.js';
import { styleChips } from './styles.js';
import { welcome } from './welcome.js';

/** @import { Api } from '../lib/api.js' */
/** @import { Words } from '../lib/i18n.js' */
/** @import { Forecast, Run, Stage, StripCell } from '../lib/select.js' */
/** @import { State } from '../lib/state.js' */
/** @import { Message, Result, Room, StudioError } from '../types.js' */
/** @import { KeyModel } from './status.js' */

/** Pixels around a picture, between two, and of the line under it. */
const MAT = 8;
const GAP = 8;
const CAPTION = 16;
/** Cells of the strip that are drawn; the library will have all. */
const STRIP = 200;
/** What the stage calls the states of jobs. @type {{ [state: string]: string }} */
const SHOWN = {
  sending: 'queued',
  submitting: 'running',
  detached: 'cancelled',
  needs_key: 'queued',
  unknown: 'failed',
  interrupted: 'failed',
  reading: 'reference',
};
/** What is said of a provider's key before anybody asked. @type {KeyModel} */
const NO_KEY = { provider: null, set: false, asking: false, said: null, bad: false };
/** Whether it was charged, by `charged`. */
const CHARGE = new Map([
  [true, 'charge-taken'],
  [false, 'charge-none'],
  [null, 'charge-unknown'],
]);

/**
 * @typedef {object} Parts
 * @property {HTMLElement} mount
 * @property {Words} words
 * @property {Api} api
 * @property {any} act
 * @property {{ title: Message, prompt: string, before: string, after: string }[]} examples
 * @property {{ file: string, styles: { id: string, label: string }[], known: boolean }} sheet one picture in many styles;
 *   whether the first backend knows them
 * @property {boolean} drafts whether drafts can be made here: not where each run takes a visitor's quota
 */

/** @param {Parts} parts */
export function createView({ mount, words: w, api, act, examples, sheet: styleSheet, drafts }) {
  mount.replaceChildren();
  let open = false; // the other ways of the reference box
  let held = false; // a finger on the picture shows the reference
  /** @type {(() => void) | null} */
  let again = null; // draws the stage once more
  const cards = examples.map((each) => ({
    title: w.say(each.title),
    prompt: each.prompt,
    before: new URL(each.before, document.baseURI).href,
    after: new URL(each.after, document.baseURI).href,
  }));
  const sheet = document.createElement('button');
  sheet.id = 'sheet-button';
  sheet.type = 'button';
  sheet.textContent = w.say('settings-button');
  sheet.addEventListener('click', () => {
    document.body.dataset.sheet = document.body.dataset.sheet === 'open' ? '' : 'open';
    sheet.setAttribute('aria-expanded', String(document.body.dataset.sheet === 'open'));
  });
  document.body.append(sheet);

  const view = {
    /** @type {KeyModel} */
    key: NO_KEY,

    /** What the full view shows of a result. */
    slide: slideOf,

    /**
     * @param {State} state
     * @param {Forecast} plan
     * @param {boolean} repeats
     * @param {number} now
     */
    draw(state, plan, repeats, now) {
      const on = stage(state);
      drawReference(state);
      drawForm(state, plan, repeats);
      drawStatus(state);
      if (state.draft.mode === 'make' || !mount.firstChild) drawStage(state, on, now);
      const count = document.querySelector('#library-tab span');
      if (count) count.textContent = state.total ? String(state.total) : '';
      const { length } = state.draft.picked;
      const picked = document.querySelector('#compare-tab span');
      if (picked) picked.textContent = length ? String(length) : '';
    },
  };
  return view;

  /**
   * @param {string} name
   * @param {unknown} content
   */
  function into(name, content) {
    const place = document.getElementById(`${name}-place`);
    if (place) render(content, place);
  }

  /** @param {State} state */
  function drawReference(state) {
    const { reading } = state;
    const { reference } = state.draft;
    const src = reading ? reading.url : reference && api.referenceView(reference.digest, 256);
    const name = reading?.name ?? reference?.name ?? (reference ? w.say('ui-reference') : '');
    const problem = state.problems.reference ?? null;
    into(
      'reference',
      html`${referenceBox(
        {
          src,
          name,
          size: reference ? w.say(size(reference)) : '',
          reading: reading !== null,
          problem,
          notices: reference?.notices ?? [],
          open,
        },
        {
          ...act,
          remove: act.removeReference,
          toggle: () => {
            open = !open;
            drawReference(state);
          },
        },
        w,
      )}${problem && reference ? html`<p class="field-notice">${w.say('reference-stays')}</p>` : nothing}`,
    );
  }

  /**
   * @param {State} state
   * @param {Forecast} plan
   * @param {boolean} repeats
   */
  function drawForm(state, plan, repeats) {
    const backend = backendOf(state);
    if (!backend) return;
    into('styles', styleChips(backend.styles, state.draft.style, act.style, w));
    const problem = problemAtRun(state);
    const labels = state.draft.style.map(({ id }) => backend.styles.find((each) => each.id === id)?.label ?? id);
    into(
      'preflight',
      preflight(
        {
          parts: forecastParts(plan),
          notices: state.notices,
          composed: labels.length ? [message('style-composed', { styles: labels.join(', ') })] : [],
          removed: removed(state.room, plan.images),
          problem,
          repeated: repeats ? { fresh: act.fresh, again: act.again } : null,
          budget:
            plan.dollars || plan.spent.dollars || plan.spent.today
              ? { ...plan.spent, places: spentAt(state), set: act.edit }
              : null,
        },
        w,
      ),
    );
    groupRadios();
    const textarea = document.querySelector('#prompt textarea');
    textarea?.setAttribute('dir', 'auto');
    textarea?.setAttribute('aria-invalid', String('prompt' in state.problems));
  }

  /**
   * Return which pictures a run would remove, null where it has room.
   * @param {Room | null} room
   * @param {number} images that the run makes
   */
  function removed(room, images) {
    const count = removedBy(room, images);
    if (!room?.oldest || count === 0) return null;
    const day = new Intl.DateTimeFormat(w.language, { dateStyle: 'medium' }).format(room.oldest * 1000);
    return message('run-removes', { count, day });
  }

  /** gradio's radio buttons have no name in common, so that each would be a Tab stop of its own. */
  function groupRadios() {
    for (const radio of document.querySelectorAll('#left .param input[type=radio]')) {
      radio.setAttribute('name', radio.closest('.param')?.id ?? '');
    }
  }

  /**
   * Return what went wrong at the last click, other than with the reference.
   * @param {State} state
   * @returns {StudioError | null}
   */
  function problemAtRun(state) {
    return Object.entries(state.problems).find(([field]) => field !== 'reference')?.[1] ?? null;
  }

  /** @param {Forecast} plan @returns {Message[]} */
  function forecastParts(plan) {
    if (!plan.size) return plan.blocked ? [plan.blocked] : [];
    if (plan.blocked && plan.field === 'strength') return [plan.blocked];
    /** @type {Message[]} */
    const parts = [];
    if (plan.steps) parts.push(message('figure-steps', plan.steps));
    if (plan.seconds !== null) parts.push(message('figure-about', { time: duration(plan.seconds) }));
    parts.push(price({ dollars: plan.dollars / plan.images, live: plan.live }, plan.images));
    const { output, working } = plan.size;
    parts.push(working ? message('figure-worked-at', { size: output, working }) : output);
    return parts;
  }

  /** @param {State} state */
  function drawStatus(state) {
    const backend = backendOf(state);
    if (!backend) return;
    const set = backend.provider !== null && backend.provider in state.keys;
    const key = view.key.provider === backend.provider ? { ...view.key, set } : { ...NO_KEY, set };
    const lost = state.connection === 'offline' ? message('connection-lost') : null;
    into(
      'status',
      html`${backendStatus(backend, key, state.specs?.alone ?? false, lost, { check: act.checkKey }, w)}${
        state.outdated
          ? html`<span class="connection" role="status">${w.say('app-updated')} <button type="button" @click=${act.reload}>${w.say('app-updated-reload')}</button></span>`
          : nothing
      }`,
    );
  }

  // ---- the stage -------------------------------------------------------------------------------------

  /**
   * @param {State} state
   * @param {Stage} on
   * @param {number} now
   */
  function drawStage(state, on, now) {
    again = () => drawStage(state, on, now);
    const result = chosenResult(on);
    const how = on.run && progress(state, on.run, now);
    const shown = SHOWN[on.state] ?? on.state;
    const body = mount.querySelector('.body')?.getBoundingClientRect() ?? { width: 900, height: 400 };
    const model = stageModel(state, on, how, body);
    const said = messageOf(on);
    const message_ = said && { ...said, kind: shown === 'failed' ? 'failed' : 'cancelled' };
    const kind = how?.phase === 'loading' ? 'loading' : shown;
    render(
      html`<section class="stage" data-state=${kind} aria-label=${w.say('ui-stage')}>
        <div class="body">${on.state === 'empty' ? welcome(cards, sheetModel(state), { use: act.example, pick: act.style }, w) : stageBody(model, stageActions(on), w)}</div>
        <div class="below">
          ${message_ ? stageMessage(message_, w) : nothing}
          ${result ? facts(factsModel(state, on, result), factsActions(result), w) : nothing}
          ${
            on.state === 'empty'
              ? nothing
              : html`<div class="deeds">${result ? actions(factsModel(state, on, result), factsActions(result), w) : nothing}
                ${drafts && canDraft(state) ? liveSwitch(state.live !== null, act.live, w) : nothing}
                ${viewSwitch(model, (chosen) => act.edit({ view: chosen }), w)}</div>`
          }
        </div>
        <div class="strip-place">${stripView(stripModel(state, on, now), w)}</div>
        <div class="visually-hidden" role="status" aria-live="polite" data-part="live">${how ? w.say(spoken(how)) : result && on.run ? w.say('spoken-done') : nothing}</div>
      </section>`,
      mount,
    );
    document.body.style.setProperty('--progress', String(how?.fraction ?? (how ? 0.05 : 0)));
  }

  /** @param {State} state @returns {import('./welcome.js').Sheet} */
  function sheetModel(state) {
    const backend = backendOf(state);
    // Before the backends are known the sheet stands there already, so that nothing moves when they are.
    const known = (/** @type {{ id: string }} */ { id }) =>
      backend ? (backend.styles.find((each) => each.id === id) ?? null) : null;
    return {
      file: new URL(styleSheet.file, document.baseURI).href,
      tiles: backend || styleSheet.known ? styleSheet.styles.map((each) => ({ ...each, style: known(each) })) : [],
      ready: backend !== null,
      on: new Set(state.draft.style.map(({ id }) => id)),
    };
  }

  /** @param {Stage} on */
  function stageActions(on) {
    return {
      choose: (/** @type {number} */ at) => {
        const cell = on.cells[at];
        if (cell?.kind === 'result' && cell.result.id !== null) act.show({ result: cell.result.id });
      },
      slide: (/** @type {number} */ at) => act.edit({ split: at / 100 }),
      full: act.full,
      hold: (/** @type {boolean} */ down) => {
        held = down;
        again?.();
      },
    };
  }

  /**
   * @param {State} state
   * @param {Stage} on
   * @param {import('../lib/select.js').Progress | null} how
   * @param {{ width: number, height: number }} body
   * @returns {import('./stage.js').StageModel}
   */
  function stageModel(state, on, how, body) {
    const { reading, reference } = on;
    const ratio = ratioOf(reference);
    // Held upright there is room for one picture that is worth looking at.
    const upright = isUpright({ width: innerWidth, height: innerHeight });
    const view_ = upright && state.draft.view === 'pair' ? 'single' : state.draft.view;
    const count = view_ === 'pair' ? on.cells.length + 1 : 1;
    const area = { width: body.width - 2 * MAT, height: body.height - 2 * MAT };
    const laid = arrange(area, Array(count).fill(ratio), { gap: GAP + 2 * MAT, caption: CAPTION });
    const fitted = laid.pictures[0] ?? { width: 1, height: 1 };
    const drawn = { width: Math.floor(fitted.width), height: Math.floor(fitted.height) };
    const pixels = screenPixels(drawn.width, devicePixelRatio);
    return {
      state: /** @type {any} */ (on.state),
      view: view_,
      at: Math.round(state.draft.split * 100),
      reference: reading
        ? { src: reading.url ?? '', alt: reading.name }
        : reference && {
            src: api.referenceView(reference.digest, pixels),
            alt: w.say('reference-alt', { width: reference.width, height: reference.height }),
          },
      cells: on.cells.map((cell, at) => cellModel(on, cell, at, pixels)),
      chosen: on.chosen,
      held,
      size: { ...drawn, columns: laid.columns, rows: laid.rows },
      progress: how && {
        fraction: how.guessed ? null : how.fraction,
        // Steps say how much is left; the time says more where nothing counts, or where it takes long.
        words: [how.words, how.step !== null && !how.late ? null : how.time]
          .filter((each) => each !== null)
          .map((each) => w.say(each))
          .join(' · '),
      },
      message: null,
      spoken: '',
    };
  }

  /**
   * @param {Stage} on
   * @param {Stage['cells'][number]} cell
   * @param {number} at
   * @param {number} pixels
   * @returns {import('./stage.js').Cell}
   */
  function cellModel(on, cell, at, pixels) {
    const several = on.cells.length > 1;
    const caption = several ? w.say('cell-place', { number: at + 1, count: on.cells.length }) : w.say('ui-result');
    const key = `${on.run?.id ?? on.reference?.digest ?? 'next'}:${at}`;
    switch (cell.kind) {
      case 'result':
        return {
          key,
          kind: 'result',
          faded: false,
          src: api.resultView(/** @type {number} */ (cell.result.id), pixels),
          alt: nameOf(cell.result, 'cell-alt', { number: at + 1, count: on.cells.length }),
          caption,
          why: null,
        };
      case 'missing':
        return {
          key,
          kind: 'missing',
          faded: false,
          src: null,
          alt: '',
          caption: w.say(cell.withheld ? 'missing-withheld' : 'missing-failed'),
          // Why the whole run failed stands below, once.
          why: on.run?.job?.error && !cell.withheld ? null : (cell.why ?? message('stage-not-returned')),
        };
      case 'making':
        return {
          key,
          kind: 'pending',
          faded: !cell.preview,
          src: cell.preview && on.run?.job ? api.jobPreview(on.run.job.id, at, cell.preview) : fadedOf(on, pixels),
          alt: cell.preview ? w.say('stage-preview') : '',
          caption,
          why: null,
        };
      default:
        return {
          key,
          kind: 'next',
          faded: false,
          src: cell.draft ?? null,
          alt: cell.draft ? w.say('stage-draft') : '',
          caption: cell.draft ? w.say('stage-draft') : caption,
          why: null,
        };
    }
  }

  /**
   * Return the reference's own address: before the first preview it stands, faded, for what it becomes.
   * @param {Stage} on
   * @param {number} pixels
   */
  function fadedOf(on, pixels) {
    return on.reference ? api.referenceView(on.reference.digest, pixels) : null;
  }

  /** @param {Stage} on @returns {{ message: Message, charge: Message | null } | null} */
  function messageOf(on) {
    const error = on.run?.job?.error;
    if (!error) return null;
    const free = error.charged === false && error.code.startsWith('run-cancelled');
    const code = CHARGE.get(error.charged);
    return { message: error, charge: free || !code ? null : message(code) };
  }

  // ---- words about a result --------------------------------------------------------------------------

  /**
   * @param {Result} result
   * @param {string} code
   * @param {{ [name: string]: number }} [more]
   */
  function nameOf({ recipe }, code, more = {}) {
    const style = recipe.style.map(({ id }) => id.replaceAll('_', ' ')).join(', ');
    return w.say(code, {
      prompt: recipe.prompt,
      style: style ? `${style}, ` : '',
      strength: String(recipe.params.strength ?? ''),
      seed: String(imageSeed(recipe)),
      ...more,
    });
  }

  /**
   * @param {State} state
   * @param {Stage} on
   * @param {Result} result
   */
  function factsModel(state, on, result) {
    const { recipe } = result;
    const backend = backendNamed(state, result.backend);
    /** @type {Message[]} */
    const parts = recipe.style.map(({ id }) =>
      message('recorded', { what: backend?.styles.find((each) => each.id === id)?.label ?? id.replaceAll('_', ' ') }),
    );
    if (typeof recipe.params.strength === 'number')
      parts.push(message('figure-strength', { value: String(recipe.params.strength) }));
    if (typeof recipe.params.guidance_scale === 'number')
      parts.push(message('figure-guidance', { value: String(recipe.params.guidance_scale) }));
    parts.push(message('figure-seed', { seed: String(imageSeed(recipe)) }));
    const label = backend?.label ?? message('recorded', { what: result.backend });
    parts.push(label);
    if (!w.say(label).toLowerCase().includes(recipe.model.id.toLowerCase())) {
      parts.push(message('recorded', { what: recipe.model.id }));
    }
    if (result.seconds !== null) parts.push(duration(result.seconds));
    if (result.cost !== 0) parts.push(cost(result.cost));
    if (result.image) parts.push(size(result.image));
    const notices = [...(on.run?.job?.notices ?? [])];
    const shape = recipe.reference;
    if (result.image && shape && (shape.width !== result.image.width || shape.height !== result.image.height)) {
      notices.push(message('result-returned-size', { size: size(result.image) }));
    }
    const filename = downloadNameOf(state, result);
    const id = /** @type {number} */ (result.id);
    return {
      result,
      facts: parts,
      notices,
      file: api.resultFile(id, filename),
      fileWith: (/** @type {import('./facts.js').Holding} */ holding) => addressWith(api, id, filename, holding),
      filename,
      picked: state.draft.picked.includes(id),
    };
  }

  /** @param {Result} result */
  function factsActions(result) {
    return {
      copy: () => act.copyPrompt(result),
      recall: (/** @type {string} */ part) => act.recall(result, part),
      use: () => act.use(result),
      compare: () => act.pick(/** @type {number} */ (result.id)),
      full: act.full,
    };
  }

  /**
   * @param {State} state
   * @param {Result} result
   * @returns {import('./full.js').Slide}
   */
  function slideOf(state, result) {
    const filename = downloadNameOf(state, result);
    const id = /** @type {number} */ (result.id);
    return {
      id,
      picked: state.draft.picked.includes(id),
      src: api.resultFile(id),
      alt: nameOf(result, 'strip-name'),
      reference: result.recipe.reference && api.referenceFile(result.recipe.reference.digest),
      facts: nameOf(result, 'strip-name'),
      file: api.resultFile(id, filename),
      filename,
      width: result.image?.width ?? 1,
      height: result.image?.height ?? 1,
    };
  }

  // ---- the strip -------------------------------------------------------------------------------------

  /**
   * @param {State} state
   * @param {Stage} on
   * @param {number} now
   */
  function stripModel(state, on, now) {
    const { running, days } = strip(state, new Date(now * 1000));
    const cells = [...running, ...days.flatMap((day) => day.cells)].slice(0, STRIP);
    return {
      thumbs: cells.map((cell) => thumb(state, on, cell, now)),
      total: state.total,
      more: state.next !== null && state.results.length < STRIP,
      load: act.more,
      stopAll: running.length > 1 ? () => act.stopAll(running.map(({ id }) => id)) : null,
    };
  }

  /**
   * @param {State} state
   * @param {Stage} on
   * @param {StripCell} cell
   * @param {number} now
   * @returns {import('./strip.js').Thumb}
   */
  function thumb(state, on, cell, now) {
    if (cell.kind === 'result') {
      const { result } = cell;
      const id = /** @type {number} */ (result.id);
      const style = result.recipe.style[0]?.id.replaceAll('_', ' ');
      return {
        key: cell.id,
        src: api.resultView(id, 256),
        name: nameOf(result, 'strip-name'),
        label: `${style ?? result.recipe.prompt.slice(0, 20)} ${String(result.recipe.params.strength ?? '').replace(/^0/, '')}`,
        kind: 'result',
        fraction: null,
        shown: chosenResult(on)?.id === id,
        choose: (event) => (event.ctrlKey || event.metaKey ? act.pick(id) : act.show({ result: id })),
      };
    }
    const { run } = cell;
    const how = progress(state, run, now);
    return {
      key: cell.id,
      src: pictureOf(run),
      name: w.say('strip-ended', {
        prompt: promptOf(run),
        what: how ? w.say(how.words) : run.job?.error ? w.say(run.job.error) : '',
      }),
      label: labelOf(run, how),
      kind:
        cell.kind === 'ended'
          ? 'ended'
          : run.job && !isEnded(run.job.state) && run.job.state === 'queued'
            ? 'waiting'
            : 'running',
      fraction: how?.fraction ?? null,
      shown: on.run?.id === run.id && !chosenResult(on),
      choose: () => act.show({ job: run.id }),
    };
  }

  /**
   * @param {Run} run
   * @param {import('../lib/select.js').Progress | null} how
   */
  function labelOf({ job }, how) {
    if (how) return how.step === null ? '' : `${how.step}/${how.total}`;
    return w.say(job?.state === 'cancelled' ? 'strip-cancelled' : 'strip-failed');
  }

  /** @param {Run} run */
  function promptOf({ job, pending }) {
    return job?.recipe.prompt ?? pending?.body.prompt ?? '';
  }

  /** @param {Run} run */
  function pictureOf({ job, pending }) {
    const digest = job?.recipe.reference?.digest ?? pending?.reference.digest;
    return digest ? api.referenceView(digest, 256) : null;
  }
}
