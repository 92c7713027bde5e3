import type { Observable, SchedulerLike } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import type { Bar } from '../market/bar.js';
import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import { requireDuration, requireKnownOptions, requireNumber, requireText } from '../primitives/validate.js';
import { barWalk } from './synthetic/barMaker.js';
import { requireSyntheticBars, SYNTHETIC_BARS_OPTIONS, type SyntheticBarsConfig } from './synthetic/settings.js';

export interface SyntheticConfig extends SyntheticBarsConfig {
  /** Items a second, revisions and duplicates included: above 0. Without it as fast as the gate allows. */
  readonly rate?: number;
  /** The clock of `rate`, and where the source resumes after it has yielded. Default: the event loop. */
  readonly scheduler?: SchedulerLike;
  /** How long the source may run before it yields, in milliseconds of the scheduler's clock. From 0, default 20. */
  readonly yieldAfterMs?: number;
  /** The name in topology, metrics and the report. Default `synthetic`. */
  readonly name?: string;
}

/**
 * Emits generated bars: a seeded random walk for each symbol, with late revisions and duplicates on request. The same
 * configuration gives the same bars on every machine.
 *
 * ```text
 * synthetic({ symbols: 2, count: 3, rate: 100 })       one item each 10 ms
 *
 * gate       open------------------closed----open----
 * output     A(1)------B(1)------------------A(2)|
 * ```
 *
 * **Emits when** subscribed, as fast as the gate allows, or `rate` items a second: the first at once, each at its time,
 * those that a busy event loop has delayed together.
 * **Backpressure**: pauses. The clock of `rate` stands still while the source waits at the gate: it does not catch up.
 * **Completes when** `count` bars, and the revisions and duplicates of these, are emitted; never without `count`, or when
 * the pipeline is asked to stop.
 * **Errors when** never by itself.
 * **On unsubscribe** cancels its timer.
 *
 * **Delivery**: each subscription begins anew with the same bars and the same `seq`, so that writing them twice changes
 * nothing.
 *
 * **Gotchas**: `count` counts distinct bars; more items are emitted with `revisions` or `duplicates`.
 * {@link syntheticBars} gives the same bars without RxJS, and `foldBars` what a table of them must hold.
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
  requireKnownOptions(owner, config, [...SYNTHETIC_BARS_OPTIONS, 'rate', 'scheduler', 'yieldAfterMs', 'name']);
  const settings = requireSyntheticBars(owner, config);
  const rate = config.rate === undefined ? undefined : requireNumber(owner, 'rate', config.rate, Number.MIN_VALUE);
  const yieldAfterMs = requireDuration(owner, 'yieldAfterMs', config.yieldAfterMs ?? 20);
  const scheduler = config.scheduler ?? eventLoopScheduler;
  const name = requireText(owner, 'name', config.name ?? owner);

  return gatedSource<Bar>({ name, scheduler, yieldAfterMs }, (outlet) => {
    const walk = barWalk(settings);

    if (rate === undefined || rate === Infinity) {
      outlet.pump(() => {
        const bar = walk.next();
        if (bar === undefined) outlet.complete();
        else outlet.next(bar);
      });
      return;
    }

    let emitted = 0;
    // One ahead, so that completion comes with the last item and not where the next would be due.
    let upcoming = walk.next();
    outlet.pump(() => {
      if (upcoming === undefined) {
        outlet.complete();
        return true;
      }
      // The clock of the pump begins with the first item.
      const dueAt = (emitted * 1_000) / rate;
      if (outlet.now() < dueAt) {
        outlet.sleepUntil(dueAt);
        return false;
      }
      emitted += 1;
      outlet.next(upcoming);
      upcoming = walk.next();
      return true;
    });
  });
}
