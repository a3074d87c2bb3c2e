// The values of the library as its modules see them: those of the API, and what it does not describe.

import type { Of, Schemas } from '../types.js';

/** What narrows and sorts the library: query parameters of `GET /results`, those that are set. */
export interface Filter {
  [name: string]: string;
}

/** A part of the list that is fetched at once; its day is null where the list is not sorted by date. */
export type Block = Of<Schemas['BlockView']>;
export type Index = Of<Schemas['Index']>;
export type Project = Of<Schemas['ProjectView']>;
/** What there is, and by what it can be filtered. */
export type Facets = Of<Schemas['LibraryView']>;
/** Parents from the nearest to the first, the photo that the first was made of, and children. */
export type Lineage = Of<Schemas['LineageView']>;
/** What came in with an archive: its project, how many results are new, and how many were here already. */
export type Imported = Of<Schemas['Imported']>;
/** What is changed of results. */
export type Patch = Partial<Omit<Schemas['Noted'], 'ids'>>;

/** What makes a result again, outside of the page. */
export interface Code {
  curl: string;
  python: string;
  javascript: string;
}
