// Colours as plain words, for a prompt: "muted teal, warm sand".

/** Names that a model has read often, with a colour of each. @type {{ [name: string]: string }} */
export const NAMES = {
  black: '#0c0c0d',
  charcoal: '#35383c',
  'slate grey': '#6b747d',
  grey: '#868686',
  'silver grey': '#b9bdc0',
  'off-white': '#ece9e2',
  white: '#fdfdfd',
  cream: '#f3e6c4',
  beige: '#dccbb0',
  'warm sand': '#d3b58a',
  taupe: '#8c7c6e',
  'dark brown': '#41291b',
  'chestnut brown': '#74452a',
  'warm brown': '#9a6a43',
  terracotta: '#c2653f',
  rust: '#a4441f',
  maroon: '#5d1a22',
  'deep red': '#96161f',
  'bright red': '#dd2a2a',
  coral: '#f07e68',
  'dusty rose': '#c48f92',
  'pale pink': '#f2cfd2',
  'hot pink': '#e6468f',
  magenta: '#c4269c',
  'burnt orange': '#c75d14',
  'bright orange': '#f58a1e',
  peach: '#f6bd95',
  amber: '#e0a021',
  'golden yellow': '#efc23a',
  'bright yellow': '#f6e62b',
  'pale yellow': '#f6efa6',
  ochre: '#b8862f',
  mustard: '#c3a52f',
  olive: '#73722f',
  'moss green': '#5e7a3f',
  'lime green': '#a2d430',
  'bright green': '#35b445',
  'sage green': '#9db094',
  'forest green': '#27512f',
  'dark green': '#14301d',
  'emerald green': '#15906a',
  mint: '#b5e4cd',
  teal: '#14858a',
  'muted teal': '#5d9191',
  'dark teal': '#0d4a4f',
  turquoise: '#3fc7c4',
  'pale aqua': '#c4e6e6',
  'sky blue': '#7fbde8',
  'powder blue': '#b6cfe2',
  'steel blue': '#4f7ba3',
  'bright blue': '#2a6be0',
  'deep blue': '#1e3f94',
  'navy blue': '#17233f',
  indigo: '#433a96',
  'bright violet': '#7d3fd0',
  lavender: '#bdb2e2',
  'muted purple': '#7b6491',
  'deep purple': '#43204f',
  plum: '#7d3560',
};

/** @typedef {[number, number, number]} Lab */

/**
 * Return a colour in OKLab, in which what looks alike is near.
 * @param {string} hex such as "#5d9191"
 * @returns {Lab}
 */
function labOf(hex) {
  const linear = (/** @type {number} */ at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const [r, g, b] = [linear(1), linear(3), linear(5)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** @type {[string, Lab][]} */
const PLACES = Object.entries(NAMES).map(([name, hex]) => [name, labOf(hex)]);

/**
 * Return what a colour is called: the name of the nearest that has one. A wrong hue is seen before a wrong lightness.
 * @param {string} hex such as "#5d9191"
 */
export function colourName(hex) {
  const [l, a, b] = labOf(hex);
  let best = '';
  let least = Number.POSITIVE_INFINITY;
  for (const [name, [otherL, otherA, otherB]] of PLACES) {
    const distance = (l - otherL) ** 2 + 4 * ((a - otherA) ** 2 + (b - otherB) ** 2);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/**
 * Return a palette as words of a prompt, each name once.
 * @param {readonly { hex: string }[]} palette
 */
export function promptWords(palette) {
  return [...new Set(palette.map(({ hex }) => colourName(hex)))].join(', ');
}
