// Makes the single files in ui/web/vendor of the packages pinned in package.json: `make vendor`.
// With --check it writes nothing, and fails where a file is not what this command makes.
//
// Each is one file because two copies of lit-html do not know each other's directives, and @fluent/bundle has no module
// in one file. The app serves them as they are: a Space needs no build and asks no other host.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const directives = {
  'class-map': 'classMap',
  guard: 'guard',
  keyed: 'keyed',
  live: 'live',
  ref: 'createRef, ref',
  repeat: 'repeat',
  'style-map': 'styleMap',
};

const sources = {
  lit: {
    package: 'lit-html',
    licence: 'BSD-3-Clause',
    copyright: 'Copyright 2017 Google LLC',
    contents: [
      "export { html, nothing, noChange, render, svg } from 'lit-html';",
      ...Object.entries(directives).map(([file, names]) => `export { ${names} } from 'lit-html/directives/${file}.js';`),
    ].join('\n'),
  },
  fluent: {
    package: '@fluent/bundle',
    licence: 'Apache-2.0',
    copyright: 'Copyright Mozilla Foundation and others',
    contents: "export { FluentBundle, FluentNumber, FluentResource } from '@fluent/bundle';",
  },
};

const here = new URL('.', import.meta.url);
const vendor = new URL('../../ui/web/vendor/', here);
const checking = process.argv.includes('--check');
const recorded = {};
let wrong = 0;

for (const [name, source] of Object.entries(sources)) {
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${source.package}/package.json`, here), 'utf8'));
  const made = await build({
    stdin: { contents: source.contents, resolveDir: here.pathname },
    banner: { js: `// ${source.package} ${version}, ${source.copyright}, ${source.licence}: see LICENSE-${name}` },
    bundle: true,
    format: 'esm',
    legalComments: 'none',
    minify: true,
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const { text } = made.outputFiles[0];
  const sha256 = createHash('sha256').update(text).digest('hex');
  recorded[`${name}.js`] = { package: source.package, version, licence: source.licence, sha256 };
  put(`${name}.js`, text);
}
put('vendor.json', `${JSON.stringify(recorded, null, 2)}\n`);
process.exitCode = wrong ? 1 : 0;

function put(name, text) {
  const file = new URL(name, vendor);
  if (!checking) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`ui/web/vendor/${name} is not what \`make vendor\` makes.`);
    wrong += 1;
  }
}
