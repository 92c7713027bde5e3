import type { GapLedger } from '../../contracts/gapLedger.js';
import type { Gap } from '../../market/gap.js';
import type { RoutedProvider } from '../router/routedProvider.js';
import type { LiveVersions } from './liveVersions.js';
import type { Span } from './spans.js';

/** A part of a gap that is proven. */
export interface RepairedChunk {
  readonly gap: Gap;
  /** In epoch milliseconds; the last one is not included. */
  readonly from: number;
  readonly to: number;
  /** How many records it has. */
  readonly rows: number;
}

/** What the repair of a gap goes by, once its options are read. */
export interface RepairSettings {
  readonly providers: readonly RoutedProvider[];
  readonly ledger: GapLedger;
  readonly as?: string | undefined;
  readonly chunkMs?: number | undefined;
  readonly maxChunkRows: number;
  readonly proofTimeoutMs: number;
  readonly pageTimeoutMs: number;
  readonly settleMs: number;
  readonly settleMsOf?: ((gap: Gap) => number) | undefined;
  readonly emptyAfterMs: number;
  readonly canAskAll?: ((gap: Gap) => boolean) | undefined;
  readonly onChunk?: ((chunk: RepairedChunk) => void) | undefined;
  /** What passes live while the gap is under repair. */
  readonly live?: LiveVersions | undefined;
  /** The gap has passed live, and may not be in the store yet, nor what was received before it. */
  readonly isOnItsWay?: boolean | undefined;
}

/** What is remembered of a gap between two attempts. */
export interface RepairMemory {
  /** What is proven of its series; grows. */
  readonly proven: Span[];
  /** Who says of a part that it has no records. */
  empty?: string;
  /** How many records the span had at the first attempt, and how many were known to be missing. */
  before?: { readonly count: number; readonly missing: number };
}

export function lagMsOf({ settleMs, settleMsOf }: RepairSettings, gap: Gap): number {
  return settleMsOf?.(gap) ?? settleMs;
}
