import type { Observable, SchedulerLike } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import { type SourceConfig, sourceOptions } from '../flow/sourceOptions.js';
import type { Bar } from '../market/bar.js';
import { barMaker } from '../market/synthetic/barMaker.js';
import { SYNTHETIC_BARS_OPTIONS, type SyntheticBarsConfig, syntheticSettings } from '../market/synthetic/settings.js';
import { SyntheticWalk } from '../market/synthetic/walk.js';
import { duration, number, type OptionsOf, readOptions } from '../primitives/options.js';

export interface SyntheticConfig extends SyntheticBarsConfig, SourceConfig {
  /**
   * The number of items per `perMs`, including revisions and duplicates: above 0. Without it, items come as fast as the gate
   * allows.
   */
  readonly rate?: number;
  /** The period of `rate` in milliseconds: above 0, default 1,000. */
  readonly perMs?: number;
  /** The clock of `rate`, and where the source resumes after it has yielded. Default: the event loop. */
  readonly scheduler?: SchedulerLike;
}

const OPTIONS = {
  ...SYNTHETIC_BARS_OPTIONS,
  rate: number({ above: 0 }).default(Number.POSITIVE_INFINITY),
  perMs: duration({ above: 0 }).default(1_000),
  ...sourceOptions('synthetic'),
} satisfies OptionsOf<SyntheticConfig>;

/**
 * Emits generated bars: a seeded random walk per symbol, with late revisions and duplicates on request. The same
 * configuration gives the same bars on every machine.
 *
 * ```text
 * synthetic({ symbols: 2, count: 3, rate: 100 })       one item per 10 ms
 *
 * gate       open------------------closed----open----
 * output     A(1)------B(1)------------------A(2)|
 * ```
 *
 * **Emits when** subscribed: as fast as the gate allows, or at `rate`, the first item immediately. Items that a busy event
 * loop has delayed come together.
 * **Backpressure**: pauses. The clock of `rate` stands still while the source waits at the gate: it does not catch up.
 * **Completes when** `count` bars with their revisions and duplicates are emitted, or the pipeline is asked to drain; never
 * without `count`.
 * **Errors when** never by itself.
 * **On unsubscribe** cancels its timer.
 *
 * **Delivery**: each subscription emits the same bars with the same `seq` from the beginning, so writing them twice changes
 * nothing.
 *
 * **Gotchas**: `count` counts distinct bars, so `revisions` and `duplicates` add items. {@link syntheticBars} gives the same
 * bars without RxJS, and `foldBars` gives what a table of them must hold.
 *
 * @example
 * ```ts
 * import { batch } from 'sluice/operators';
 * import { synthetic } from 'sluice/sources';
 *
 * synthetic({ symbols: 500, count: 100_000, seed: 7, revisions: 0.05, duplicates: 0.01 })
 *   .pipe(batch({ size: 10_000 }))
 *   .subscribe((bars) => console.log(bars.length));
 * ```
 */
export function synthetic(config: SyntheticConfig = {}): Observable<Bar> {
  const owner = 'synthetic';
  const options = readOptions(owner, config, OPTIONS);
  const settings = syntheticSettings(owner, options);
  const { rate, perMs } = options;

  return gatedSource<Bar>(options, (outlet) => {
    const walk = new SyntheticWalk(barMaker, settings);
    const { count } = settings;
    if (Number.isFinite(count)) outlet.progress(() => ({ done: walk.made, total: count, unit: 'items' }));
    let emitted = 0;
    /** One ahead, so that the source completes with the last item rather than when the next would be due. */
    let upcoming = walk.next();
    outlet.pump(() => {
      const bar = upcoming;
      if (bar === undefined) {
        outlet.complete();
        return true;
      }
      // The clock of the pump starts with the first item. Without a rate no clock is read.
      const dueAt = (emitted * perMs) / rate;
      if (rate < Number.POSITIVE_INFINITY && outlet.now() < dueAt) {
        outlet.sleepUntil(dueAt);
        return false;
      }
      emitted += 1;
      upcoming = walk.next();
      outlet.next(bar);
      return true;
    });
  });
}
