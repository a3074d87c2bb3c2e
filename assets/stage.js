// The stage: reference and results, drawn from the one value that the server sends (see ui/session.py).
// Runs as the component's load script: `element`, `props`, `trigger` and `watch` come from gradio.HTML.
// Everything a person or a provider wrote is set as text or as an attribute, never as markup.

const root = element.querySelector('.stage');
const words = JSON.parse(root.dataset.words);
const memory = 'srpo-studio:view';

const local = {
  view: localStorage.getItem(memory) || 'side',
  run: null, // the run on show; null follows the newest
  cell: 0,
  followed: null, // the newest run that we moved to by ourselves
  drawn: {}, // signatures of the parts on screen, so that unchanged parts are left alone
};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function button(label, onclick, attributes = {}) {
  return make('button', { type: 'button', onclick, ...attributes }, label);
}

// Of the values that were sent, the one that was made last: two events of the page may overtake each other.
let newest = { at: 0, reference: null, runs: [], current: null, problem: null };
function value() {
  const given = props.value;
  if (given && typeof given === 'object' && given.at >= newest.at) newest = given;
  return newest;
}

function shownRun() {
  const { runs, current } = value();
  return runs.find((run) => run.id === (local.run ?? current)) || runs.find((run) => run.id === current) || null;
}

function redraw(part, signature, draw) {
  const key = JSON.stringify(signature);
  if (local.drawn[part] === key) return;
  local.drawn[part] = key;
  root.querySelector(`[data-part="${part}"]`).replaceChildren(...draw());
}

// ---- pictures -------------------------------------------------------------------------------

// The number of columns at which the pictures come out largest in the space there is.
function columns(count, ratio) {
  const box = root.querySelector('[data-part="body"]').getBoundingClientRect();
  if (box.width < 560) return count === 2 ? 2 : Math.min(count, 2);
  const height = Math.max(box.height, 320);
  let best = [0, 1];
  for (let n = 1; n <= count; n += 1) {
    const size = Math.min(box.width / n, (height / Math.ceil(count / n)) * ratio);
    if (size > best[0]) best = [size, n];
  }
  return best[1];
}

// The copy of a picture that the server makes for a width in pixels; the file itself is for Download and full view.
function display(of, width) {
  return `${of.display}?width=${width}`;
}

// What fills a screen: nothing on the stage is wider than the window, and sharper than twice is not seen.
function fitting(of) {
  return display(of, innerWidth * Math.min(devicePixelRatio, 2) > 1024 ? 2048 : 1024);
}

function picture(source, alt, extra = {}) {
  return make('img', { src: source, alt, draggable: 'false', ...extra });
}

function frame(ratio, label, ...content) {
  return make('figure', { class: 'frame', style: `--ratio:${ratio}` },
    make('div', { class: 'mat' }, ...content), make('figcaption', {}, ...[label].flat()));
}

// The result before this one, or a failed or cancelled run's: it stays, faded, until there is something newer to see.
function before() {
  const done = value().runs.filter((run) => run.cells.some((cell) => cell.url));
  return done.length ? fitting(done[done.length - 1].cells.find((cell) => cell.url)) : null;
}

function cellPicture(cell, index) {
  if (cell.withheld !== undefined) return make('div', { class: 'empty-cell withheld' }, cell.withheld);
  if (cell.url) return picture(fitting(cell), cell.alt, { class: 'result', 'data-cell': index });
  const older = cell.preview ? null : before();
  return make('div', { class: 'pending' }, picture(cell.preview || older || blank, older ? '' : words.preview,
    { class: `preview${older ? ' older' : ''}`, 'data-cell': index }));
}
const blank = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

function sideBySide(run, reference, ratio) {
  const cells = run ? run.cells : [];
  const figures = [frame(ratio, words.reference, picture(fitting(reference), reference.alt, { class: 'reference' }))];
  if (!cells.length) figures.push(frame(ratio, words.result, make('div', { class: 'empty-cell' }, words.resultHere)));
  cells.forEach((cell, index) => {
    const figure = frame(ratio, cell.caption, cellPicture(cell, index));
    if (cells.length > 1) {
      figure.classList.toggle('chosen', index === local.cell);
      figure.addEventListener('click', () => choose(run.id, index));
    }
    if (cell.url) figure.addEventListener('dblclick', openFull);
    figures.push(figure);
  });
  const grid = make('div', { class: 'side', style: `--columns:${columns(figures.length, ratio)};--rows:${Math.ceil(figures.length / columns(figures.length, ratio))};--ratio:${ratio}` }, ...figures);
  return [grid];
}

function slider(cell, reference, ratio) {
  const box = make('div', { class: 'compare', style: `--ratio:${ratio};--at:50%` },
    picture(fitting(reference), reference.alt, { class: 'reference' }),
    picture(fitting(cell), cell.alt, { class: 'result over' }),
    make('span', { class: 'tag left' }, words.reference), make('span', { class: 'tag right' }, words.result),
    make('span', { class: 'line', 'aria-hidden': 'true' }));
  const range = make('input', { type: 'range', min: 0, max: 100, value: 50, step: 1, 'aria-label': words.compare });
  range.addEventListener('input', () => box.style.setProperty('--at', `${range.value}%`));
  box.append(range);
  return [box];
}

function single(cell, ratio, index) {
  return [make('div', { class: 'single', style: `--ratio:${ratio}` }, frame(ratio, cell.caption, cellPicture(cell, index)))];
}

function welcome() {
  return [make('div', { class: 'welcome' },
    make('h2', {}, words.welcome), make('p', {}, words.welcomeHint),
    make('div', { class: 'cards' }, ...words.examples.map((example, index) => make('button',
      { type: 'button', class: 'card', onclick: () => trigger('example', { index }) },
      picture(example.url, ''), make('strong', {}, example.title), make('span', {}, example.prompt)))))];
}

function drawBody(run) {
  const reference = (run && run.reference) || value().reference;
  if (!reference) return welcome();
  const ratio = reference.width / reference.height;
  const cell = run && run.cells[local.cell];
  if (local.view === 'slider' && cell && cell.url) return slider(cell, reference, ratio);
  if (local.view === 'single' && cell) return single(cell, ratio, local.cell);
  return sideBySide(run, reference, ratio);
}

// ---- words around the pictures ---------------------------------------------------------------

function drawMessage(message, kind) {
  if (!message) return [];
  return [make('div', { class: `message ${kind}`, role: kind === 'failed' ? 'alert' : null },
    make('strong', {}, message.what), message.todo ? make('span', {}, message.todo) : null,
    message.charge ? make('em', {}, message.charge) : null)];
}

// A provider tells no steps: what is left to tell is the time, counted here between its words.
let since = null;
function elapsedWords(run) {
  if (run.elapsed === null) return '';
  const elapsed = Math.round((performance.now() - since.at) / 1000 + since.elapsed);
  const form = run.expected ? words.elapsedOf : words.elapsed;
  return ` · ${form.replace('{elapsed}', elapsed).replace('{expected}', Math.round(run.expected))}`;
}
setInterval(() => {
  const run = shownRun();
  const line = root.querySelector('.progress [data-elapsed]');
  if (run && line && run.elapsed !== null) line.textContent = elapsedWords(run);
}, 1000);

function drawProgress(run) {
  if (!run || !run.status) return [];
  since = { at: performance.now(), elapsed: run.elapsed };
  const indeterminate = run.fraction === null;
  return [make('div', { class: 'progress' },
    make('div', { class: `bar${indeterminate ? ' indeterminate' : ''}`, role: 'progressbar', 'aria-label': words.progress,
      'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': indeterminate ? null : Math.round(run.fraction * 100) },
      make('i', { style: `width:${indeterminate ? 30 : Math.round(run.fraction * 100)}%` })),
    make('span', {}, run.status, make('span', { 'data-elapsed': true }, elapsedWords(run))))];
}

function drawActions(run) {
  const cell = run && run.cells[local.cell];
  if (!cell || !cell.url) return [];
  const which = { run: run.id, cell: local.cell };
  return [
    button(words.useAsReference, () => trigger('use_reference', which)),
    button(words.reuseSettings, () => trigger('reuse_settings', which)),
    make('a', { class: 'button', href: cell.url, download: cell.filename }, words.download),
    button(words.fullView, openFull),
  ];
}

function drawFacts(run) {
  if (!run) return [];
  return [make('span', {}, run.size), make('span', {}, (run.cells[local.cell] || {}).facts || run.facts),
    ...run.notices.map((notice) => make('span', { class: 'notice' }, notice))];
}

function drawStrip(runs) {
  const done = runs.filter((run) => run.cells.some((cell) => cell.url)).reverse();
  if (!done.length) return [];
  const shown = shownRun();
  const thumbs = done.flatMap((run) => run.cells.map((cell, index) => cell.url && make('button', {
    type: 'button', class: 'thumb', 'aria-label': cell.alt,
    'aria-pressed': shown && run.id === shown.id && index === local.cell ? 'true' : 'false',
    onclick: () => choose(run.id, index) }, picture(display(cell, 256), '', { loading: 'lazy' }))).filter(Boolean));
  const reference = shown && shown.reference;
  return [make('span', { class: 'strip-label' }, words.session),
    reference ? make('span', { class: 'thumb reference-thumb' }, picture(display(reference, 256), words.reference)) : null,
    ...thumbs].filter(Boolean);
}

function drawViews(run) {
  const cell = run && run.cells[local.cell];
  return ['side', 'slider', 'single'].map((view) => button(words.views[view], () => {
    local.view = view;
    localStorage.setItem(memory, view);
    draw();
  }, { 'aria-pressed': String(local.view === view), disabled: view !== 'side' && !(cell && cell.url) }));
}

// ---- acting ------------------------------------------------------------------------------------

function choose(run, cell) {
  local.run = run;
  local.cell = cell;
  draw();
}

function openFull() {
  const run = shownRun();
  if (!run) return;
  const dialog = root.querySelector('dialog');
  const pictures = run.cells.filter((cell) => cell.url);
  let at = Math.max(0, pictures.indexOf(run.cells[local.cell]));
  const show = () => {
    const image = picture(pictures[at].url, pictures[at].alt, { class: 'fit' });
    image.addEventListener('click', () => image.classList.toggle('fit'));
    const step = (by) => { at = (at + by + pictures.length) % pictures.length; show(); };
    dialog.onkeydown = (event) => {
      if (event.key === 'ArrowRight') step(1);
      if (event.key === 'ArrowLeft') step(-1);
    };
    dialog.replaceChildren(make('div', { class: 'full-bar' },
      make('span', {}, pictures[at].caption),
      pictures.length > 1 ? button('‹', () => step(-1), { 'aria-label': words.previous }) : null,
      pictures.length > 1 ? button('›', () => step(1), { 'aria-label': words.next }) : null,
      button(words.close, () => dialog.close(), { autofocus: true })),
      make('div', { class: 'full-scroll' }, image));
  };
  show();
  dialog.showModal();
}

function follow() {
  const { current } = value();
  if (current && current !== local.followed) {
    Object.assign(local, { followed: current, run: null, cell: 0 });
  }
}

let spoken = '';
function speak(run) {
  // Screen readers hear the milestones, not each step.
  const text = run && run.spoken ? run.spoken : '';
  if (text !== spoken) root.querySelector('[data-part="live"]').textContent = spoken = text;
}

function draw() {
  follow();
  const { runs, reference, problem, waiting, spent } = value();
  const run = shownRun();
  const cells = run ? run.cells.map((cell) => [cell.url, cell.caption, cell.withheld]) : [];
  const wide = root.clientWidth;
  root.dataset.state = run ? run.state : reference ? 'reference' : 'empty';
  redraw('body', [local.view, run && run.id, cells, local.cell, (run && run.reference) || reference, wide], () => drawBody(run));
  if (run) {
    for (const image of root.querySelectorAll('img.preview')) {
      const { preview } = run.cells[Number(image.dataset.cell)] || {};
      if (!preview || image.src === preview) continue;
      image.src = preview;
      image.alt = words.preview;
      image.classList.remove('older');
    }
  }
  redraw('views', [local.view, cells, local.cell], () => drawViews(run));
  redraw('progress', [run && run.status, run && run.fraction, run && run.elapsed === null], () => drawProgress(run));
  redraw('message', [problem, run && run.error, run && run.state], () =>
    [...drawMessage(problem, 'failed'), ...drawMessage(run && run.error, run ? run.state : 'failed')]);
  redraw('facts', [run && run.id, local.cell, cells, run && run.facts, run && run.notices], () => drawFacts(run));
  redraw('actions', [run && run.id, local.cell, cells], () => drawActions(run));
  redraw('queue', [waiting, spent], () => [waiting, spent].filter(Boolean).map((each) => make('span', {}, each)));
  redraw('strip', [runs.map((each) => [each.id, each.cells.map((cell) => cell.url)]), run && run.id, local.cell], () => drawStrip(runs));
  speak(run);
}

new ResizeObserver(() => draw()).observe(root);
watch('value', draw);
draw();
