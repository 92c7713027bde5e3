import type { GapLedger } from '../../contracts/gapLedger.js';
import type { Gap } from '../../market/gap.js';
import type { RoutedProvider } from '../router/routedProvider.js';
import type { LiveVersions } from './liveVersions.js';

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
  readonly canAskAll?: ((gap: Gap) => boolean) | undefined;
  readonly onChunk?: ((chunk: RepairedChunk) => void) | undefined;
  /** What passes live while the gap is under repair. */
  readonly live?: LiveVersions | undefined;
  /** The gap has passed live, and may not be in the store yet, nor what was received before it. */
  readonly isOnItsWay?: boolean | undefined;
}
