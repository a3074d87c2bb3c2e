// What the explore view works with, beside the values of `/studio/v1`.

import type { Of, ParamValue, Schemas, StyleUse } from '../types.js';

/** An axis as a person fills it in. */
export interface Entry {
  /** A parameter's name, or `style`, `prompt`, `backend`, `reference`. */
  name: string;
  /** Numbers, a range of them, or prompts, as they are typed. */
  text: string;
  /** What is picked: ids of styles, keys of backends, digests of references, choices; '' is no style. */
  picked: string[];
}

export type AxisValue = ParamValue | StyleUse[];
/** An axis of a request. */
export type AxisBody = {
  name: string;
  values?: AxisValue[];
  spread?: { low: number; high: number; count: number };
  search?: string;
};
export type NewExperiment = {
  reference: string;
  base: { backend: string; prompt: string; style: StyleUse[]; params: { [name: string]: ParamValue } };
  axes: AxisBody[];
  confirm?: boolean;
};
export type Plan = Of<Schemas['PlanView']>;
export type Summary = Of<Schemas['ExperimentSummary']>;
export type CellState = Schemas['CellView']['state'];
export type ExperimentCell = Omit<Of<Schemas['CellView']>, 'state'> & { state: CellState };
/** An experiment as the page has it; each cell knows how far its job is. */
export type Experiment = Omit<Of<Schemas['ExperimentView']>, 'axes' | 'cells'> & {
  axes: { name: string; values: AxisValue[] }[];
  cells: (ExperimentCell & Live)[];
};
/** How far the job of a cell is. */
export interface Live {
  step?: number | null;
  total?: number | null;
  preview?: number;
  cost?: number | null;
}
/** A place of an axis on the screen. */
export interface Line {
  /** Its place in the axis of the experiment. */
  at: number;
  value: AxisValue;
}
/** What is drawn of an experiment: its axes in the order of the screen, without what is hidden. */
export interface Sheet {
  columns: Line[];
  rows: Line[];
  pages: Line[];
  /** The cell of a place on the screen. */
  cell: (column: number, row: number, page: number) => (ExperimentCell & Live) | null;
}
