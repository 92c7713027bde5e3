import type { Placed } from '../disk/log/entryFormat.js';
import type { LetterDraft } from './letterLine.js';
import type { PlacedLetter } from './letterLog.js';

/** A letter that is about to be removed, and the new letters of what is left of it. */
export interface Settlement {
  /** Without its items, of which a slow disk would hold many. */
  readonly place: Placed & { readonly id: string };
  readonly written: number;
  readonly drafts: readonly LetterDraft[];
  /** What the drafts take, at most. */
  readonly bytes: number;
  /** Whether the new letters are parked. */
  readonly isLast: boolean;
}

export function settlementOf(
  { segment, ordinal, weight, bytes, value: { id } }: PlacedLetter,
  written: number,
  drafts: readonly LetterDraft[],
  isLast: boolean,
): Settlement {
  return { place: { segment, ordinal, weight, id }, written, drafts, bytes: drafts.length === 0 ? 0 : bytes, isLast };
}
