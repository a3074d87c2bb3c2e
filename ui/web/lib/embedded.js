// What a picture's file says in text, without its pixels: enough for the server to read how it was made, and small.

/** Keywords of PNG's texts that hold settings; a keyword such as `Software` alone says nothing. */
const KEYWORDS = new Set([
  'srpo-studio',
  'parameters',
  'prompt',
  'workflow',
  'invokeai_metadata',
  'sd-metadata',
  'Dream',
  'Comment',
  'Description',
]);
/** What stands in the settings that tools write into JPEG and WebP; photos have EXIF and XMP too. */
const TRACES = /srpo|Steps: \d|sui_image_params|class_type|prompt|fooocus|NovelAI/i;
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Return a file of the same kind with the texts of a picture alone; null where none can be settings.
 * @param {Uint8Array} bytes of a PNG, JPEG or WebP file; of all others there is nothing to return
 * @returns {Uint8Array | null}
 */
export function textsOf(bytes) {
  if (PNG.every((byte, at) => bytes[at] === byte)) return textsOfPng(bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return textsOfJpeg(bytes);
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return textsOfWebp(bytes);
  return null;
}

/** @param {Uint8Array} bytes */
function textsOfPng(bytes) {
  const parts = [bytes.subarray(0, PNG.length)];
  let found = false;
  for (let at = PNG.length; at + 12 <= bytes.length; ) {
    const end = at + 12 + uint32(bytes, at);
    const kind = ascii(bytes, at + 4, at + 8);
    if (end > bytes.length) break;
    if (['tEXt', 'zTXt', 'iTXt'].includes(kind)) {
      const keyword = ascii(bytes, at + 8, Math.min(end, at + 88)).split('\0', 1)[0] ?? '';
      found ||= KEYWORDS.has(keyword);
      parts.push(bytes.subarray(at, end));
    } else if (kind === 'eXIf') {
      found ||= traces(bytes.subarray(at, end));
      parts.push(bytes.subarray(at, end));
    } else if (kind === 'IHDR' || kind === 'IEND') parts.push(bytes.subarray(at, end));
    at = end;
  }
  return found ? joined(parts) : null;
}

/** @param {Uint8Array} bytes */
function textsOfJpeg(bytes) {
  const parts = [bytes.subarray(0, 2)];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const kind = bytes[at + 1];
    const end = at + 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    if (kind === 0xda || end > bytes.length) break; // from here on there are pixels
    if (kind === 0xe1 || kind === 0xfe) parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts.some(traces) ? joined([...parts, Uint8Array.of(0xff, 0xd9)]) : null;
}

/** @param {Uint8Array} bytes */
function textsOfWebp(bytes) {
  const parts = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = uint32(bytes, at + 4, true);
    const end = Math.min(bytes.length, at + 8 + size + (size % 2));
    if (['EXIF', 'XMP '].includes(ascii(bytes, at, at + 4))) parts.push(bytes.subarray(at, end));
    at = end;
  }
  if (!parts.some(traces)) return null;
  const body = joined(parts);
  const head = Uint8Array.from('RIFF\0\0\0\0WEBP', (sign) => sign.charCodeAt(0));
  new DataView(head.buffer).setUint32(4, body.length + 4, true);
  return joined([head, body]);
}

/**
 * Return whether a block has something in it that settings have. Of UTF-16, every second byte is zero.
 * @param {Uint8Array} block
 */
function traces(block) {
  return TRACES.test(new TextDecoder('latin1').decode(block).replaceAll('\0', ''));
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {boolean} [little] whether the smallest byte comes first
 */
function uint32(bytes, at, little = false) {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, little);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} from
 * @param {number} to
 */
function ascii(bytes, from, to) {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
