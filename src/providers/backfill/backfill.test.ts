import { EMPTY, NEVER, Subject, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import {
  gapAt,
  MemoryLedger,
  pagesOf,
  pass,
  pastOf,
  settled,
  storing,
  T,
  tradeAt,
  virtualClock,
} from '../../../test/support/backfills.js';
import { Gate } from '../../flow/gate.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { type Gap, MIN_CLOSED_SEQ } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { NotEntitled } from '../providerErrors.js';
import { backfill } from './backfill.js';
import type { BackfillConfig, LeftOpen } from './backfillConfig.js';
import { barMsOf } from './spans.js';

const TRUTH = Array.from({ length: 20 }, (_, n) => tradeAt(n * 10));
const between = (from: number, to: number) => TRUTH.filter(({ ts }) => ts >= T + from && ts <= T + to);

/** A backfill of live records that a test sends, into a store in memory. */
function started(
  history: Parameters<typeof pastOf>[0],
  {
    ledger = new MemoryLedger(),
    delayMs = 10,
    refuse = () => false,
    ...config
  }: Partial<BackfillConfig> & {
    ledger?: MemoryLedger;
    delayMs?: number;
    refuse?: (record: MarketEvent) => boolean;
  } = {},
) {
  const clock = virtualClock();
  const live$ = new Subject<MarketEvent>();
  const provider = pastOf(history);
  const left: LeftOpen[] = [];
  const closed: Gap[] = [];
  const failures: unknown[] = [];
  const gate = new Gate();
  const stopping = new Subject<void>();
  const monitor = new PipelineMonitor();
  const out$ = live$.pipe(
    backfill({
      ...{ providers: [provider], ledger, scheduler: clock, jitter: 'none', random: () => 0 },
      onLeftOpen: (one) => left.push(one),
      onClosed: (gap) => closed.push(gap),
      onFailure: (error) => failures.push(error),
      ...config,
    }),
    withContext({ gate, stopping, monitor }),
  );
  const run = storing(out$, ledger, clock, { delayMs, refuse });
  const idsOf = () => run.out.map((one) => (one.kind === 'gap' ? `(${one.state})` : (one as { id: string }).id));
  return { run, clock, live$, provider, ledger, left, closed, failures, gate, stopping, monitor, idsOf };
}

const history = (range: Parameters<typeof pagesOf>[1]) => pagesOf(TRUTH, range);

describe('backfill', () => {
  test('passes live records at once, and repairs a gap that passes by', async () => {
    const { run, live$, clock, ledger, idsOf, closed } = started(history);
    live$.next(TRUTH[1]!);
    live$.next(gapAt(10, 50));
    live$.next(TRUTH[5]!);
    expect(idsOf()).toEqual(['10', '(open)', '50']);
    await pass(clock);
    // What has passed live while the span was under repair does not come again: 50.
    expect(idsOf()).toEqual(['10', '(open)', '50', '10', '20', '30', '40', '(filled)']);
    expect(ledger.gap(gapAt(10, 50))).toMatchObject({ state: 'filled', rows: 5 });
    expect(closed).toEqual([ledger.gap(gapAt(10, 50))]);
    expect(run.isComplete).toBe(false);
  });

  test('repairs what is open in the store when it starts, the oldest first, and asks once where gaps overlap', async () => {
    const ledger = new MemoryLedger();
    for (const gap of [gapAt(40, 90), gapAt(0, 50), gapAt(90, 120)]) ledger.write(gap);
    const { clock, provider, closed } = started(history, { ledger });
    await pass(clock);
    expect(provider.asked.map(({ from, to }) => [from - T, to - T])).toEqual([
      [0, 51],
      [51, 91],
      [91, 121],
    ]);
    expect(closed.map(({ from, to, rows }) => [from - T, to - T, rows])).toEqual([
      [0, 50, 6],
      [40, 90, 6],
      [90, 120, 4],
    ]);
  });

  test('repairs so many gaps at once as it may, and one of a series', async () => {
    let open = 0;
    let most = 0;
    const bySymbol = async function* ({ from, symbol }: { from: number; symbol: string }) {
      most = Math.max(most, ++open);
      await settled();
      yield [tradeAt(from - T, { symbol })];
      open -= 1;
    };
    const { clock, live$, closed } = started(bySymbol as never, { maxConcurrent: 3 });
    for (const symbol of ['A', 'B', 'C', 'D', 'E']) {
      for (const from of [0, 100]) live$.next(gapAt(from, from + 5, { symbol }));
    }
    await pass(clock);
    expect(closed).toHaveLength(10);
    expect(most).toBe(3);
  });

  test('tries again with a growing wait, and not for ever where the answers prove nothing', async () => {
    const { clock, live$, left, provider, ledger } = started(
      async function* () {
        yield [tradeAt(10, { symbol: 'B' })];
      },
      { maxAttempts: 4 },
    );
    live$.next(gapAt(0, 50));
    await pass(clock);
    expect(left.map(({ nextTryMs }) => nextTryMs)).toEqual([5_000, 10_000, 20_000, undefined]);
    expect(provider.asked).toHaveLength(4);
    expect(ledger.gap(gapAt(0, 50))).toMatchObject({ state: 'open', reason: expect.stringMatching(/a record of B$/) });
    live$.next(gapAt(0, 50));
    await pass(clock);
    expect(provider.asked).toHaveLength(4);
  });

  test('tries a vendor that is away until it is back', async () => {
    let isAway = true;
    const { clock, live$, closed, provider } = started(
      (range) => {
        if (isAway) throw new Error('down');
        return pagesOf(TRUTH, range);
      },
      { maxAttempts: 2 },
    );
    live$.next(gapAt(0, 50));
    await pass(clock, 86_400_000);
    expect(provider.asked.length).toBeGreaterThan(90);
    expect(provider.asked.length).toBeLessThan(120);
    isAway = false;
    await pass(clock, 900_000);
    expect(closed).toMatchObject([{ state: 'filled', rows: 6 }]);
  });

  test('asks for a gap that passes live when its end is settled', async () => {
    const { clock, live$, provider } = started(history, { settleMs: 7_000 });
    const now = clock.now() - T;
    live$.next(gapAt(now - 1_000, now));
    await pass(clock, 6_990);
    expect(provider.asked).toEqual([]);
    await pass(clock, 20);
    expect(provider.asked).toHaveLength(1);
  });

  test('reads from time to time what other processes have found', async () => {
    const { clock, ledger, closed } = started(history);
    await pass(clock, 1_000);
    ledger.write(gapAt(0, 50));
    await pass(clock, 3_600_000);
    expect(closed).toMatchObject([{ state: 'filled', rows: 6 }]);
  });

  test('says a reason once, and another one again', async () => {
    let n = 0;
    const { clock, live$, run } = started(
      () => {
        n += 1;
        throw new Error(n < 3 ? 'down' : 'maintenance');
      },
      { maxAttempts: 4 },
    );
    live$.next(gapAt(0, 50));
    await pass(clock);
    const reasons = run.out.map((one) => (one as Gap).reason);
    expect(reasons).toEqual([undefined, 'toy: down', 'toy: maintenance']);
    const seqs = run.out.map((one) => one.seq!);
    expect([...seqs].sort((a, b) => a - b)).toEqual(seqs);
  });

  test('honours how long the vendor wants to be left alone', async () => {
    const { clock, live$, left } = started(
      () => {
        throw Object.assign(new Error('slow down'), { retryAfterMs: 77_000 });
      },
      { maxAttempts: 2 },
    );
    live$.next(gapAt(0, 50));
    await pass(clock);
    expect(left.slice(0, 2).map(({ nextTryMs }) => nextTryMs)).toEqual([77_000, 77_000]);
  });

  test('does not ask again for what the vendor refuses, nor for what nobody can be asked', async () => {
    const { clock, live$, left, provider } = started(() => {
      throw new NotEntitled('toy', 'not in your plan');
    });
    live$.next(gapAt(0, 50));
    live$.next(gapAt(0, 50, { symbol: '*' }));
    live$.next(gapAt(0, 50, { of: 'tea' }));
    await pass(clock);
    expect(provider.asked).toHaveLength(1);
    const told = left.map(({ why, nextTryMs, reason }) => [why, nextTryMs, reason]);
    expect(told.sort(([, , a], [, , b]) => String(a).localeCompare(String(b)))).toEqual([
      [
        'provider',
        undefined,
        expect.stringMatching(/^history is asked by symbol, and this gap is of all symbols: run /),
      ],
      ['provider', undefined, 'records of kind tea have no history'],
      ['refused', undefined, 'toy: not in your plan'],
    ]);
  });

  test('leaves the gaps of other vendors alone, and says so of a provider without a history', async () => {
    const { clock, live$, left, run } = started(undefined);
    live$.next(gapAt(0, 50, { vendor: 'other' }));
    live$.next(gapAt(0, 50));
    await pass(clock);
    expect(left).toMatchObject([{ why: 'provider', reason: 'toy has no history', nextTryMs: undefined }]);
    expect(run.out).toHaveLength(3);
  });

  test('emits history only while the gate is open, asks for the next page when the last one is out, and lets live go first', async () => {
    let pages = 0;
    const { clock, live$, gate, idsOf } = started(async function* (range) {
      for await (const page of pagesOf(TRUTH, range)) {
        pages += 1;
        yield page;
      }
    });
    live$.next(gapAt(0, 50));
    gate.close();
    await pass(clock, 1_000);
    expect([pages, idsOf()]).toEqual([1, ['(open)']]);
    gate.whenOpen(() => live$.next(tradeAt(1_000)));
    gate.open();
    expect(idsOf()).toEqual(['(open)', '1000']);
    await pass(clock, 1_000);
    expect(idsOf()).toEqual(['(open)', '1000', '0', '10', '20', '30', '40', '50', '(filled)']);
  });

  test('cancels requests when the pipeline drains, leaves gaps open, and completes with its source', async () => {
    let returned = 0;
    const { clock, live$, stopping, run, ledger } = started(() => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          returned += 1;
          return { done: true, value: undefined };
        },
      }),
    }));
    live$.next(gapAt(0, 50));
    await pass(clock, 100);
    stopping.next();
    await settled();
    expect(returned).toBe(1);
    live$.complete();
    expect(run.isComplete).toBe(true);
    await pass(clock);
    expect(ledger.gap(gapAt(0, 50))).toMatchObject({ state: 'open' });
    expect(run.out).toHaveLength(1);
    expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
  });

  test('tries each gap once when the source completes, and then completes', async () => {
    const ledger = new MemoryLedger();
    ledger.write(gapAt(0, 50));
    ledger.write(gapAt(0, 50, { symbol: 'B' }));
    const { clock, live$, run, left, closed } = started(history, { ledger });
    live$.complete();
    expect(run.isComplete).toBe(false);
    await pass(clock);
    expect(run.isComplete).toBe(true);
    expect(closed.sort((a, b) => a.symbol.localeCompare(b.symbol))).toMatchObject([
      { symbol: 'A', state: 'filled' },
      { symbol: 'B', state: 'empty' },
    ]);
    expect(left).toEqual([]);
    const failing = started(
      () => {
        throw new Error('down');
      },
      { ledger: new MemoryLedger() },
    );
    failing.live$.next(gapAt(0, 50));
    failing.live$.complete();
    await pass(failing.clock);
    expect(failing.left).toMatchObject([{ reason: 'toy: down', nextTryMs: undefined }]);
    expect(failing.run.isComplete).toBe(true);
  });

  test('stops with its source where it is told to, and fails with its source at once', async () => {
    const stopped = started(history, { whenSourceEnds: 'stop' });
    stopped.live$.next(gapAt(0, 50));
    stopped.live$.complete();
    expect(stopped.run.isComplete).toBe(true);
    const failed = started(history);
    failed.live$.next(gapAt(0, 50));
    failed.live$.error(new Error('cut'));
    expect(failed.run.error).toEqual(new Error('cut'));
    for (const { clock, run } of [stopped, failed]) {
      await pass(clock);
      expect(run.out).toHaveLength(1);
    }
  });

  test('releases everything when it is unsubscribed', async () => {
    for (const atMs of [0, 1, 50, 5_100]) {
      const { clock, live$, run, ledger } = started(history, { delayMs: 1e9 });
      live$.next(gapAt(0, 50));
      await pass(clock, atMs);
      const { length } = run.out;
      run.unsubscribe();
      await settled();
      expect(live$.observed).toBe(false);
      const { asked } = ledger;
      const before = { ...asked };
      await pass(clock, 100_000);
      expect(run.out).toHaveLength(length);
      expect(asked).toEqual(before);
    }
  });

  test('reports a store that cannot be asked, tries again, and goes on', async () => {
    const ledger = new MemoryLedger();
    ledger.write(gapAt(0, 50));
    ledger.failures = 2;
    const { clock, failures, left, closed, live$, idsOf } = started(history, { ledger, maxAttempts: 1 });
    live$.next(tradeAt(9_999));
    await pass(clock);
    expect(failures).toEqual([new Error('the store is away'), new Error('the store is away')]);
    expect(closed).toMatchObject([{ state: 'filled', rows: 6 }]);
    ledger.failures = 2;
    live$.next(gapAt(60, 90));
    await pass(clock);
    expect(left.map(({ why, nextTryMs }) => [why, nextTryMs])).toEqual([
      ['ledger', 5_000],
      ['ledger', 10_000],
    ]);
    expect(closed[1]).toMatchObject({ state: 'filled', rows: 4 });
    expect(idsOf()[0]).toBe('9999');
  });

  test('drops a row of history that is not newer than what has passed live, and emits one that is', async () => {
    const truth = [tradeAt(10, { seq: 5 }), tradeAt(20, { seq: 5 }), tradeAt(30, { seq: 5 })];
    const { clock, live$, run, monitor } = started(async function* () {
      await settled();
      yield truth;
    });
    live$.next(gapAt(0, 50));
    live$.next(tradeAt(10, { seq: 6 }));
    live$.next(tradeAt(20, { seq: 5 }));
    live$.next(tradeAt(30, { seq: 4 }));
    await pass(clock);
    const trades = run.out.filter(({ kind }) => kind === 'trade').map((one) => [(one as { id: string }).id, one.seq]);
    expect(trades).toEqual([
      ['10', 6],
      ['20', 5],
      ['30', 4],
      ['30', 5],
    ]);
    const [stage] = monitor.stages;
    expect(Object.fromEntries(stage!.dropped)).toEqual({ duplicate: 2 });
    expect(stage!.conservation).toBe(0);
  });

  test('accounts for what it merges in and for what it gives up', async () => {
    const { clock, live$, monitor, run } = started(async function* (range) {
      yield [...between(0, 50), tradeAt(5_000), null];
      yield* pagesOf([], range);
    });
    live$.next(gapAt(0, 50));
    live$.next(tradeAt(1_000));
    await pass(clock, 1_000);
    run.unsubscribe();
    const { received, delivered, dropped, held, conservation } = monitor.account();
    expect({ received, delivered, dropped, held, conservation }).toEqual({
      ...{ received: 11, delivered: 9, dropped: { stray: 2 } },
      ...{ held: 0, conservation: 0 },
    });
  });

  test('leaves a gap alone that is closed by another process, also while it is under repair', async () => {
    const { clock, live$, run, idsOf } = started(() => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
    }));
    live$.next(gapAt(0, 50));
    await pass(clock, 10);
    live$.next(gapAt(0, 50, { state: 'abandoned', seq: MIN_CLOSED_SEQ }));
    live$.complete();
    await pass(clock);
    expect(idsOf()).toEqual(['(open)', '(abandoned)']);
    expect(run.isComplete).toBe(true);
  });

  test('a callback that throws ends the stream', async () => {
    for (const callback of ['onClosed', 'onLeftOpen', 'onChunk', 'onFailure', 'random', 'settleMsOf'] as const) {
      // Of the gaps of the store too.
      const ledger = new MemoryLedger();
      if (callback === 'onFailure') ledger.failures = 1;
      if (callback === 'settleMsOf') ledger.write(gapAt(0, 50));
      const fails = callback === 'onLeftOpen' || callback === 'random';
      const { clock, live$, run } = started(
        fails
          ? () => {
              throw new Error('down');
            }
          : history,
        {
          ledger,
          ...(callback === 'random' && { jitter: 'full' }),
          [callback]: () => {
            throw new Error(`of ${callback}`);
          },
        },
      );
      if (callback !== 'onFailure' && callback !== 'settleMsOf') live$.next(gapAt(0, 50));
      await pass(clock);
      expect(run.error).toEqual(new Error(`of ${callback}`));
    }
  });

  test('refuses bad options when it is made', () => {
    const ledger = new MemoryLedger();
    const providers = [pastOf(history)];
    const cases: readonly [object, RegExp][] = [
      [{ providers: [], ledger }, /providers must be an array that is not empty/],
      [{ providers: [{}], ledger }, /providers\[0\] must be a provider, or \{ provider, spell \}/],
      [{ providers }, /ledger/],
      [{ providers, ledger: {} }, /the open of its ledger must be a function/],
      [{ providers, ledger, chunkMs: 0 }, /chunkMs must be .*, got 0/],
      [{ providers, ledger, maxConcurrent: 0 }, /maxConcurrent/],
      [{ providers, ledger, initialMs: 10, maxMs: 5 }, /maxMs/],
      [{ providers: Array(5).fill(providers[0]), ledger, as: 'all' }, /at most 3 providers, got 5/],
    ];
    for (const [config, message] of cases) expect(() => backfill(config as never)).toThrow(message);
    expect(barMsOf({ of: 'bar', vendor: 'v', symbol: 'A', timeframe: '1mo' })).toBe(0);
  });

  test('is there for a source that has ended, or never begins', async () => {
    const ledger = new MemoryLedger();
    const clock = virtualClock();
    const config = { providers: [pastOf(history)], ledger, scheduler: clock };
    const empty = storing(EMPTY.pipe(backfill(config)), ledger, clock);
    const error = storing(throwError(() => new Error('no')).pipe(backfill(config)), ledger, clock);
    const never = storing(NEVER.pipe(backfill(config)), ledger, clock);
    await pass(clock);
    expect([empty.isComplete, error.error, never.isComplete]).toEqual([true, new Error('no'), false]);
  });
});
