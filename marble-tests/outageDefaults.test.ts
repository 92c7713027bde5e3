import { concat, map, NEVER, Subject, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../src/contracts/sink.js';
import { PipelineMonitor } from '../src/flow/monitor.js';
import { withContext } from '../src/flow/withContext.js';
import { untilStopped } from '../src/operators/untilStopped.js';
import { writeCoordinator } from '../src/operators/writeCoordinator.js';
import { fromIterable } from '../src/sources/fromIterable.js';
import { marbles } from '../src/testing/marbles.js';
import { letterBox } from '../test/support/diversions.js';
import { coded } from '../test/support/errors.js';
import { record, upTo } from '../test/support/record.js';

/** A coordinator with its default policies, and a store that is away until it is told to be back. */
function pipeline(scheduler: { now(): number }, backAt: number) {
  const { letters, deadLetters } = letterBox();
  const commits: number[] = [];
  const calls: number[] = [];
  const sink: Sink<number> = {
    name: 'store',
    keyOf: (n) => n % 50,
    write(items) {
      calls.push(scheduler.now());
      if (scheduler.now() < backAt) throw coded('ECONNREFUSED', 'connect ECONNREFUSED');
      return timer(1).pipe(
        map(() => {
          commits.push(scheduler.now());
          return { rows: items.length };
        }),
      );
    },
  };
  const stopping = new Subject<void>();
  const monitor = new PipelineMonitor();
  const bars$ = concat(fromIterable(upTo(2_000)), NEVER).pipe(untilStopped());
  const outcomes$ = bars$.pipe(
    writeCoordinator(sink, { policies: { deadLetters } }),
    withContext({ monitor, stopping }),
  );
  return { outcomes$, stopping, monitor, letters, calls, commits };
}

describe('an outage, with the default policies', () => {
  it.each([1, 3, 9, 30, 60, 300])('of %i s is over for the pipeline within a tenth more, and a second', (seconds) => {
    marbles(({ scheduler, flush }) => {
      const backAt = seconds * 1_000;
      const { outcomes$, monitor, letters, calls, commits } = pipeline(scheduler, backAt);
      const { subscription } = record(outcomes$);
      timer(2 * backAt + 5_000).subscribe(() => subscription.unsubscribe());
      flush();
      expect(commits[0]! - backAt).toBeLessThanOrEqual(1_100 + backAt / 9);
      expect(letters).toEqual([]);
      expect(monitor.account()).toMatchObject({ written: 2_000, held: 0, conservation: 0 });
      expect(calls.filter((at) => at < backAt).length).toBeLessThan(60);
    })();
  });

  it.each([2, 20, 200])(
    'of %i s ends for a drain at once if the store is back, and nothing goes to letters',
    (seconds) => {
      marbles(({ scheduler, flush }) => {
        const stopAt = seconds * 1_000 + 1;
        const { outcomes$, stopping, monitor, letters, commits } = pipeline(scheduler, stopAt - 1);
        const result = record(outcomes$);
        timer(stopAt).subscribe(() => stopping.next());
        flush();
        expect(result.completed).toBe(true);
        expect(commits.at(-1)! - stopAt).toBeLessThan(100);
        expect(letters).toEqual([]);
        expect(monitor.account()).toMatchObject({ received: 2_000, written: 2_000, held: 0, conservation: 0 });
      })();
    },
  );
});
