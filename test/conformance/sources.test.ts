import { merge, type Observable, Subject, share, shareReplay, takeUntil, tap } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { operateQueued } from '../../src/flow/operateQueued.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { broadcast } from '../../src/operators/broadcast.js';
import { pace } from '../../src/operators/pace.js';
import { untilStopped } from '../../src/operators/untilStopped.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { withGate } from '../../src/testing/index.js';
import { observe, settled, turnsUntil } from '../support/collect.js';
import { letterBox } from '../support/diversions.js';
import { Folder } from '../support/folder.js';
import { naturals } from '../support/sources.js';
import { ENOUGH, SOURCES } from './sources.js';

/** Takes three items, and the rest once the pipeline drains. */
const opensToDrain = <T>() =>
  operateQueued<T, T>({ kind: 'opensToDrain' }, ({ destination, downstream, emit, flush }) => {
    let room = 3;
    destination.add(
      downstream.stopping.subscribe(() => {
        room = Infinity;
        flush();
      }),
    );
    return {
      offer(item) {
        if (room === 0) return false;
        room -= 1;
        emit(item);
        return true;
      },
      isReady: () => room > 0,
    };
  });

const slowly = () => pace<unknown>({ rate: 2, perMs: 1_000_000 });

/** Pipelines in which a stage opens its gate because of the drain itself. */
const CHAINS: Readonly<
  Record<string, (source$: Observable<unknown>, stopping: Observable<void>) => Observable<unknown>>
> = {
  'a stage that opens when it is told': (source$) => source$.pipe(opensToDrain()),
  'a stage that opens, past share()': (source$) => source$.pipe(share(), opensToDrain()),
  'share() above pace': (source$) => source$.pipe(share(), slowly()),
  'shareReplay() above pace': (source$) => source$.pipe(shareReplay(1), slowly()),
  'a broadcast with a branch that completes at once'(source$) {
    const shared$ = source$.pipe(broadcast({ branches: 2 }));
    const full$ = shared$.pipe(untilStopped(), boundedBuffer({ capacity: 4 }), withGate(new Gate('closed')));
    return merge(full$, shared$);
  },
  'takeUntil() above a stage that opens': (source$, stopping) => source$.pipe(takeUntil(stopping), opensToDrain()),
  'takeUntil() below share()': (source$, stopping) => source$.pipe(share(), takeUntil(stopping), opensToDrain()),
};

describe('a writer that cannot go on', () => {
  it('makes no source read on, although nobody runs the pipeline', async () => {
    const { letters, deadLetters } = letterBox();
    const write = new Subject<never>();
    let read = 0;
    const seen = observe(
      naturals(ENOUGH).pipe(
        tap(() => (read += 1)),
        opensToDrain<number>(),
        batch({ size: 2 }),
        writeTo({ name: 'failing', write: () => write }, { deadLetters }),
      ),
    );
    write.error(Object.assign(new Error('relation "bars" does not exist'), { code: '42P01' }));
    await seen.ended;
    expect(seen.end).toMatchObject({ kind: 'error' });
    const saved = letters.flatMap(({ items }) => items).sort((a, b) => a - b);
    expect(saved).toEqual(Array.from({ length: read }, (_, n) => n));
    expect(read).toBeLessThan(10);
  });
});

describe.each(Object.entries(SOURCES))('%s', (_, make) => {
  const folder = new Folder();
  afterAll(() => folder.remove());

  it.each(Object.entries(CHAINS))('reads nothing more once the pipeline drains: %s', async (_, build) => {
    const stopping = new Subject<void>();
    let read = 0;
    const source$ = make(folder).pipe(tap(() => (read += 1)));
    const seen = observe(build(source$, stopping), new Gate(), stopping);
    await turnsUntil(() => read > 0);
    await settled();
    const before = read;
    expect(before).toBeLessThan(ENOUGH);
    stopping.next();
    await settled();
    seen.unsubscribe();
    expect(read).toBe(before);
    expect(seen.monitor.account()).toMatchObject({ filtered: 0, conservation: 0 });
  });
});
