/**
 * Nothing is lost: the store is away at first, and then it refuses one bar. The outage is waited out behind a breaker; the bar
 * is put aside with the reason, the others are written; and when the store has been mended a replay brings it in.
 *
 * Run it: npm run example -- dead-letters
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of, throwError } from 'rxjs';
import type { Bar, Sink } from 'sluice';
import { openDeadLetters, readDeadLetters, replayDeadLetters } from 'sluice/dead-letters';
import { writeCoordinator } from 'sluice/operators';
import { formatReport, isSettled, run } from 'sluice/pipelines';
import { fromIterable, syntheticBars } from 'sluice/sources';

const failure = (code: string, message: string) => throwError(() => Object.assign(new Error(message), { code }));

/** A store in memory with two faults. */
class Store {
  readonly rows = new Map<string, Bar>();
  readonly backAt = Date.now() + 400;
  takesAnyVolume = false;

  readonly sink: Sink<Bar> = {
    name: 'store',
    keyOf: (bar) => bar.symbol,
    write: (bars) => {
      if (Date.now() < this.backAt) return failure('ECONNREFUSED', 'connect ECONNREFUSED');
      const bad = bars.find(({ volume }) => volume < 0);
      if (bad && !this.takesAnyVolume) return failure('23514', `${bad.symbol}: volume ${bad.volume} violates a check`);
      for (const bar of bars) this.rows.set(`${bar.symbol} ${bar.ts}`, bar);
      return of({ rows: bars.length });
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-example-'));
const deadLetters = await openDeadLetters<Bar>(folder, { pipeline: 'example' });
try {
  const store = new Store();
  const bars = [...syntheticBars({ symbols: 20, count: 2_000, seed: 7 })];
  bars[1_234] = { ...(bars[1_234] as Bar), volume: -1 };

  const policies = { deadLetters, breaker: { openMs: 100 } };
  const report = await run(fromIterable(bars).pipe(writeCoordinator(store.sink, { policies })));
  console.log(`${formatReport(report)}\n`);

  for await (const { id, reason, error, items } of readDeadLetters<Bar>(folder)) {
    console.log(`letter ${id}: ${items.length} item, ${reason}: ${error?.code}, ${error?.message}`);
  }

  store.takesAnyVolume = true;
  const replayed = await lastValueFrom(replayDeadLetters(deadLetters, { sink: store.sink }));
  console.log(
    `replayed: ${replayed.written} written, ${replayed.failedAgain} failed again, ${replayed.remaining} left`,
  );
  console.log(`the store has ${store.rows.size} of ${bars.length} bars`);
  if (!isSettled(report) || replayed.failedAgain + replayed.remaining > 0) process.exitCode = 1;
} finally {
  await deadLetters.close();
  rmSync(folder, { recursive: true, force: true });
}
