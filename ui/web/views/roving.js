// One Tab stop for a row of buttons: arrows, Home and End move within it.

const STEPS = new Map([
  ['ArrowRight', 1],
  ['ArrowDown', 1],
  ['ArrowLeft', -1],
  ['ArrowUp', -1],
]);

/**
 * Move the focus within a row of buttons.
 * @param {KeyboardEvent} event at the row
 */
export function roving(event) {
  const row = /** @type {HTMLElement} */ (event.currentTarget);
  const buttons = /** @type {HTMLElement[]} */ ([...row.querySelectorAll('button:not(:disabled)')]);
  const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const step = STEPS.get(event.key);
  if (at < 0 || (step === undefined && event.key !== 'Home' && event.key !== 'End')) return;
  event.preventDefault();
  event.stopPropagation();
  const next = step === undefined ? (event.key === 'Home' ? 0 : buttons.length - 1) : at + step;
  const target = buttons[Math.min(buttons.length - 1, Math.max(0, next))];
  for (const each of buttons) each.tabIndex = each === target ? 0 : -1;
  target?.focus();
}
