import type { DivertReason } from '../contracts/diversion.js';
import { requireKnownOptions, requireNumber, requireOneOf, requireText } from '../primitives/validate.js';
import type { ErrorRecord } from './errorRecord.js';

/** Items that a pipeline has given up, and what is known about it. */
export interface DeadLetter<T = unknown> {
  /** Names its segment, and its place there. */
  readonly id: string;
  /** When its items were given up first, in Unix epoch milliseconds. */
  readonly at: number;
  readonly pipeline: string;
  readonly stage: string;
  readonly reason: DivertReason;
  /** What was the matter, without secrets; `null` where nothing was. */
  readonly error: ErrorRecord | null;
  /** How often a sink was asked to take the items, replays included. */
  readonly attempts: number;
  /** How many replays have failed to write them, or have not come back from it. */
  readonly replays: number;
  /** The letter that this one is the rest of. */
  readonly previous?: string;
  /** The `kind` of its items, `mixed` where they have several, `null` where they have none. */
  readonly kind: string | null;
  readonly items: readonly T[];
}

/** `open`: waits for a replay. `parked`: has failed too often, and waits for a person. */
export type LetterState = 'open' | 'parked';

/** Which letters are meant: those that meet all that is given. */
export interface LetterFilter {
  readonly ids?: readonly string[];
  readonly stage?: string;
  readonly reason?: string;
  readonly kind?: string;
  /** Given up at this time or later, in Unix epoch milliseconds. */
  readonly from?: number;
  /** Given up before this time, in Unix epoch milliseconds. */
  readonly to?: number;
  /** Default `open`. */
  readonly state?: LetterState;
}

/** Letters, and the items in them. */
export interface Tally {
  readonly letters: number;
  readonly items: number;
}

export function requireFilter(owner: string, filter: LetterFilter): LetterFilter {
  requireKnownOptions(`${owner}: filter`, filter, ['ids', 'stage', 'reason', 'kind', 'from', 'to', 'state']);
  const { ids, from, to, state } = filter;
  if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === 'string'))) {
    throw new RangeError(`${owner}: ids must be a list of texts, got ${JSON.stringify(ids)}`);
  }
  for (const option of ['stage', 'reason', 'kind'] as const) {
    if (filter[option] !== undefined) requireText(owner, option, filter[option]);
  }
  if (from !== undefined) requireNumber(owner, 'from', from);
  if (to !== undefined) requireNumber(owner, 'to', to);
  if (state !== undefined) requireOneOf(owner, 'state', state, ['open', 'parked']);
  return filter;
}

export function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  const { ids, stage, reason, kind, from, to } = filter;
  return (
    (ids === undefined || ids.includes(letter.id)) &&
    (stage === undefined || letter.stage === stage) &&
    (reason === undefined || letter.reason === reason) &&
    (kind === undefined || letter.kind === kind) &&
    (from === undefined || letter.at >= from) &&
    (to === undefined || letter.at < to)
  );
}

/** What the items say they are. */
export function kindOf(items: readonly unknown[]): string | null {
  let kind: string | null = null;
  for (const item of items) {
    const own = typeof item === 'object' && item !== null ? (item as { kind?: unknown }).kind : undefined;
    if (typeof own !== 'string') continue;
    if (kind === null) kind = own;
    else if (kind !== own) return 'mixed';
  }
  return kind;
}
