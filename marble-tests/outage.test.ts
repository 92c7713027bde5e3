import { map, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Sink, WriteOutcome } from '../src/contracts/sink.js';
import { gatedSource } from '../src/flow/gatedSource.js';
import { PipelineMonitor } from '../src/flow/monitor.js';
import { withContext } from '../src/flow/withContext.js';
import { writeCoordinator } from '../src/operators/writeCoordinator.js';
import { marbles } from '../src/testing/marbles.js';
import { probeGate } from '../src/testing/probeGate.js';
import { letterBox } from '../test/support/diversions.js';
import { coded } from '../test/support/errors.js';

const DOWN_FROM = 1_000;
const DOWN_TO = 61_000;
const SERVICE_MS = 20;

describe('an outage of 60 s at 10,000 items a second', () => {
  it(
    'spends no attempt while the breaker waits, loses nothing, and is made up for in less than a second',
    marbles(({ scheduler, expectObservable, flush }) => {
      // Ten items a millisecond, as long as the gate is open.
      const source = gatedSource<number>({ name: 'feed', yieldAfterMs: Number.POSITIVE_INFINITY }, (outlet) => {
        let n = 0;
        const tick = () => {
          for (let i = 0; i < 10 && n < 60_000 && outlet.isOpen; i++) outlet.next(n++);
          if (n >= 60_000) outlet.complete();
          else pending = scheduler.schedule(() => outlet.whenOpen(tick), 1);
        };
        let pending = scheduler.schedule(tick, 1);
        return () => pending.unsubscribe();
      });
      const isDown = () => scheduler.now() >= DOWN_FROM && scheduler.now() < DOWN_TO;
      const callsWhileDown: number[] = [];
      const written: number[] = [];
      let firstCommitAfter = 0;
      const sink: Sink<number> = {
        name: 'store',
        keyOf: (n) => n % 500,
        write(items) {
          if (isDown()) {
            callsWhileDown.push(scheduler.now());
            throw coded('ECONNREFUSED', 'connect ECONNREFUSED');
          }
          return timer(SERVICE_MS).pipe(
            map(() => {
              if (scheduler.now() >= DOWN_TO) firstCommitAfter ||= scheduler.now();
              for (const item of items) written.push(item);
              return { rows: items.length };
            }),
          );
        },
      };
      const { letters, deadLetters } = letterBox();
      const probe = probeGate<number>();
      const gate: [string, number][] = [];
      probe.gateLog$.subscribe((state) => gate.push([state, scheduler.now()]));
      // It closes once, when 8,000 items wait behind the batches in hand, and opens once, at 5,000.
      expectObservable(probe.gateLog$).toBe('o 1981ms c 59128ms o');
      const monitor = new PipelineMonitor();
      const outcomes: WriteOutcome<number>[] = [];
      const policies = { breaker: { openMs: 500 }, retry: { jitter: 'none' as const }, deadLetters };
      const outcomes$ = source.pipe(probe, writeCoordinator(sink, { policies }), withContext({ monitor }));
      let ended = false;
      outcomes$.subscribe({ next: (outcome) => outcomes.push(outcome), complete: () => (ended = true) });
      flush();

      expect(ended).toBe(true);
      expect(letters).toEqual([]);
      expect(monitor.account()).toMatchObject({
        received: 60_000,
        written: 60_000,
        diverted: 0,
        held: 0,
        conservation: 0,
      });
      expect(new Set(written).size).toBe(60_000);
      // Each worker has failed twice when the breaker is open; then there is one probe for each 500 ms, and no other call.
      expect(callsWhileDown.slice(0, 8)).toEqual([1_001, 1_001, 1_001, 1_001, 1_051, 1_051, 1_051, 1_051]);
      const probes = callsWhileDown.slice(8);
      expect(probes).toEqual(Array.from({ length: 119 }, (_, i) => 1_551 + i * 500));

      const [[, closedAt], [, openedAt]] = gate.slice(1) as [[string, number], [string, number]];
      expect(closedAt).toBeLessThan(DOWN_TO);
      expect(openedAt - firstCommitAfter).toBeLessThan(1_000);
      expect(openedAt - DOWN_TO).toBeLessThan(1_000);
    }),
  );
});
