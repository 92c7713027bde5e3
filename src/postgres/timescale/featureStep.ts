import { quoteLiteral } from '../identifiers.js';
import type { Policy, StoreCatalogue } from './catalogue.js';
import type { TimescaleSettings } from './settings.js';

/** A step that brings the store nearer to what the server offers. Once applied, it is no longer missing. */
export interface FeatureStep {
  readonly name: string;
  /** One line for humans. */
  readonly what: string;
  /** Statements that cannot be part of a transaction, to be done before the others. To do them again changes nothing. */
  readonly before?: readonly string[];
  readonly statements: readonly string[];
  /** The note to leave if the right to the step is missing; migration then continues without it. Undefined: it fails. */
  readonly withoutIt?: string;
}

/** What the steps are planned by. */
export interface Planning {
  readonly catalogue: StoreCatalogue;
  readonly settings: TimescaleSettings;
  /** The schema of the store. */
  readonly schema: string;
  /** The schema of the extension, quoted. */
  readonly extension: string;
}

/** A step without the statements that do not apply. */
export function stepOf(name: string, what: string, ...statements: (string | false | undefined)[]): FeatureStep {
  return { name, what, statements: statements.filter((statement) => typeof statement === 'string') };
}

export function policyOf({ catalogue }: Planning, proc: string, of: string): Policy | undefined {
  return catalogue.policies.find((policy) => policy.proc === proc && policy.of === of);
}

/** A table or view as an argument of a function. */
export function regclass(qualified: string): string {
  return `${quoteLiteral(qualified)}::regclass`;
}

/** An instant as SQL. */
export function instant(ms: number): string {
  return `timestamptz '${new Date(ms).toISOString()}'`;
}

/** A duration as SQL. */
export function interval(ms: number): string {
  return `interval '${ms} milliseconds'`;
}

/** A duration for humans. */
export function durationText(ms: number): string {
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ] as const;
  const [unitMs, noun] = units.find(([unit]) => ms % unit === 0) ?? [60_000, 'minute'];
  const count = ms / unitMs;
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
