import { EMPTY, type OperatorFunction, of, Subject, timer, VirtualTimeScheduler } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { broadcast } from '../operators/broadcast.js';
import { conflate } from '../operators/conflate.js';
import { decode } from '../operators/decode.js';
import { dedupe } from '../operators/dedupe.js';
import { divert } from '../operators/divert.js';
import { lanes } from '../operators/lanes.js';
import { writeTo } from '../operators/writeTo.js';
import { memorySink } from '../sinks/memorySink.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { operate } from './operate.js';
import { withContext } from './withContext.js';

const failure = new Error('the observer is at fault');

describe('an observer of fates that throws', () => {
  const clock = new VirtualTimeScheduler();
  const reject = { decode: () => ({ _tag: 'Left', left: [] }) as const };
  const later = () => timer(1, clock);
  const kinds: Record<string, OperatorFunction<number, unknown>> = {
    'boundedBuffer that drops the oldest': boundedBuffer<number>({ capacity: 1, overflow: 'dropOldest' }),
    'boundedBuffer that drops what comes': boundedBuffer<number>({ capacity: 1, overflow: 'dropIncoming' }),
    'boundedBuffer that fails': boundedBuffer<number>({ capacity: 1 }),
    'boundedMergeMap with too many results': boundedMergeMap(() => of(...new Array(2_000).keys()), { concurrency: 1 }),
    conflate: conflate<number>({ by: () => 0 }),
    dedupe: dedupe<number>({ by: () => 0 }),
    'decode that drops': decode(reject as never, { divertTo: () => {} }) as never,
    'decode that diverts now': decode(reject as never, { divertTo: () => EMPTY }) as never,
    'decode that diverts later': decode(reject as never, { divertTo: later }) as never,
    'divert now': divert<number>({ to: { append: () => EMPTY }, when: () => true }),
    'divert later': divert<number>({ to: { append: later }, when: () => true }),
    'divert later, one at a time': divert<number>({ to: { append: later }, when: () => true, concurrency: 1 }),
    'lanes whose chain has ended': lanes({ count: 2, by: () => 0 }, (lane$) => lane$.pipe(take(1))),
    'writeTo that writes': (source) => source.pipe(batch({ size: 1 }), writeTo(memorySink())),
    'an operator of one’s own': operate<number, number>({ kind: 'own' }, ({ settle }) => ({
      next: (item) => settle('dropped', item, 'never'),
    })),
  };

  it.each(Object.keys(kinds))('ends the pipeline as a failure of the stage, and counts each item once: %s', (name) => {
    let told = 0;
    const monitor = new PipelineMonitor({
      observer: {
        fate() {
          told += 1;
          throw failure;
        },
      },
    });
    // Buffers drop while downstream is closed.
    const gate = new Gate(/boundedBuffer|conflate/.test(name) ? 'closed' : 'open');
    const source = new Subject<number>();
    const errors: unknown[] = [];
    source.pipe(kinds[name]!, withContext({ monitor, gate })).subscribe({
      next: () => name.startsWith('boundedMergeMap') && gate.close(),
      error: (error) => errors.push(error),
    });
    expect(() => {
      for (const item of [1, 2, 3, 4, 5]) source.next(item);
      clock.maxFrames = clock.frame + 10;
      clock.flush();
    }).not.toThrow();
    expect(errors).toEqual([failure]);
    expect(told).toBe(1);
    expect(source.observed).toBe(false);
    for (const stage of monitor.stages) expect(stage.conservation, stage.id).toBe(0);
    const settled = monitor.stages.map((stage) => stage.written + stage.diverted + stage.droppedTotal);
    expect(settled.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('fails the branches of a broadcast', () => {
    const monitor = new PipelineMonitor({
      observer: {
        fate() {
          throw failure;
        },
      },
    });
    const source = new Subject<number>();
    const errors: unknown[] = [];
    const shared$ = source.pipe(broadcast({ branches: 1 }));
    const join = (gate: Gate) =>
      shared$.pipe(withContext({ monitor, gate })).subscribe({ error: (error) => errors.push(error) });
    const first = join(new Gate('closed'));
    source.next(1);
    join(new Gate());
    // What waited was for the branch that leaves, and the other came later.
    expect(() => first.unsubscribe()).not.toThrow();
    expect(errors).toEqual([failure]);
    expect(monitor.account().dropped).toEqual({ branchEnded: 1 });
    expect(monitor.account().conservation).toBe(0);
  });
});
