import { concat, defer, merge, type Observable, of, Subject } from 'rxjs';
import { delay, map, retry, switchMap, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedSource } from '../../../src/flow/gatedSource.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { batch } from '../../../src/operators/batch.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';
import { writeTo } from '../../../src/operators/writeTo.js';
import { marbles } from '../../../src/testing/marbles.js';
import { probeGate } from '../../../src/testing/probeGate.js';
import { slowSink } from '../../../src/testing/slowSink.js';
import { upTo } from '../../support/record.js';

const CAPACITY = 10;
/** The sink takes an item in ten frames; a source that is never paused emits one in each. */
const SERVICE_MS = 10;

type Chain = (sources: {
  first: Observable<number>;
  second: Observable<number>;
  failing: Observable<number>;
}) => Observable<number>;

const chains: [string, Chain, readonly number[]][] = [
  ['map', ({ first }) => first.pipe(map((n) => n)), [...upTo(50)]],
  ['merge', ({ first, second }) => merge(first, second), [...upTo(100)]],
  ['late concat', ({ first, second }) => concat(first, of(-1).pipe(delay(7)), second), [-1, ...upTo(100)]],
  // Fails after its 25 items, and goes on with the rest when it is subscribed again, 5 frames later.
  ['retry', ({ failing }) => failing.pipe(retry({ delay: () => of(0).pipe(delay(5)) })), [...upTo(50)]],
  // Its only switch is made when the inner before has completed: nothing is to be lost.
  [
    'switchMap',
    ({ first, second }) => {
      const next = new Subject<void>();
      const ended = () => {
        next.next();
        next.complete();
      };
      const inner$ = first.pipe(tap({ complete: ended }));
      return concat(
        of(inner$),
        next.pipe(
          map(() => second),
          delay(3),
        ),
      ).pipe(switchMap((chosen$) => chosen$));
    },
    [...upTo(100)],
  ],
];

/** Emits one item a frame, from `from` up to `to`, and waits while the gate is closed. */
function ticking(from: number, to: number, onEmit: () => void, fail = false) {
  return (scheduler: { schedule(work: () => void, delay: number): { unsubscribe(): void } }) =>
    gatedSource<number>({ name: 'ticking' }, (outlet) => {
      let n = from;
      let timer: { unsubscribe(): void } | undefined;
      const tick = () => {
        if (n === to) {
          if (fail) outlet.error(new Error('line cut'));
          else outlet.complete();
          return;
        }
        onEmit();
        outlet.next(n++);
        timer = scheduler.schedule(() => outlet.whenOpen(tick), 1);
      };
      outlet.whenOpen(tick);
      return () => timer?.unsubscribe();
    });
}

describe('a source ten times faster than its sink', () => {
  it.each(chains)('is paused through %s: no more than capacity is held, and no item is lost', (_, chain, expected) => {
    marbles(({ scheduler, flush }) => {
      const monitor = new PipelineMonitor();
      const sink = slowSink<number>({ serviceTimeMs: SERVICE_MS });
      const probe = probeGate<number>();
      const emittedAt: number[] = [];
      const onEmit = () => emittedAt.push(scheduler.now());
      let tries = 0;
      const sources = {
        first: ticking(0, 50, onEmit)(scheduler),
        second: ticking(50, 100, onEmit)(scheduler),
        failing: defer(() => (tries++ === 0 ? ticking(0, 25, onEmit, true) : ticking(25, 50, onEmit))(scheduler)),
      };
      const moves: { readonly move: string; readonly at: number; readonly held: number }[] = [];
      const held = () => monitor.stages.find((stage) => stage.kind === 'boundedBuffer')?.held ?? 0;
      probe.gateLog$.subscribe((move) => moves.push({ move, at: scheduler.now(), held: held() }));

      let most = 0;
      let completed = false;
      chain(sources)
        .pipe(
          map((n) => n),
          probe,
          boundedBuffer({ capacity: CAPACITY }),
          batch({ size: 1 }),
          writeTo(sink),
          withContext({ monitor }),
        )
        .subscribe({
          next: () => {
            most = Math.max(most, held());
            expect(monitor.account().conservation).toBe(0);
          },
          complete: () => {
            completed = true;
          },
        });
      flush();

      expect(completed).toBe(true);
      expect(sink.maxInFlight).toBe(1);
      expect(sink.written.flat().sort((a, b) => a - b)).toEqual(expected);
      expect(monitor.account()).toMatchObject({ written: expected.length, held: 0, conservation: 0 });

      // The gate's log: it alternates, closes with 8 of 10 held, and opens with 5 left.
      expect(most).toBeLessThanOrEqual(CAPACITY);
      expect(moves.length).toBeGreaterThan(10);
      moves.slice(1).forEach(({ move, held }, index) => {
        expect(move).toBe(index % 2 === 0 ? 'c' : 'o');
        expect(held).toBe(move === 'c' ? 8 : 5);
      });
      // It is closed for as long as the sink takes for three items, and the sources emit nothing meanwhile.
      const closings = moves.filter(({ move }) => move === 'c');
      for (const closing of closings) {
        const opening = moves.find(({ move, at }) => move === 'o' && at > closing.at);
        expect(opening).toBeDefined();
        expect(opening!.at - closing.at).toBeGreaterThanOrEqual(2 * SERVICE_MS);
        expect(opening!.at - closing.at).toBeLessThanOrEqual(3 * SERVICE_MS);
        expect(emittedAt.filter((at) => at > closing.at && at < opening!.at)).toEqual([]);
      }
    })();
  });

  it('is not paused by a stream that hides the context, which fails loudly and accounts for what was lost', () => {
    const monitor = new PipelineMonitor();
    const sink = slowSink<number>({ serviceTimeMs: SERVICE_MS });
    marbles(({ scheduler, flush }) => {
      const hidden = new Subject<number>();
      let error: unknown;
      hidden
        .pipe(boundedBuffer({ capacity: CAPACITY }), batch({ size: 1 }), writeTo(sink), withContext({ monitor }))
        .subscribe({
          error: (thrown) => {
            error = thrown;
          },
        });
      ticking(0, 50, () => {})(scheduler).subscribe(hidden);
      flush();
      expect((error as Error).message).toContain('does not obey the gate');
    })();
    expect(sink.written.flat()).toEqual([...upTo(sink.written.length)]);
    expect(monitor.account()).toMatchObject({ dropped: { overflow: 1 }, held: 0, conservation: 0 });
  });
});
