import type { Field } from './fields.js';

/** A field that contradicts the others, and what would agree with them. */
export interface CrossFieldIssue<R> {
  readonly field: keyof R & string;
  readonly expected: string;
}

/** What a record of one kind looks like. */
export interface RecordShape<R extends object> {
  /** The name of the type: `Bar`. */
  readonly name: string;
  /** Every field, including those that may be left out. */
  readonly fields: { readonly [K in keyof R & string]-?: Field<R[K] | (undefined extends R[K] ? undefined : never)> };
  /** What contradicts itself in a record whose fields are right one by one. */
  readonly crossFieldIssues?: (record: R) => readonly CrossFieldIssue<R>[];
}

/** All that is known of a kind of record, apart from where it is stored. */
export interface RecordDescription<R extends object> extends RecordShape<R> {
  /** What makes two records the same record, whatever their versions. */
  readonly key: (record: R) => string;
  /** When what the record says happened or became known, in Unix epoch milliseconds. */
  readonly eventTime: (record: R) => number;
  /** What is particular to it in files. */
  readonly inFiles?: RecordInFiles;
}

/** How the records of a kind differ from others when they are read from a file. */
export interface RecordInFiles {
  /** Its time has a time of day: a date alone is a column that was forgotten. */
  readonly hasTimeOfDay?: boolean;
  /** Its version says more than which of two is newer: a file must have it. */
  readonly needsSeq?: boolean;
  /** Whether a vendor means by this number that it does not know the figure; it is `null` then, also where a file lacks its column. */
  readonly isNoFigure?: (field: string, value: number) => boolean;
}

/** What is wrong with one field, or with one element of an array in it. */
export interface RecordIssue {
  readonly field: string;
  readonly index: number | undefined;
  readonly value: unknown;
  readonly expected: string;
}

const NONE: readonly RecordIssue[] = [];

/** Every field that is wrong; if none is, the contradictions between the fields. Empty means that `input` is an `R`. */
export function issuesOf<R extends object>(shape: RecordShape<R>, input: object): readonly RecordIssue[] {
  const given = input as Readonly<Record<string, unknown>>;
  const fields = shape.fields as Readonly<Record<string, Field<unknown>>>;
  let issues: RecordIssue[] | undefined;
  for (const name in fields) {
    const field = fields[name]!;
    const value = given[name];
    if (field.is(value)) continue;
    issues ??= [];
    issues.push(...fieldIssues(name, field, value));
  }
  if (issues) return issues;
  const contradictions = shape.crossFieldIssues?.(input as R);
  if (!contradictions || contradictions.length === 0) return NONE;
  return contradictions.map(({ field, expected }) => ({ field, index: undefined, value: given[field], expected }));
}

function fieldIssues(name: string, { expected, element }: Field<unknown>, value: unknown): readonly RecordIssue[] {
  if (!element || !Array.isArray(value)) return [{ field: name, index: undefined, value, expected }];
  return value.flatMap((one: unknown, index) =>
    element.is(one) ? [] : [{ field: name, index, value: one, expected: element.expected }],
  );
}
