/** How far a replay has come. The numbers count this replay, and grow. */
export interface ReplayProgress {
  /** Letters that are settled: written, written in part, failed or parked; with `dryRun`, those that would be sent. */
  readonly letters: number;
  /** The items in them. */
  readonly items: number;
  /** Items that the sink has written. */
  readonly written: number;
  /** Items that failed again, and are in new letters. */
  readonly failedAgain: number;
  /** Letters that are parked now. */
  readonly parked: number;
  /** Letters that this replay has not reached yet; a filter may exclude some of them. */
  readonly remaining: number;
  /** When this was so, in Unix epoch milliseconds. */
  readonly at: number;
  /** The letters that were removed since the last progress: their items are written, or in one of `added`. */
  readonly removed: readonly string[];
  /** The letters that were made since the last progress, of items that have failed again. */
  readonly added: readonly string[];
}
