/** A step that brings the store nearer to what the server offers. Done once, it is missing no more. */
export interface FeatureStep {
  readonly name: string;
  /** One line for a person. */
  readonly what: string;
  readonly statements: readonly string[];
  /** What to say where the right is missing, and go on without the step. Undefined: then the migration fails. */
  readonly withoutIt?: string;
}

/** A duration as SQL. */
export function interval(ms: number): string {
  return `interval '${ms} milliseconds'`;
}

/** A duration as a person says it. */
export function said(ms: number): string {
  if (ms % 86_400_000 === 0) return plural(ms / 86_400_000, 'day');
  if (ms % 3_600_000 === 0) return plural(ms / 3_600_000, 'hour');
  return plural(ms / 60_000, 'minute');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
