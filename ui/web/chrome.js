// What stands around the studio: tabs, help, the theme, the API's examples.

import { setSingleKeys, singleKeys } from './keys.js';

const THEME = 'srpo-studio:theme';
/** Pixels of a window's height in which the form has room for all of its settings. */
const ROOMY = 1200;

/**
 * Wire the header; what it needs stands in the document already.
 * @param {(tab: string) => void} onTab called with the tab that a person chooses
 */
export function startChrome(onTab) {
  const choose = (/** @type {HTMLElement} */ tab) => {
    show(tab);
    onTab(document.body.dataset.tab ?? '');
  };
  keepTheme();
  const keys = /** @type {HTMLInputElement | null} */ (document.getElementById('single-keys'));
  if (keys) keys.checked = singleKeys();
  keys?.addEventListener('change', () => setSingleKeys(keys.checked));
  document.addEventListener('click', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest('#theme-button')) switchTheme();
    if (target.closest('#help-button'))
      /** @type {HTMLDialogElement | null} */ (document.getElementById('help'))?.showModal();
    const tab = target.closest('#corner [role="tab"]');
    if (tab) choose(/** @type {HTMLElement} */ (tab));
    const language = target.closest('#api [data-language]:not(pre)');
    if (language) showLanguage(/** @type {HTMLElement} */ (language));
    const copy = target.closest('#api [data-copy]');
    if (copy) copyExample(/** @type {HTMLElement} */ (copy));
  });
  document.addEventListener('keydown', (event) => {
    const tab = /** @type {HTMLElement} */ (event.target).closest?.('#corner [role="tab"]');
    if (!tab || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    const forward = event.key === 'ArrowRight';
    const other = /** @type {HTMLElement | null} */ (forward ? tab.nextElementSibling : tab.previousElementSibling);
    if (!other) return;
    choose(other);
    other.focus();
  });
}

/**
 * Open all settings where the form's column has room for them.
 * @returns {boolean} whether there is nothing more to do: a click may come before gradio listens
 */
export function openSettings() {
  if (innerHeight < ROOMY) return true;
  const button = /** @type {HTMLElement | null} */ (document.querySelector('#more button'));
  if (button?.classList.contains('open')) return true;
  button?.click();
  return false;
}

/** @returns {boolean} whether a dialog lies over everything */
export function inDialog() {
  return document.querySelector('dialog[open]') !== null;
}

/** @returns {boolean} whether the API's tab has taken the studio's place */
export function onApiTab() {
  return document.body.dataset.tab === 'api';
}

/** @returns {boolean} whether something lies over the studio, or another tab is chosen */
export function covered() {
  return onApiTab() || inDialog();
}

/** @returns {boolean} whether another mode has taken the form's place: a phone has room for one of them */
export function formHidden() {
  return (
    ['library', 'compare'].includes(document.body.dataset.tab ?? '') &&
    !document.getElementById('left')?.getClientRects().length
  );
}

/** @param {'studio' | 'explore' | 'library' | 'compare'} name of the tab that the address leads to */
export function showTab(name) {
  if ((document.body.dataset.tab ?? 'studio') !== name)
    show(/** @type {HTMLElement} */ (document.getElementById(`${name}-tab`)));
}

// Gradio sets its own class at some time around this: hold the person's choice against it once.
function keepTheme() {
  const wanted = localStorage.getItem(THEME);
  if (!wanted) return;
  setTheme(wanted);
  const once = new MutationObserver(() => {
    if (dark() !== (wanted === 'dark')) setTheme(wanted);
  });
  once.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  setTimeout(() => once.disconnect(), 3000);
}

const dark = () => document.body.classList.contains('dark');

/** @param {string} theme */
function setTheme(theme) {
  document.body.classList.toggle('dark', theme === 'dark');
  document.documentElement.style.colorScheme = theme;
}

function switchTheme() {
  const theme = dark() ? 'light' : 'dark';
  setTheme(theme);
  localStorage.setItem(THEME, theme);
}

/** @param {HTMLElement} tab */
function show(tab) {
  for (const each of /** @type {HTMLElement[]} */ ([...(tab.parentElement?.children ?? [])])) {
    each.setAttribute('aria-selected', String(each === tab));
    each.tabIndex = each === tab ? 0 : -1;
  }
  document.body.dataset.tab = tab.id.replace(/-tab$/, '');
  const panel = /** @type {HTMLElement | null} */ (document.querySelector('#api [data-src]'));
  if (document.body.dataset.tab === 'api' && panel && !panel.querySelector('section')) void fetchExamples(panel);
}

/**
 * Fill the API's tab with the examples, which carry this app's address.
 * @param {HTMLElement} panel
 */
async function fetchExamples(panel) {
  const answer = await fetch(new URL(panel.dataset.src ?? '', document.baseURI)).catch(() => null);
  if (!answer?.ok) {
    panel.textContent = panel.dataset.lost ?? ''; // whoever opens the tab once more asks once more
    return;
  }
  const here = new URL('.', location.href).href.replace(/\/$/, '');
  panel.innerHTML = (await answer.text()).replaceAll('http://127.0.0.1:7860', here);
}

/** @param {HTMLElement} chosen */
function showLanguage(chosen) {
  for (const each of /** @type {HTMLElement[]} */ ([
    ...(chosen.closest('section')?.querySelectorAll('[data-language]') ?? []),
  ])) {
    const mine = each.dataset.language === chosen.dataset.language;
    if (each.tagName === 'PRE') each.hidden = !mine;
    else each.setAttribute('aria-pressed', String(mine));
  }
}

/** @param {HTMLElement} button */
async function copyExample(button) {
  await navigator.clipboard.writeText(button.closest('section')?.querySelector('pre:not([hidden])')?.textContent ?? '');
  const words = button.textContent;
  button.textContent = button.dataset.done ?? '';
  setTimeout(() => {
    button.textContent = words;
  }, 1500);
}
