import type { ObservableInput } from 'rxjs';
import type { Gap } from '../market/gap.js';
import type { MarketEvent } from '../market/recordKinds.js';

/** A span of one series, both ends included, in epoch milliseconds; of any gap. */
export type GapSpan = Pick<Gap, 'vendor' | 'symbol' | 'of' | 'timeframe' | 'from' | 'to'>;

/** Where gaps are kept beside the records that fill them: what a backfill asks of a store. */
export interface GapLedger {
  /** The gaps that are open, those that begin first first. Completes. */
  open(): ObservableInput<Gap>;
  /**
   * How many records of a span are committed. A backfill closes a gap when this is as many as the vendor's answer had: fewer are not
   * written yet, or were refused; more are records that the answer lacks.
   */
  count(span: GapSpan): ObservableInput<number>;
  /**
   * How many of these records are committed, in their own version or a newer one: at most 5,000 of one kind, no two with one key. One that
   * has no version (`seq`) may be there in any. Without it a count that
   * is right twice in a row is taken for proof, which it is not where the store had a record that the answer lacks, and the rows of the
   * answer are late.
   */
  has?(records: readonly MarketEvent[]): ObservableInput<number>;
  /** The gaps of the same series that are closed and overlap a span, so that an interrupted backfill goes on where it was. Completes. */
  closed(span: GapSpan): ObservableInput<Gap>;
  /** What is known of a gap now, such as that another process has closed it; emits nothing for one that is not there. Completes. */
  find(gap: Gap): ObservableInput<Gap>;
}
