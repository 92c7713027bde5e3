import type { Gap } from '../../../market/gap.js';
import type { RepairOutcome } from '../../../providers/backfill/outcome.js';
import { seriesKind } from '../gaps/gapText.js';

/** After so many in a row it is not asked any more. Providers try a request several times before it counts as failed. */
const MAX_IN_A_ROW = 3;

/** How often the same thing has happened in a row. */
interface Streak {
  length: number;
  reason: string;
}

/**
 * Which vendors and series are not asked any more: a vendor that fails again and again, a series that is refused again and again, and a
 * vendor that refuses several series in the same words, as one does with a key that it does not know.
 */
export class VendorPatience {
  readonly #failures = new Map<string, Streak>();
  readonly #refusals = new Map<string, Streak>();
  readonly #refusedSeries = new Map<string, Streak>();

  note(outcome: RepairOutcome): void {
    const { vendor } = outcome.gap;
    const series = seriesOf(outcome.gap);
    if (outcome.state !== 'open') {
      for (const streaks of [this.#failures, this.#refusedSeries]) streaks.delete(vendor);
      this.#refusals.delete(series);
    } else if (outcome.why === 'failed') {
      lengthen(this.#failures, vendor, outcome.reason);
    } else if (outcome.why === 'refused') {
      this.#failures.delete(vendor);
      const isFirst = !this.#refusals.has(series);
      lengthen(this.#refusals, series, outcome.reason);
      if (!isFirst) return;
      if (this.#refusedSeries.get(vendor)?.reason !== outcome.reason) this.#refusedSeries.delete(vendor);
      lengthen(this.#refusedSeries, vendor, outcome.reason);
    }
  }

  /** Why a gap is not asked any more; `undefined` while it is. */
  giveUp(gap: Gap): string | undefined {
    const failed = this.#failures.get(gap.vendor);
    if (isTooLong(failed))
      return `not asked, because ${gap.vendor} failed ${failed.length} times in a row: ${failed.reason}`;
    const all = this.#refusedSeries.get(gap.vendor);
    if (isTooLong(all)) return `not asked, because ${gap.vendor} refused ${all.length} series in a row: ${all.reason}`;
    const one = this.#refusals.get(seriesOf(gap));
    if (!isTooLong(one)) return undefined;
    return `not asked, because ${gap.vendor} refused ${gap.symbol} ${seriesKind(gap)} ${one.length} times in a row: ${one.reason}`;
  }
}

function isTooLong(streak: Streak | undefined): streak is Streak {
  return streak !== undefined && streak.length >= MAX_IN_A_ROW;
}

function lengthen(streaks: Map<string, Streak>, key: string, reason: string): void {
  streaks.set(key, { length: (streaks.get(key)?.length ?? 0) + 1, reason });
}

function seriesOf({ vendor, symbol, of, timeframe }: Gap): string {
  return `${vendor}\u0000${symbol}\u0000${of}\u0000${timeframe ?? ''}`;
}
