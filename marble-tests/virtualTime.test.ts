import { concatMap, map, NEVER, type Observable, of, share, shareReplay, tap } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { Gate } from '../src/flow/gate.js';
import { withContext } from '../src/flow/withContext.js';
import { boundedBuffer } from '../src/operators/boundedBuffer.js';
import { pace } from '../src/operators/pace.js';
import { fromIterable } from '../src/sources/fromIterable.js';
import { synthetic } from '../src/sources/synthetic.js';
import { marbles, withGate } from '../src/testing/index.js';
import { naturals } from '../test/support/sources.js';

const HUNDRED = Array.from({ length: 100 }, (_, n) => n);

/** Every source that takes its time from the event loop or from `asyncScheduler`. */
const sources: Readonly<Record<string, () => Observable<unknown>>> = {
  fromIterable: () => fromIterable(HUNDRED),
  synthetic: () => synthetic({ count: 100 }),
  gatedSource: () => naturals(100, { yieldAfterMs: 20 }),
};

describe.each(Object.entries(sources))('%s in virtual time', (_, make) => {
  // The second of each pair is the test after it, which must find nothing left of the first.
  for (const frames of [20, 20, 500, 0]) {
    it(
      `gives all of its items when its gate has been closed for ${frames} frames`,
      marbles(({ scheduler }) => {
        const gate = new Gate('closed');
        const frameOf: number[] = [];
        make()
          .pipe(withGate(gate))
          .subscribe(() => frameOf.push(scheduler.frame));
        scheduler.schedule(() => gate.open(), frames);
        scheduler.flush();
        expect(frameOf).toEqual(HUNDRED.map(() => frames));
      }),
    );

    it(
      `gives all of its items when it waits again and again, ${frames} frames each time`,
      marbles(({ scheduler, expectObservable }) => {
        const gate = new Gate();
        let seen = 0;
        const source$ = make().pipe(
          tap(() => {
            seen += 1;
            if (seen % 40 !== 0) return;
            gate.close();
            scheduler.schedule(() => gate.open(), frames);
          }),
          withGate(gate),
        );
        let ended = false;
        source$.subscribe({ complete: () => (ended = true) });
        expectObservable(NEVER).toBe('-');
        scheduler.flush();
        expect([seen, ended]).toEqual([100, true]);
      }),
    );
  }

  it('finds nothing left of a test that has failed while it waited for its turn', () => {
    const yielding = () => fromIterable(HUNDRED, { yieldAfterMs: 0 });
    const failing = marbles(() => {
      yielding().subscribe();
      throw new Error('a test that fails');
    });
    expect(failing).toThrow('a test that fails');
    const seen: unknown[] = [];
    marbles(({ scheduler }) => {
      make().subscribe((item) => seen.push(item));
      scheduler.flush();
    })();
    expect(seen).toHaveLength(100);
  });

  it('goes by the real time again after a test in virtual time', async () => {
    marbles(() => {
      fromIterable(HUNDRED, { yieldAfterMs: 0 }).subscribe();
    })();
    const seen: unknown[] = [];
    await new Promise<void>((complete) => make().subscribe({ next: (item) => seen.push(item), complete }));
    expect(seen).toHaveLength(100);
  });

  it('does so under a TestScheduler of RxJS as well', () => {
    const scheduler = new TestScheduler(() => {});
    const gate = new Gate('closed');
    let seen = 0;
    scheduler.run(({ flush }) => {
      make()
        .pipe(boundedBuffer(), withGate(gate))
        .subscribe(() => (seen += 1));
      scheduler.schedule(() => gate.open(), 20);
      flush();
    });
    expect(seen).toBe(100);
  });
});

describe('a drain in virtual time', () => {
  for (const [name, shared] of [
    ['share()', share],
    ['shareReplay()', () => shareReplay(1)],
  ] as const) {
    it(
      `ends an endless source with ${name} above a stage that waits`,
      marbles(({ stopping, expectObservable }) => {
        const drain = stopping('  -----s');
        const expected = '         a-b-c|';
        const source$ = synthetic().pipe(shared(), pace({ rate: 1, perMs: 2 }));
        const letters$ = source$.pipe(map((_, n) => 'abcdefgh'[n]));
        expectObservable(letters$.pipe(withContext({ stopping: drain }))).toBe(expected);
      }),
    );
  }

  it(
    'ends the pages of an endless source that follows itself',
    marbles(({ stopping, expectObservable }) => {
      const drain = stopping('  --s');
      const expected = '         --|';
      const endless$ = of(1).pipe(concatMap(() => synthetic()));
      expectObservable(endless$.pipe(withGate(new Gate('closed')), withContext({ stopping: drain }))).toBe(expected);
    }),
  );
});
