// What kind of picture a file is, by its first bytes: the page's box takes only what the browser calls a picture, and
// browsers go by the name's end alone. What is no picture is handed on too, so that the stage can name it.
const pictureFiles = (() => {
  const HEAD = 32;

  const ascii = (head, from, to) => String.fromCharCode(...head.slice(from, to));

  // The brands of an ISO media file's first box: its own, and those that it is compatible with.
  function brand(head) {
    if (ascii(head, 4, 8) !== 'ftyp') return null;
    const brands = [ascii(head, 8, 12)];
    for (let at = 16; at + 4 <= head.length; at += 4) brands.push(ascii(head, at, at + 4));
    if (brands.some((each) => ['avif', 'avis'].includes(each))) return 'avif';
    return brands.some((each) => ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'].includes(each)) ? 'heic' : null;
  }

  // By kind: the MIME type, and the ends of names that go with it, the usual one first.
  const KINDS = {
    png: ['image/png', 'png', 'apng'],
    jpeg: ['image/jpeg', 'jpg', 'jpeg', 'jpe', 'jfif', 'mpo'],
    webp: ['image/webp', 'webp'],
    gif: ['image/gif', 'gif'],
    bmp: ['image/bmp', 'bmp', 'dib'],
    tiff: ['image/tiff', 'tif', 'tiff'],
    avif: ['image/avif', 'avif', 'avifs'],
    heic: ['image/heic', 'heic', 'heif', 'hif'],
  };

  function kindOf(head) {
    const start = ascii(head, 0, 4);
    if (start === '\x89PNG') return 'png';
    if (start.startsWith('\xff\xd8')) return 'jpeg';
    if (start === 'RIFF' && ascii(head, 8, 12) === 'WEBP') return 'webp';
    if (start === 'GIF8') return 'gif';
    if (start.startsWith('BM')) return 'bmp';
    if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(start)) return 'tiff';
    return brand(head);
  }

  // Return a name and a MIME type under which the box takes a file that begins with these bytes.
  function described(name, head) {
    const kind = kindOf(head);
    if (!kind) return { name, type: 'image/unknown' };
    const [type, ...ends] = KINDS[kind];
    const end = name.includes('.') ? name.split('.').pop().toLowerCase() : '';
    return { name: ends.includes(end) ? name : `${name}.${ends[0]}`, type };
  }

  async function taken(file) {
    const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
    const { name, type } = described(file.name, head);
    return name === file.name && type === file.type ? file : new File([file], name, { type });
  }

  return { described, taken };
})();
