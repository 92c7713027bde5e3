import type { MonoTypeOperatorFunction } from 'rxjs';
import { operateCounted } from '../../flow/operate.js';
import { StopSignal } from '../../flow/stopSignal.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Backoff } from '../../policies/backoff.js';
import { hashKey } from '../../primitives/hashKey.js';
import { readOptions } from '../../primitives/options.js';
import { Timer } from '../../primitives/timer.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { BACKFILL, type BackfillConfig } from './backfillConfig.js';
import { isOwn } from './candidates.js';
import { OpenGapReader, REREAD_MS } from './openGapReader.js';
import type { RepairOutcome } from './outcome.js';
import { repairSettings } from './repairConfig.js';
import { type Job, RepairQueue } from './repairQueue.js';
import { RepairRun } from './repairRun.js';
import { lagMsOf } from './repairSettings.js';
import { barMsOf } from './spans.js';

/** How many gaps are remembered. More of them are read from the store again when there is room. */
const MAX_GAPS = 10_000;
/** How long a gap may keep a source from its end until it can be asked. */
const MAX_LAST_WAIT_MS = 60_000;

/**
 * Passes live records, and repairs the gaps of their series: asks the vendor's history for what is missing, merges it in, and closes each
 * gap when the store proves that it has every record of the answer, and none that the answer lacks.
 *
 * ```text
 * source    -a--(gap)--b------c----|
 * history             [m n][o]
 * output    -a--(gap)--b-m-n-oc--(filled)|
 * ```
 *
 * **Emits when**: a live record arrives, at once; a page of history has arrived and the gate is open, in slices of 256 records, live ones
 * first; a gap is closed, or left open for a reason that is new.
 * **Backpressure**: passes through for live records. The next page is requested when the last one is out.
 * **Completes when**: the source has completed, and each gap that is known was tried once (`whenSourceEnds`). When the pipeline drains,
 * requests are cancelled, gaps stay open, and it completes with its source.
 * **Errors when**: the source fails, at once; a callback throws. Never because of a provider or the store.
 * **On unsubscribe**: the requests under way are cancelled, and all timers.
 *
 * **Delivery**: live records once and in order. History is at least once: its rows are upserts by key. Of one key no version of
 * history follows an equal or newer one that passed live while its gap was being repaired; it is dropped as `duplicate`.
 *
 * **Gotchas**:
 * - Its place is before the sinks of all kinds, whose store the ledger reads: a gap is closed by what is in the store, so that rows that
 *   a table refuses, or that are in the dead letters, keep it open.
 * - Gaps are tried in the order in which they became known: those of the store first, the oldest of them first. Of one series one is
 *   repaired at a time, and what is proven of it is not asked again.
 * - Gaps of vendors that are none of `providers` are left alone.
 * - What a vendor refuses for good (not entitled, unknown symbol) and what nobody can be asked for is left open with the reason, and not
 *   asked again in this run; nor is any gap after `maxAttempts` answers that prove nothing. A vendor or a store that is
 *   away is tried until it is back. `sluice gaps backfill` tries it by hand.
 * - Rows outside of what was asked, of another series, or that cannot be read are dropped as `stray`, and their gap stays open.
 * - A gap is asked for when its end is older than the lag of the history (`settleMs`), and of bars when the last one is over. An answer
 *   without records closes it when it is older than `emptyAfterMs`.
 * - Of bars, the one that was forming when the gap began is asked too.
 * - Where it is known how many records are missing, so many must have come. Of a process that was killed in the middle nobody knows how many
 *   it had fetched: such a gap may stay open, and a person abandons it.
 * - Pacing is the provider's: a gap waits for it, at most `pageTimeoutMs` for a page.
 *
 * @example
 * ```ts
 * import { openStore, storeLedger } from 'sluice/postgres';
 * import { backfill, type Provider } from 'sluice/providers';
 *
 * declare const provider: Provider;
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * provider
 *   .stream({ kinds: ['trade'], symbols: ['BTC-USD'] })
 *   .pipe(backfill({ providers: [provider], ledger: storeLedger(store.pool) }))
 *   .subscribe((record) => console.log(record));
 * ```
 */
export function backfill(config: BackfillConfig): MonoTypeOperatorFunction<MarketEvent> {
  const owner = 'backfill';
  const read = readOptions(owner, config, BACKFILL);
  const { maxConcurrent, maxAttempts, whenSourceEnds, onClosed, onLeftOpen, onFailure, random, name, ...rest } = read;
  const { initialMs, maxMs, multiplier, jitter, ...repair } = rest;
  const settings = repairSettings(owner, repair);
  const { scheduler } = repair;
  const { ledger, providers, as } = settings;
  const spread = { initialMs, maxMs, multiplier, jitter };
  // Checks its options.
  new Backoff({ ...spread, random: () => 0 }, owner);

  return operateCounted<MarketEvent, MarketEvent>(
    { kind: owner, name },
    (operation, account) => {
      const { destination, downstream, emit, settleSome, stage } = operation;
      const chance = random ?? seeded(scheduler.now(), stage.id);
      const queue = new RepairQueue({ maxConcurrent, maxGaps: MAX_GAPS });
      const runs: RepairRun[] = [];
      const backoffs = new Map<Job, Backoff>();
      let timerAt = 0;
      let hasEnded = false;
      let isStopped = false;

      /** What is called by the store, which has nowhere to report what a callback throws. */
      const orFail =
        <A extends unknown[], R>(work: (...args: A) => R, otherwise: R) =>
        (...args: A): R => {
          try {
            return work(...args);
          } catch (error) {
            destination.error(error);
            return otherwise;
          }
        };
      const timer = new Timer(
        scheduler,
        orFail(() => proceed(), undefined),
      );
      const openBackoff = new Backoff({ ...spread, random: orFail(chance, 0) });
      const reader = new OpenGapReader(ledger, scheduler, openBackoff, {
        take: orFail((gap) => !isOwn(gap, providers, as) || queue.add(gap, dueAtOf(gap)), true),
        read: orFail(() => proceed(), undefined),
        failed: orFail((error) => onFailure?.(error), undefined),
      });

      /** When a gap is tried first: as soon as its end is settled, or now if that takes too long. */
      const dueAtOf = (gap: Gap) => {
        const now = scheduler.now();
        const settledAt = gap.to + lagMsOf(settings, gap) + barMsOf(gap) + 1;
        return settledAt > now && settledAt - now < REREAD_MS ? settledAt : Number.NEGATIVE_INFINITY;
      };

      const wake = (dueAt: number) => {
        if (timer.isSet && timerAt <= dueAt) return;
        timerAt = dueAt;
        timer.set(dueAt - scheduler.now());
      };

      const beginDue = (now: number) => {
        for (let job = queue.take(now); job; job = queue.take(now)) begin(job);
      };

      /** Begins what is due, and ends where nothing is left to do. */
      const proceed = () => {
        if (destination.closed) return;
        if (!isStopped) {
          const now = scheduler.now();
          beginDue(now);
          const dueAt = queue.dueAt(now);
          timer.cancel();
          if (dueAt !== undefined) wake(dueAt);
          // Half of the queue is free: read what had no room.
          if (queue.waiting <= MAX_GAPS / 2) reader.readMore();
        }
        if (hasEnded && (isStopped || (!reader.isBusy && queue.running + queue.waiting === 0))) destination.complete();
      };

      const begin = (job: Job) => {
        const run: RepairRun = new RepairRun(
          job.gap,
          { ...settings, isOnItsWay: job.isLive },
          {
            ...{ gate: downstream.gate, scheduler },
            emit(record) {
              account.added += 1;
              emit(record, 1);
            },
            drop(rows, reason) {
              account.added += rows.length;
              settleSome('dropped', rows.length, reason, () => rows);
            },
            over(outcome) {
              runs.splice(runs.indexOf(run), 1);
              conclude(job, outcome);
            },
            fail: (error) => destination.error(error),
          },
          job.memory,
        );
        runs.push(run);
        run.start();
      };

      const conclude = (job: Job, outcome: RepairOutcome) => {
        job.gap = outcome.gap;
        if (outcome.state === 'open') {
          const nextTryMs = nextTryOf(job, outcome);
          if (nextTryMs === undefined) finish(job);
          else queue.retry(job, scheduler.now() + nextTryMs);
          const { gap, why, reason } = outcome;
          onLeftOpen?.({ gap, why, reason, nextTryMs });
        } else {
          finish(job);
          if (outcome.state !== 'closedElsewhere') onClosed?.(outcome.gap);
        }
        proceed();
      };

      const nextTryOf = (job: Job, { why, isFinal, retryAfterMs }: RepairOutcome & { state: 'open' }) => {
        if (hasEnded || isFinal) return undefined;
        // What will be there in an hour is asked for in an hour.
        if (why === 'early') return Math.max(1_000, Math.min(retryAfterMs, REREAD_MS));
        // A vendor or a store that is away for a day is no fault of the gap.
        if (why !== 'ledger' && why !== 'failed') job.vain += 1;
        if (job.vain >= maxAttempts) return undefined;
        const backoff = backoffs.get(job) ?? new Backoff({ ...spread, random: chance });
        backoffs.set(job, backoff);
        return Math.max(backoff.nextMs(), retryAfterMs);
      };

      const finish = (job: Job) => {
        backoffs.delete(job);
        queue.finish(job);
      };

      const onGap = (gap: Gap) => {
        if (isStopped || !isOwn(gap, providers, as)) return;
        if (gap.state === 'open') {
          const dueAt = dueAtOf(gap);
          if (queue.add(gap, dueAt, true)) {
            if (dueAt > scheduler.now()) wake(dueAt);
            beginDue(scheduler.now());
          } else {
            reader.hasNoRoom(gap);
          }
          return;
        }
        const job = queue.find(gap);
        if (!job) return;
        const at = runs.findIndex((one) => one.gap === job.gap);
        if (at >= 0) runs.splice(at, 1)[0]!.stop();
        finish(job);
        proceed();
      };

      const stop = () => {
        isStopped = true;
        for (const run of runs.splice(0)) run.stop();
        reader.stop();
        timer.cancel();
      };
      const signal = StopSignal.of(downstream.stopping);
      const deafen = signal.listen(() => {
        stop();
        orFail(proceed, undefined)();
      });
      isStopped = signal.hasFired;
      if (!isStopped) reader.start();

      return {
        next(record) {
          if (runs.length > 0) for (const run of runs) run.live.passed(record);
          emit(record);
          if (record.kind === 'gap' && !destination.closed) onGap(record);
        },
        complete() {
          hasEnded = true;
          if (whenSourceEnds === 'stop') stop();
          queue.forgetRetries();
          queue.hurry(scheduler.now() + MAX_LAST_WAIT_MS, scheduler.now());
          if (!isStopped) reader.end();
          proceed();
        },
        finalize() {
          deafen();
          stop();
        },
      };
    },
    true,
  );
}

/** Two backfills that failed together do not come back together. */
function seeded(now: number, id: string): () => number {
  const generator = Xoshiro128.fromSeed(Math.floor(now) + hashKey(id));
  return () => generator.unit();
}
