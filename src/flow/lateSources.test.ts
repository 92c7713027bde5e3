import { type MonoTypeOperatorFunction, type Observable, Subject, share, switchMap, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { naturals } from '../../test/support/sources.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { pace } from '../operators/pace.js';
import { sinkSubscriber } from '../sinks/sinkSubscriber.js';
import { withGate } from '../testing/index.js';
import { isBufferOverflowError } from './errors.js';
import { Gate } from './gate.js';
import { withContext } from './withContext.js';

/** Stages that are full for as long as the test likes. */
const stages: Record<string, () => { stage: MonoTypeOperatorFunction<number>; release: () => void }> = {
  boundedBuffer() {
    const gate = new Gate('closed');
    const stage = (source$: Observable<number>) => source$.pipe(boundedBuffer({ capacity: 10 }), withGate(gate));
    return { stage, release: () => gate.open() };
  },
  pace() {
    const scheduler = new VirtualTimeScheduler();
    return { stage: pace({ rate: 1, perMs: 1_000, scheduler }), release: () => scheduler.flush() };
  },
};

const nothing: MonoTypeOperatorFunction<number> = (source) => source;

describe.each(Object.entries(stages))('a source that is subscribed late above share(), with %s below', (_, make) => {
  const lateAbove = (between: MonoTypeOperatorFunction<number>) => {
    const { stage, release } = make();
    const start = new Subject<void>();
    const seen = record(
      start.pipe(
        switchMap(() => naturals(2_000)),
        between,
        share(),
        stage,
      ),
    );
    start.next();
    release();
    return seen;
  };

  it('overflows it, and the error names what helps', () => {
    const { error } = lateAbove(nothing);
    expect(isBufferOverflowError(error)).toBe(true);
    expect(String(error)).toMatch(/share\(\).*withContext\(\{\}\).*directly above/);
  });

  it('waits at its gate with what the error names', () => {
    const { error, values } = lateAbove(withContext({}));
    expect(error).toBe(undefined);
    expect(values).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
  });
});

describe('a source above share() that ends in a sinkSubscriber()', () => {
  const subscribed = async (between: MonoTypeOperatorFunction<number>) => {
    const writes: Subject<{ rows: number }>[] = [];
    const sink = sinkSubscriber<number>(
      {
        name: 'slow',
        write() {
          const receipt = new Subject<{ rows: number }>();
          writes.push(receipt);
          return receipt;
        },
      },
      { capacity: 100, batchSize: 10 },
    );
    naturals(2_000).pipe(share(), between).subscribe(sink);
    while (writes.length > 0) {
      for (const receipt of writes.splice(0)) {
        receipt.next({ rows: 10 });
        receipt.complete();
      }
    }
    return sink.whenFinished().catch((error: unknown) => error);
  };

  it('overflows it, and the error names what helps', async () => {
    expect(String(await subscribed(nothing))).toMatch(
      /overflowed.*sinkSubscriber\(\).*withContext\(\{\}\) directly below/,
    );
  });

  it('waits at its gate with what the error names', async () => {
    expect(await subscribed(withContext({}))).toMatchObject({ outcome: 'completed', received: 2_000, written: 2_000 });
  });
});
