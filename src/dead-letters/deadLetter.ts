import type { DivertReason } from '../contracts/diversion.js';
import type { SinkTarget } from '../contracts/sinkTarget.js';
import { func, listOf, number, type OptionsOf, oneOf, text } from '../primitives/options.js';
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
  /** What went wrong, without secrets; `null` if nothing did. */
  readonly error: ErrorRecord | null;
  /** How often a sink was asked to take the items, replays included. */
  readonly attempts: number;
  /** How many replays have failed to write them, or have begun and never ended. */
  readonly replays: number;
  /** The letter whose remaining items these are. */
  readonly previous?: string;
  /** The sink that gave its items up; absent if none did, or if an earlier version of Sluice wrote the letter. */
  readonly sink?: SinkTarget;
  /** The `kind` of its items, `mixed` if they have several, `null` if they have none. */
  readonly kind: string | null;
  readonly items: readonly T[];
}

/** `open`: waits for a replay. `parked`: has failed too often, and waits for a decision. */
export type LetterState = 'open' | 'parked';

/** Selects the letters that meet all conditions. */
export interface LetterFilter {
  readonly ids?: readonly string[];
  readonly stage?: string;
  readonly reason?: string;
  readonly kind?: string;
  /** Given up at this time or later, in Unix epoch milliseconds. */
  readonly from?: number;
  /** Given up before this time, in Unix epoch milliseconds. */
  readonly to?: number;
  /** A condition of your own, called for letters that meet all others. */
  readonly where?: (letter: DeadLetter) => boolean;
  /** Default `open`. */
  readonly state?: LetterState;
}

/** A number of letters, and of the items in them. */
export interface LetterCount {
  readonly letters: number;
  readonly items: number;
}

/** The options of a filter that does not choose the state. */
export const LETTER_FILTER = {
  ids: listOf(text()),
  stage: text(),
  reason: text(),
  kind: text(),
  from: number(),
  to: number(),
  where: func(),
} satisfies OptionsOf<Omit<LetterFilter, 'state'>>;

export const STATE_FILTER = {
  ...LETTER_FILTER,
  state: oneOf(['open', 'parked']),
} satisfies OptionsOf<LetterFilter>;

export function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  const { ids, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter;
  return (
    (ids === undefined || ids.includes(letter.id)) &&
    (['stage', 'reason', 'kind'] as const).every((key) => filter[key] === undefined || filter[key] === letter[key]) &&
    letter.at >= from &&
    letter.at < to &&
    (filter.where?.(letter) ?? true)
  );
}

/** The `kind` that the items have in common. */
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
