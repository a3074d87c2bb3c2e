// The page put together: state, server, form, address and views. gradio's `js_on_load` calls `start` once the form is
// there (ui/studio.py); from here on nothing of the page needs gradio but the form's own components.

import { covered, formHidden, inDialog, onApiTab, openSettings, showTab, startChrome } from './chrome.js';
import { openCamera, startIntake } from './intake.js';
import { startKeys } from './keys.js';
import { createRouter } from './lib/address.js';
import { createApi, createKeys, newKey } from './lib/api.js';
import { MAX_SEED, openDrafts } from './lib/draft.js';
import { createEvents } from './lib/events.js';
import { formUpdates, readForm, update } from './lib/form.js';
import { loadWords } from './lib/i18n.js';
import { isEnded } from './lib/live.js';
import { message } from './lib/message.js';
import { openPending } from './lib/pending.js';
import { formIn, knownStyles, pressStyle, restored, sameForm } from './lib/recipe.js';
import {
  activeRun,
  backendNamed,
  backendOf,
  chosenResult,
  costs,
  forecast,
  neighbour,
  stage,
  stoppableRun,
  title,
  wantedResult,
} from './lib/select.js';
import { streamOf } from './lib/sse.js';
import { initialState, reduce } from './lib/state.js';
import { createProviderKey } from './provider-key.js';
import { createReading, errorOf } from './reading.js';
import { createView } from './views/page.js';

/** @import { Draft, JobBody, Mode, ReadRecipe, Result, Style } from './types.js' */
/** @import { Comparison } from './compare/compare.js' */
/** @import { Explore } from './explore/explore.js' */
/** @import { Library } from './library/library.js' */
/** @import { Action, State } from './lib/state.js' */
/** @import { Values } from './lib/form.js' */
/** @import { FullView } from './views/full.js' */

/**
 * What the full view shows, and walks through.
 * @typedef {object} Slides
 * @property {() => Result | null} result the one that it shows
 * @property {(by: number) => void} step goes on to another
 * @property {() => void} stay puts the one it shows into the address
 */

/** Results that are fetched at a time. */
const PAGE = 60;
/** Milliseconds without a new picture after which it is asked how much room is left. */
const CALM = 1500;
/** Milliseconds between two looks at the clock while something runs. */
const TICK = 500;
/** The modes of the page, in the order of their keys. @type {readonly Mode[]} */
const MODES = ['make', 'explore', 'library', 'compare'];
/** Kinds of files that may hold settings. */
const HOLDS_SETTINGS = new Set(['image/png', 'image/jpeg', 'image/webp']);

/** The head imports this module before the form is there: what the page needs of the server is asked for at once. */
const coming = loadWords(navigator.languages, ['en']);
coming.catch(() => {}); // whoever waits for it gets the error

/**
 * What gradio's components call: see `_wire` in ui/studio.py.
 * @typedef {object} Bridge
 * @property {(values: Values) => void} form
 * @property {(values: Values) => void} run
 * @property {() => void} cancel
 * @property {() => void} roll
 * @property {() => object[]} updates
 * @property {() => void} begun an event of gradio's that begins a run is over
 */

/**
 * @param {HTMLElement} mount
 * @param {(name: string, data: object) => void} emit sends an event to gradio
 */
export async function start(mount, emit) {
  startChrome((tab) => {
    if (tab !== 'api') enter(tab === 'studio' ? 'make' : /** @type {Mode} */ (tab));
  });
  const fields = /** @type {string[]} */ (JSON.parse(mount.dataset.fields ?? '[]'));
  const byEvent = mount.dataset.byEvent === 'true';
  const examples = JSON.parse(mount.dataset.examples ?? '[]');
  const sheet = JSON.parse(mount.dataset.sheet ?? '{"file":"","styles":[],"known":false}');
  const words = await coming;
  const keys = createKeys();
  const api = createApi({ keys, wakers: window });
  const drafts = openDrafts();
  const unconfirmed = openPending();
  /** @type {State} */
  let state = initialState(drafts.first);
  /** @type {Set<string>} */
  const confirmed = new Set(); // runs of settings that were made before, which the person wants again
  /** @type {((_: unknown) => void)[]} */
  const began = []; // runs that wait for gradio's event
  /** @type {import('./types.js').Form | null} */
  let onForm = null; // what gradio's components show, as far as it is known here
  let planned = false; // whether the next frame draws
  let runLabel = words.say('ui-run');
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let counting; // until it is asked how much room is left
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let adding; // until it is asked what today's runs have cost
  let observed = false;
  /** The views beside the stage, fetched when they are opened first. @type {Map<Mode, Promise<Library | Explore | Comparison>>} */
  const views = new Map();
  /** @type {Explore | null} */
  let explore = null;
  const sizes = new ResizeObserver(() => draw());
  /** @type {Slides} */
  const ofStage = {
    result: () => chosenResult(stage(state)),
    step: (by) => {
      const from = chosenResult(stage(state));
      const next = from && neighbour(state, from.id, by);
      if (next) dispatch({ type: 'edit', values: { shown: { result: next.id } } });
    },
    stay: () => router.replace({ shown: state.draft.shown }),
  };
  /** @type {FullView | null} */
  let full = null; // fetched when it is opened first
  let slides = ofStage;
  /** @type {ReturnType<typeof import('./live.js').createLive> | null} */
  let live = null; // fetched when it is switched on first
  let opened = false; // whether all settings are, where the window has room for them
  let leaving = false; // whether Esc or its button has closed it

  /** @param {Action} action */
  function dispatch(action) {
    const before = state;
    state = reduce(state, action);
    if (state === before) return;
    if (state.draft !== before.draft) {
      drafts.save(state.draft);
      router.replace({ view: state.draft.view, shown: state.draft.shown });
    }
    if (state.pending !== before.pending) unconfirmed.save(state.pending);
    if (
      shows(state) !== shows(before) &&
      !(onForm && sameForm(formIn(state.draft), onForm) && running(state) === running(before))
    ) {
      emit('apply_recipe', {});
    }
    draw();
    if (state.live && state.draft !== before.draft && changedForm(before)) live?.follow();
    if (state.stale && !before.stale) void loadResults(null);
    if (state.total && state.total !== before.total) {
      clearTimeout(counting);
      counting = setTimeout(loadRoom, CALM);
    }
    if (costs(state) && (state.specs !== before.specs || state.total !== before.total)) {
      clearTimeout(adding);
      adding = setTimeout(loadSpending, before.specs ? CALM : 0);
    }
    if (state.owed && !state.reading) {
      dispatch({ type: 'owed', owed: false });
      if (state.draft.mode === 'make') run();
    }
    const wanted = wantedResult(state);
    if (wanted !== null && wanted !== wantedResult(before)) void fetchResult(wanted);
  }

  const router = createRouter((place) => {
    if (leaving || (full?.isOpen && !place.full)) {
      full?.dialog.close();
      leaving = false;
      slides.stay(); // whoever has walked on in the full view stays there
      return;
    }
    dispatch({ type: 'edit', values: { view: place.view, shown: place.shown, mode: place.mode } });
    lead();
  });

  /**
   * @param {Mode} mode
   * @param {Partial<import('./lib/address.js').Place>} [at] where in it
   */
  function enter(mode, at = {}) {
    if (mode !== router.place().mode) {
      router.go({ mode, open: null, picked: mode === 'compare' ? state.draft.picked : [], how: null, ...at });
      dispatch({ type: 'edit', values: { mode } });
    }
    lead();
  }

  /** Lead the views where the address says. */
  function lead() {
    const place = router.place();
    showTab(place.mode === 'make' ? 'studio' : place.mode);
    if (place.mode !== 'make' && !views.has(place.mode)) views.set(place.mode, OPEN[place.mode]());
    for (const [mode, view] of views)
      view.then(
        (there) => there.lead(place),
        (error) => {
          views.delete(mode);
          problem(error);
        },
      );
  }

  /** How each of them is fetched. */
  const OPEN = {
    library: async () => (await import('./library/library.js')).createLibrary({ ...parts, mount: placeOf('pictures') }),
    explore: openExplore,
    compare: async () =>
      (await import('./compare/compare.js')).createComparison({ ...parts, mount: placeOf('comparison') }),
  };

  /** @param {string} name @returns {HTMLElement} where a view is drawn */
  function placeOf(name) {
    return /** @type {HTMLElement} */ (document.getElementById(`${name}-place`));
  }

  async function openExplore() {
    const { createExplore } = await import('./explore/explore.js');
    explore = await createExplore({
      ...parts,
      mount: placeOf('experiments'),
      focusField,
      again: (recipe) => {
        dispatch({ type: 'recall', recipe, part: 'all' });
        enter('make');
        run();
      },
    });
    return explore;
  }

  /** Open the explore view, and do something there. @param {(there: Explore) => void} then */
  async function inExplore(then) {
    enter('explore');
    await views.get('explore');
    if (explore) then(explore);
  }

  /** @param {(view: Library | Explore | Comparison) => void} then */
  function eachView(then) {
    for (const view of views.values()) view.then(then, () => {});
  }

  /** @param {unknown} error @param {string | null} [field] */
  function problem(error, field = null) {
    const said = errorOf(error);
    dispatch({ type: 'problem', error: { ...said, field: said.field ?? field } });
  }

  const reading = createReading({ api, words, dispatch });
  const providerKey = createProviderKey({
    api,
    keys,
    state: () => state,
    dispatch,
    show: (key) => {
      view.key = key;
      draw();
    },
  });

  // ---- the server ------------------------------------------------------------------------------------

  /** @param {import('./types.js').Hello} hello */
  function greet(hello) {
    // Jobs that have ended while nobody listened, and are no longer named: how they ended is asked for one by one.
    const named = new Set(hello.jobs.map(({ id }) => id));
    const unnamed = state.jobs.filter((job) => !isEnded(job.state) && !named.has(job.id));
    dispatch({ type: 'hello', hello, at: Date.now() / 1000 });
    for (const { id } of unnamed) {
      void api.job(id).then(
        (job) => dispatch({ type: 'answer', job }),
        () => {}, // the server does not know it
      );
    }
  }

  /** @param {string | null} cursor */
  async function loadResults(cursor) {
    try {
      const page = await api.results({ limit: PAGE, cursor });
      dispatch({ type: 'page', page, cursor });
    } catch (error) {
      problem(error);
    }
  }

  /** Ask how much room is left: a run may remove pictures, and that is said before. */
  async function loadRoom() {
    try {
      dispatch({ type: 'room', room: await api.get('library') });
    } catch {
      // Then nothing is said of it.
    }
  }

  /** Ask what today's runs have cost, whichever tab or program began them. */
  async function loadSpending() {
    try {
      const since = new Date().setHours(0, 0, 0, 0) / 1000;
      dispatch({ type: 'spending', spending: await api.get(`spending?since=${since}`) });
    } catch {
      // Then the budget of the day counts what was known before.
    }
  }

  /** @param {number} id */
  async function fetchResult(id) {
    try {
      dispatch({ type: 'result', result: await api.result(id) });
    } catch {
      dispatch({ type: 'edit', values: { shown: null } });
    }
  }

  // ---- running ---------------------------------------------------------------------------------------

  /** @param {Values} values */
  function takeForm(values) {
    const read = readForm(values, formIn(state.draft), backendOf(state) ?? undefined);
    const before = formIn(state.draft);
    const next = { ...before, ...read };
    // Of another backend, every range and value has to be set again.
    onForm = onForm && next.backend === before.backend ? { ...onForm, ...read } : null;
    if (!state.specs || sameForm(next, before)) return;
    const backend = state.specs.backends.find((each) => each.key === next.backend);
    const style = backend ? knownStyles(next.style, backend) : next.style;
    dispatch({ type: 'edit', values: { ...read, style } });
    if (next.backend !== before.backend) emit('apply_recipe', {}); // its ranges are another's
  }

  /**
   * Take the prompt from its box: gradio tells of typing alone, and later, not of what a paste, a dictation or a form
   * filler puts there.
   */
  function takePrompt() {
    const prompt = /** @type {HTMLTextAreaElement | null} */ (document.querySelector('#prompt textarea'))?.value;
    if (prompt === undefined || prompt === state.draft.prompt) return;
    if (onForm) onForm = { ...onForm, prompt };
    dispatch({ type: 'edit', values: { prompt } });
  }

  function run() {
    if (covered()) return;
    providerKey.takePasted();
    if (state.draft.mode === 'explore') {
      explore?.run();
      return;
    }
    if (state.reading) {
      dispatch({ type: 'owed', owed: true });
      return;
    }
    const plan = forecast(state);
    if (plan.blocked) {
      dispatch({ type: 'problem', error: { ...plan.blocked, field: plan.field, charged: false } });
      focusField(plan.field);
      return;
    }
    if (plan.repeats && !confirmed.has(String(plan.repeats.id))) {
      confirmed.add(String(plan.repeats.id));
      draw();
      return;
    }
    confirmed.clear();
    if (state.draft.seed !== null && !state.draft.lock) dispatch({ type: 'edit', values: { seed: null } });
    const key = newKey();
    const shown = state.pending.length;
    dispatch({ type: 'run', key, at: Date.now() / 1000 });
    const pending = state.pending[shown];
    document.body.dataset.sheet = '';
    if (pending) void submit(key, pending.body, backendOf(state)?.provider ?? null);
  }

  /**
   * @param {string} key
   * @param {JobBody} body
   * @param {string | null} provider
   */
  async function submit(key, body, provider) {
    try {
      if (byEvent && provider === null) {
        // The visitor's quota of GPU time comes with gradio's requests alone; the job is then found by its key.
        const begun = new Promise((resolve) => began.push(resolve));
        emit('submit', { body, once: key });
        await begun;
      }
      const job = await api.submitJob(body, {
        key,
        provider,
        onWait: (why) => dispatch({ type: 'waiting', key, error: why.error }),
      });
      dispatch({ type: 'accepted', key, job });
      if (state.stopping[job.id]) void stop(job.id);
    } catch (error) {
      dispatch({ type: 'refused', key, error: errorOf(error) });
      focusField(errorOf(error).field);
    }
  }

  /** @param {string | null} field */
  function focusField(field) {
    const place = {
      prompt: '#prompt textarea',
      reference: '#reference input',
      strength: '#param-strength input',
      key: '#key',
      budget: '#budget',
      dayBudget: '#dayBudget',
    };
    if (!field) return;
    if (field in place || field.startsWith('param')) document.body.dataset.sheet = 'open';
    /** @type {HTMLElement | null} */ (
      document.querySelector(place[/** @type {keyof typeof place} */ (field)] ?? `#param-${field} input`)
    )?.focus();
  }

  /** @param {string} id of a job or a pending run */
  async function stop(id) {
    dispatch({ type: 'stop', run: id });
    if (state.pending.some((each) => each.key === id)) return; // sent when the job is known
    try {
      const job = await api.cancelJob(id);
      dispatch({ type: 'answer', job });
    } catch (error) {
      dispatch({ type: 'stop-failed', run: id, error: errorOf(error) });
    }
  }

  // ---- acting ----------------------------------------------------------------------------------------

  const act = {
    file: (/** @type {File} */ file) => void takeFile(file),
    link: reading.link,
    camera: () => void openCamera(reading.file, words),
    removeReference: () => dispatch({ type: 'edit', values: { reference: null } }),
    style: (/** @type {Style} */ style, /** @type {boolean} */ add) => {
      const backend = backendOf(state);
      if (backend)
        dispatch({ type: 'edit', values: { style: pressStyle(state.draft.style, style, backend.styles, { add }) } });
    },
    checkKey: providerKey.check,
    fresh: () => {
      roll();
      confirmed.clear();
      run();
    },
    again: run,
    edit: (/** @type {Partial<Draft>} */ values) => dispatch({ type: 'edit', values }),
    show: (/** @type {Draft['shown']} */ shown) => dispatch({ type: 'edit', values: { shown } }),
    stop: (/** @type {string} */ id) => void stop(id),
    stopAll: (/** @type {string[]} */ ids) => {
      for (const id of ids) void stop(id);
    },
    more: () => void loadResults(state.next),
    pick,
    recall: (/** @type {Result} */ result, /** @type {string} */ part) =>
      dispatch({ type: 'recall', recipe: result.recipe, part }),
    use: reading.result,
    copyPrompt: (/** @type {Result} */ result) => void navigator.clipboard.writeText(result.recipe.prompt),
    example,
    full: () => void openFull(ofStage),
    live: () => void turnLive(),
    reload: () => {
      drafts.flush();
      /** @type {any} */ (window).studio.reload(); // the one reload that ui/web/reconnect.js lets through
    },
  };

  /**
   * Take a picture's file as the reference, or, where it holds settings, as the person says.
   * @param {File} file
   */
  async function takeFile(file) {
    const found = HOLDS_SETTINGS.has(file.type) ? await settingsIn(file) : null;
    if (!found) return reading.file(file);
    const { ask } = await import('./dropped.js');
    const choices = {
      reference: () => void reading.file(file),
      settings: () => void restore(found, false),
      batch: () => void restore(found, true),
    };
    ask(found, file.name, URL.createObjectURL(file), choices, words);
  }

  /** @param {File} file */
  async function settingsIn(file) {
    try {
      return await (await import('./dropped.js')).settingsIn(file, api, words);
    } catch {
      return null; // it is a picture all the same
    }
  }

  /**
   * @param {ReadRecipe} found
   * @param {boolean} whole whether all pictures of its job are to be made again
   */
  async function restore({ recipe }, whole) {
    if (!recipe) return;
    const known = state.specs?.backends.some(({ key }) => key === recipe.backend) ?? false;
    const here = recipe.reference && (await api.reference(recipe.reference.digest).catch(() => null));
    dispatch({
      type: 'edit',
      values: { ...restored(formIn(state.draft), recipe, { known, here, whole }), shown: null },
    });
    if (recipe.reference && !here)
      dispatch({ type: 'problem', error: { ...message('dropped-no-reference'), field: 'reference', charged: false } });
  }

  /** @param {number} place */
  function example(place) {
    const { prompt, style: ids, settings, file, before } = examples[place];
    const style = (backendOf(state)?.styles ?? [])
      .filter((each) => ids.includes(each.id))
      .map(({ id, text }) => ({ id, text, weight: 1 }));
    const params = { ...state.draft.params, ...settings };
    dispatch({ type: 'edit', values: { prompt, style, params, seed: null, lock: false } });
    const address = (/** @type {string} */ name) => new URL(name, document.baseURI).href;
    void reading.example(address(file), address(before));
  }

  function roll() {
    dispatch({ type: 'edit', values: { seed: 1 + Math.floor(Math.random() * (MAX_SEED - 1)), lock: true } });
  }

  /** Add a result to those that are compared, or take it out. @param {number} id */
  function pick(id) {
    const { picked } = state.draft;
    const next = picked.includes(id) ? picked.filter((each) => each !== id) : [...picked, id].slice(-9);
    dispatch({ type: 'edit', values: { picked: next } });
  }

  // ---- drafts that follow the dials ------------------------------------------------------------------

  async function turnLive() {
    if (state.live) {
      live?.stop();
      dispatch({ type: 'live', on: false, src: null });
      return;
    }
    dispatch({ type: 'live', on: true, src: null });
    const { createLive } = await import('./live.js');
    live ??= createLive({ api, state: () => state, dispatch });
    live.follow();
  }

  /** @param {State} before @returns {boolean} whether the form is another than before */
  function changedForm(before) {
    return !sameForm(formIn(state.draft), formIn(before.draft));
  }

  // ---- the full view ---------------------------------------------------------------------------------

  /** @param {Slides} of */
  async function openFull(of) {
    if (!of.result()) return;
    const { FullView } = await import('./views/full.js');
    slides = of;
    full ??= new FullView(words, {
      step: (by) => slides.step(by),
      pick,
      leave: () => {
        if (!router.place().full) return; // Back has closed it
        leaving = true;
        router.leave({ full: false });
      },
    });
    router.go({ full: true });
    full.open();
    draw();
  }

  // ---- drawing ---------------------------------------------------------------------------------------

  const view = createView({ mount, words, api, act, examples, sheet, drafts: !byEvent });
  function draw() {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      const plan = forecast(state);
      const repeats = plan.repeats !== null && confirmed.has(String(plan.repeats.id));
      view.draw(state, plan, repeats, Date.now() / 1000);
      if (state.specs && !opened) {
        opened = openSettings();
        if (!opened) draw();
      }
      const large = slides.result();
      full?.show(large && view.slide(state, large));
      eachView((there) => there.draw());
      if (!observed) sizes.observe(/** @type {Element} */ (mount.querySelector('.body')));
      observed = true;
      nameRun();
      document.title = words.say(title(state, Date.now() / 1000));
      document.body.toggleAttribute('data-running', running(state));
    });
  }
  setInterval(() => {
    if (activeRun(state)) draw();
  }, TICK);

  /** Let the button say how many runs it begins. */
  function nameRun() {
    const runs = state.draft.mode === 'explore' ? (explore?.runs() ?? null) : null;
    const label = runs === null ? words.say('ui-run') : words.say('explore-run', { count: runs });
    if (label === runLabel) return;
    runLabel = label;
    emit('apply_recipe', {});
  }
  startIntake((file) => void takeFile(file), covered, words.say('reference-drop'));

  /** @param {State} of */
  function running(of) {
    return stoppableRun(of) !== null;
  }

  /** @param {State} of @returns {string} what the form has to show */
  function shows(of) {
    const { draft, specs } = of;
    return JSON.stringify([
      specs?.build,
      draft.backend,
      draft.prompt,
      draft.lock,
      draft.seed,
      draft.count,
      draft.params,
      running(of),
    ]);
  }

  /** @type {Bridge} */
  const bridge = {
    form: takeForm,
    run: (values) => {
      takeForm(values);
      takePrompt();
      run();
    },
    cancel: () => {
      if (state.draft.mode === 'explore' && explore?.stop()) return;
      const target = stoppableRun(state);
      if (target) void stop(target.id);
    },
    roll,
    begun: () => began.shift()?.(null),
    updates: () => {
      const backend = backendOf(state);
      const buttons = [update({ interactive: true, value: runLabel }), update({ interactive: running(state) })];
      if (!backend) return [...fields.map(() => update({})), ...buttons];
      const form = formIn(state.draft);
      const wanted = formUpdates(fields, form, backend, words);
      // What is there already is not set again: a letter that is typed meanwhile would be lost.
      const there = onForm?.backend === form.backend ? formUpdates(fields, onForm, backend, words) : [];
      onForm = form;
      return [...wanted.map((each, at) => (same(each, there[at]) ? update({}) : each)), ...buttons];
    },
  };
  /** @type {any} */ (window).srpo = bridge;
  startKeys({
    covered: inDialog,
    away: () => state.draft.mode !== 'make' || onApiTab(),
    modes: Object.fromEntries(MODES.map((mode, at) => [at + 1, () => enter(mode)])),
    run: () => {
      if (!onApiTab() && !formHidden()) document.getElementById('run')?.click();
    },
    use: () => withResult(act.use),
    compare: () => withResult((result) => pick(/** @type {number} */ (result.id))),
    restore: () => withResult((result) => act.recall(result, 'all')),
    download: () => mount.querySelector('a[data-act="download"]')?.dispatchEvent(new MouseEvent('click')),
    full: () => void openFull(ofStage),
    step: ofStage.step,
  });

  /** @param {(result: Result) => void} then */
  function withResult(then) {
    const result = chosenResult(stage(state));
    if (result) then(result);
  }

  const parts = {
    api,
    words,
    router,
    state: () => state,
    dispatch,
    enter,
    use: reading.result,
    pick,
    compare: (/** @type {number[]} */ picked) => {
      dispatch({ type: 'edit', values: { picked } });
      enter('compare');
    },
    full: openFull,
    explore: inExplore,
    redraw: draw,
  };
  const { shown, view: shownAs, mode } = router.place();
  dispatch({
    type: 'edit',
    values: { mode, ...(shown || shownAs !== 'pair' ? { shown: shown ?? state.draft.shown, view: shownAs } : {}) },
  });
  const events = createEvents(streamOf(api.events));
  events.onState((said) => {
    if (said.kind === 'connection') dispatch({ type: 'connection', connection: said.connection });
    else if (said.kind === 'hello') greet(said.hello);
    else dispatch({ type: 'change', change: said.change });
    eachView((there) => there.hear(said));
  });
  events.start();
  const again = unconfirmed.read();
  if (again.length) dispatch({ type: 'resume', pending: again });
  void api.specs().then(
    (specs) => {
      dispatch({ type: 'specs', specs });
      emit('apply_recipe', {});
      for (const { key, body } of again) void submit(key, body, backendNamed(state, body.backend)?.provider ?? null);
    },
    (error) => problem(error),
  );
  void loadResults(null);
  // On the document: gradio sometimes replaces its elements, and a listener on one would be lost with it.
  document.addEventListener('input', (event) => {
    if (/** @type {HTMLElement} */ (event.target).closest('#prompt')) takePrompt();
  });
  draw();
  lead();
}

/**
 * @param {object} one
 * @param {object | undefined} other
 */
function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
