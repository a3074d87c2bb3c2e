import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textsOf } from './embedded.js';

const bytes = (/** @type {string} */ text) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));
const big = (/** @type {number} */ size) =>
  String.fromCharCode(size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255);
const little = (/** @type {number} */ size) => [...big(size)].reverse().join('');
const chunk = (/** @type {string} */ kind, /** @type {string} */ data) => `${big(data.length)}${kind}${data}CRC.`;
const png = (/** @type {string[]} */ ...chunks) => bytes(`\x89PNG\r\n\x1a\n${chunks.join('')}`);
const segment = (/** @type {string} */ kind, /** @type {string} */ data) =>
  `\xff${kind}${big(data.length + 2).slice(2)}${data}`;
const webp = (/** @type {[string, string][]} */ chunks) => {
  const body = chunks
    .map(([kind, data]) => `${kind}${little(data.length)}${data}${data.length % 2 ? '\0' : ''}`)
    .join('');
  return bytes(`RIFF${little(body.length + 4)}WEBP${body}`);
};

test("a PNG's texts come without its pixels", () => {
  const [head, end] = [chunk('IHDR', '0123456789abc'), chunk('IEND', '')];
  const text = chunk('iTXt', 'srpo-studio\0\0\0\0\0{}');
  const whole = png(head, text, chunk('IDAT', 'x'.repeat(1000)), chunk('tEXt', 'Software\0GIMP'), end);
  assert.deepEqual(textsOf(whole), png(head, text, chunk('tEXt', 'Software\0GIMP'), end));
});

test('a PNG with texts that are no settings, or none, gives nothing', () => {
  assert.equal(textsOf(png(chunk('IHDR', 'x'), chunk('tEXt', 'Software\0GIMP'), chunk('IEND', ''))), null);
  assert.equal(textsOf(png(chunk('IHDR', 'x'), chunk('IDAT', 'parameters'))), null);
});

test("a JPEG's comments are read in UTF-16 as in ASCII, and a photo's EXIF gives nothing", () => {
  const utf16 = [...'Steps: 20'].map((sign) => `\0${sign}`).join('');
  const own = segment('\xe1', `Exif\0\0${utf16}`);
  const pixels = `${segment('\xda', 'x')}Steps: 20`;
  assert.deepEqual(
    textsOf(bytes(`\xff\xd8${segment('\xe0', 'JFIF')}${own}${pixels}`)),
    bytes(`\xff\xd8${own}\xff\xd9`),
  );
  assert.equal(textsOf(bytes(`\xff\xd8${segment('\xe1', 'Exif\0\0Canon')}${pixels}`)), null);
});

test("a WebP's blocks behind the picture are found", () => {
  const xmp = '<x srpo:recipe="{}"/>';
  assert.deepEqual(
    textsOf(
      webp([
        ['VP8X', 'x'.repeat(10)],
        ['VP8 ', 'y'.repeat(31)],
        ['XMP ', xmp],
      ]),
    ),
    webp([['XMP ', xmp]]),
  );
  assert.equal(textsOf(webp([['VP8 ', 'srpo']])), null);
});

test('damaged and other files end the reading, wherever they are cut', () => {
  const whole = png(chunk('IHDR', 'x'), chunk('tEXt', 'parameters\0a lake'), chunk('IEND', ''));
  for (let size = 0; size < whole.length; size += 1) textsOf(whole.subarray(0, size));
  for (const text of ['', 'GIF89a', '\xff\xd8', '\xff\xd8\xff', '\xff\xd8\xff\xe1\xff\xff', 'RIFF\0\0\0\0WEBPEXIF'])
    assert.equal(textsOf(bytes(text)), null);
});
