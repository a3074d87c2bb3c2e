// The values of `/studio/v1` as the page sees them: api.d.ts, which is made from the server's OpenAPI description, with
// what that cannot say. Modules import them from here:
//   /** @import { Job, Result } from '../types.js' */

import type { components } from './api.d.ts';

export type Schemas = components['schemas'];

/** A message's variable: text, a number, or another message. */
export type Value = string | number | boolean | Message;

/** Something to say to a person: a code of `ui/locales/*.ftl` and its variables. */
export interface Message {
  code: string;
  values: { [name: string]: Value };
}

/** A refusal, or what ended a job: at which field, and whether money was taken; null where nobody knows. */
export interface StudioError extends Message {
  field: string | null;
  charged: boolean | null;
}

/** The names of an object's fields; none for a dictionary. */
type Fields<T> = keyof { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] };

/** A schema's value: messages are whole, every field is there, and fields of a newer version are not counted on. */
export type Of<T> = T extends Schemas['ErrorView']
  ? StudioError
  : T extends Schemas['MessageView']
    ? Message
    : T extends (infer U)[]
      ? Of<U>[]
      : T extends object
        ? [Fields<T>] extends [never]
          ? { [key: string]: Of<T[keyof T]> }
          : { [K in Fields<T>]-?: Of<T[K]> }
        : T;

export type ParamValue = number | string | boolean;
export type ImageRef = Of<Schemas['ImageRef']>;
/** A stored picture that a run can start from, and the name of the file that it came from. */
export type Reference = Of<Schemas['ReferenceView']> & { name: string | null };
export type StyleUse = Of<Schemas['StyleUse']>;
/** What repeats a picture; see docs/recipe.schema.json. */
export type Recipe = Of<Schemas['Recipe']>;
/** What a file says of how it was made, and which tool wrote it. */
export type ReadRecipe = Of<Schemas['ReadRecipe']>;
export type FoundRecipe = Of<Schemas['FoundRecipe']>;
export type Param = Of<Schemas['ParamView']>;
export type Style = Of<Schemas['StyleView']>;
export type Pace = Of<Schemas['PaceView']>;
/** What a backend offers, and how it is now. */
export type Backend = Of<Schemas['BackendView']>;
/** How a backend is now. */
export type Status = Pick<Backend, 'ready' | 'words' | 'price' | 'pace'>;
export type Specs = Of<Schemas['Specs']>;
export type JobState = Schemas['JobView']['state'];

export type JobEvent =
  | { kind: 'queued'; position: number }
  | { kind: 'loading'; stage: Message; done: number; total: number }
  | { kind: 'progress'; step: number; total: number }
  | { kind: 'working'; status: string; done: number; total: number }
  | { kind: 'done' };

/** A request on its way. */
export type Job = Omit<Of<Schemas['JobView']>, 'event'> & { event: JobEvent | null };
/** One picture of a job, or the reason why it is missing. */
export type Result = Of<Schemas['ResultView']>;
/** What is stored, and what may be removed for more. */
export type Room = Pick<
  Of<Schemas['LibraryView']>,
  'full' | 'quota_bytes' | 'free_bytes' | 'removable_bytes' | 'removable_pictures' | 'goes_first' | 'oldest'
>;
/** What one's runs have cost. */
export type Spending = Of<Schemas['Spending']>;
export type ResultPage = Of<Schemas['Results']>;
/** The body of `POST /jobs`, with every setting that the backend has. */
export type JobBody = Of<Schemas['NewJob']> & { params: { [name: string]: ParamValue }; num_images: number };

/** How everything stands; the first event of a stream. */
export interface Hello {
  build: string;
  /** The server's clock. */
  now: number;
  backends: { [key: string]: Status };
  /** Unfinished ones, and those that ended lately. */
  jobs: Job[];
  total: number;
  /** The number of the latest change of what is stored. */
  revision: number;
  /** After a resumed stream: what is new since. */
  results?: Result[];
  deleted?: number[];
  /** How far unfinished experiments are, and those that ended lately. */
  experiments?: Standing[];
  /** Too much has changed: fetch the first page of results again. */
  stale?: boolean;
}

/** What changed. Merge by id; arrays replace. */
export interface Change {
  backends?: { [key: string]: Partial<Status> };
  jobs?: (Partial<Job> & { id: string })[];
  results?: Result[];
  deleted?: number[];
  total?: number;
  /** How far experiments are. */
  experiments?: Standing[];
  revision?: number;
  /** Too much has changed: fetch the first page of results again. */
  stale?: boolean;
}

/** How far an experiment is. */
export type Standing = Pick<Experiment, 'id'> & Partial<Pick<Experiment, 'state' | 'why' | 'waiting' | 'needs_keys'>>;
type Experiment = Of<Schemas['ExperimentSummary']>;

export type View = 'pair' | 'slider' | 'single';
export type Mode = 'make' | 'explore' | 'library' | 'compare';
/** `connecting` at first and for a moment after a loss, `offline` when that lasts. */
export type Connection = 'connecting' | 'live' | 'offline';

/** What the stage shows: one result, one job, or (null) whatever the form is about to make or is making. */
export type Shown = { result: number } | { job: string } | null;

/** The form and the view of one tab, as they outlive it. */
export interface Draft {
  version: 1;
  /** Milliseconds since 1970 of the last change. */
  at: number;
  reference: Reference | null;
  prompt: string;
  style: StyleUse[];
  /** '' for the first that there is. */
  backend: string;
  /** Of any backend, by name, without seed and number of images: a switch there and back loses nothing. */
  params: { [name: string]: ParamValue };
  /** Null to draw one. */
  seed: number | null;
  /** Whether the next run takes the same seed again. */
  lock: boolean;
  count: number;
  mode: Mode;
  view: View;
  /** Where the slider's line stands, from 0 to 1. */
  split: number;
  shown: Shown;
  /** The job that the stage has followed to its end. */
  last: string | null;
  /** The results that are compared, in their order. */
  picked: number[];
  /** What the runs of this tab have cost, those of its jobs that are not counted yet, and its experiments. */
  spent: { dollars: number; open: string[]; experiments: string[] };
  /** US dollars that this tab may spend; null for no limit. */
  budget: number | null;
  /** Likewise, that all of a day's runs may cost. */
  dayBudget: number | null;
}

/** The part of a draft that a recipe can fill in. */
export type Form = Pick<Draft, 'reference' | 'prompt' | 'style' | 'backend' | 'params' | 'seed' | 'lock' | 'count'>;
