import type { Gap } from '../../market/gap.js';
import { BACKOFF, type BackoffOptions } from '../../policies/backoff.js';
import { duration, func, integer, type OptionsOf, oneOf, text } from '../../primitives/options.js';
import type { OpenReason } from './outcome.js';
import { REPAIR, type RepairConfig } from './repairConfig.js';

/** A gap that could not be closed, and what comes next. */
export interface LeftOpen {
  readonly gap: Gap;
  readonly why: OpenReason;
  /** In one sentence, with the vendor's words. */
  readonly reason: string;
  /** When it is tried again, in milliseconds from now; `undefined`: not in this run. */
  readonly nextTryMs: number | undefined;
}

/** The first wait between two tries of a gap is 5,000 ms by default (`initialMs`), the longest 900,000 ms (`maxMs`). */
export interface BackfillConfig extends RepairConfig, BackoffOptions {
  /** How many gaps are repaired at once. Integer of at least 1, default 2. */
  readonly maxConcurrent?: number;
  /**
   * How often a gap is answered in a run without proof. A try to which the vendor or the store gives no answer does not count. Integer of at
   * least 1, default 10.
   */
  readonly maxAttempts?: number;
  /**
   * What becomes of repairs when the source completes. `'finish'`: each gap that is known is tried once, and none again; `'stop'`:
   * they end, and their gaps stay open. Default `'finish'`.
   */
  readonly whenSourceEnds?: 'finish' | 'stop';
  /** Called with each gap that is closed here. */
  readonly onClosed?: (gap: Gap) => void;
  /** Called after each try that does not close its gap. */
  readonly onLeftOpen?: (left: LeftOpen) => void;
  /** Called when the open gaps of the store cannot be read. They are read again after a wait. */
  readonly onFailure?: (error: unknown) => void;
  /** A number from 0, below 1. Default: from a generator seeded by the clock and the name of the stage. */
  readonly random?: () => number;
  /** The name in topology, metrics and errors. Default `backfill`. */
  readonly name?: string;
}

export const BACKFILL = {
  ...REPAIR,
  ...BACKOFF,
  initialMs: duration().default(5_000),
  maxMs: duration().default(900_000),
  maxConcurrent: integer({ min: 1 }).default(2),
  maxAttempts: integer({ min: 1 }).default(10),
  whenSourceEnds: oneOf(['finish', 'stop']).default('finish'),
  onClosed: func(),
  onLeftOpen: func(),
  onFailure: func(),
  random: func(),
  name: text(),
} satisfies OptionsOf<BackfillConfig>;
