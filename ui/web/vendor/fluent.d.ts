// The types of fluent.js are the package's own; tsconfig.json says where they are installed.

export type { FluentVariable } from '@fluent/bundle';
export { FluentBundle, FluentNumber, FluentResource } from '@fluent/bundle';
