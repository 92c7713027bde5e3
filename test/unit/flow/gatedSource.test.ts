import { AsyncSubject, VirtualTimeScheduler } from 'rxjs';
import { map, retry, take, tap } from 'rxjs/operators';
import { describe, expect, it, vi } from 'vitest';
import { NO_CONTEXT } from '../../../src/flow/context.js';
import { Gate } from '../../../src/flow/gate.js';
import { gatedSource, type Outlet } from '../../../src/flow/gatedSource.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';

/** Counts from 0 to `end`, exclusive. */
const numbers = (end: number, config: Partial<Parameters<typeof gatedSource>[0]> = {}, teardown = () => {}) =>
  gatedSource<number>({ name: 'numbers', ...config }, (outlet) => {
    let n = 0;
    outlet.pump(() => (n < end ? outlet.next(n++) : outlet.complete()));
    return teardown;
  });

function record() {
  const items: number[] = [];
  const errors: unknown[] = [];
  const observer = {
    items,
    errors,
    completions: 0,
    next: (n: number) => void items.push(n),
    error: (error: unknown) => void errors.push(error),
    complete: () => {
      observer.completions += 1;
    },
  };
  return observer;
}

describe('gatedSource', () => {
  it('emits everything at once where nothing is downstream that can be full', () => {
    const seen = record();
    numbers(1_000).subscribe(seen);
    expect(seen.items).toHaveLength(1_000);
    expect(seen.completions).toBe(1);
  });

  it('stops with the item that closes the gate, and goes on with the next when it opens', () => {
    const gate = new Gate();
    const seen = record();
    numbers(7)
      .pipe(
        map((n) => {
          if (n % 3 === 2) gate.close();
          return n;
        }),
        withContext({ gate }),
      )
      .subscribe(seen);
    expect(seen.items).toEqual([0, 1, 2]);
    expect(gate.waiting).toBe(1);
    gate.open();
    expect(seen.items).toEqual([0, 1, 2, 3, 4, 5]);
    expect(seen.completions).toBe(0);
    gate.open();
    expect(seen.completions).toBe(1);
    expect(gate.waiting).toBe(0);
  });

  it('does not begin while the gate is closed', () => {
    const gate = new Gate('closed');
    const seen = record();
    numbers(2).pipe(withContext({ gate })).subscribe(seen);
    expect(seen.items).toEqual([]);
    gate.open();
    expect(seen.items).toEqual([0, 1]);
  });

  it('takes turns with another source at one gate', () => {
    const gate = new Gate('closed');
    const turns: string[] = [];
    const turn = (name: string) =>
      numbers(3)
        .pipe(withContext({ gate }))
        .subscribe((n) => {
          turns.push(`${name}${n}`);
          gate.close();
        });
    turn('a');
    turn('b');
    for (let i = 0; i < 8; i++) gate.open();
    expect(turns).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  });

  it('yields to the event loop when it has run for long enough, and resumes where it was', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = record();
    // Each item takes a tenth of a millisecond of the scheduler's time.
    numbers(1_000, { scheduler, yieldAfterMs: 20 })
      .pipe(
        map((n) => {
          scheduler.frame += 0.1;
          return n;
        }),
      )
      .subscribe(seen);
    // It looks at the clock at every 256th item: 25.5 ms have passed then.
    expect(seen.items).toHaveLength(255);
    scheduler.flush();
    expect(seen.items).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(seen.completions).toBe(1);
  });

  it('has its whole time again after it has yielded', () => {
    const scheduler = new VirtualTimeScheduler();
    const schedule = vi.spyOn(scheduler, 'schedule');
    const seen = record();
    // 256 items take 25.6 ms and 512 take 51.2 ms: it yields at the second look at the clock, once in 1,000 items.
    numbers(1_000, { scheduler, yieldAfterMs: 40 })
      .pipe(
        map((n) => {
          scheduler.frame += 0.1;
          return n;
        }),
      )
      .subscribe(seen);
    expect(seen.items).toHaveLength(511);
    scheduler.flush();
    expect(seen.items).toHaveLength(1_000);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('does not go on after it has yielded and is unsubscribed', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = record();
    const subscription = numbers(1_000, { scheduler, yieldAfterMs: 0 }).subscribe(seen);
    expect(seen.items).toHaveLength(255);
    subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  it('waits at the gate that closed while it had yielded', () => {
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate();
    const seen = record();
    numbers(300, { scheduler, yieldAfterMs: 0 }).pipe(withContext({ gate })).subscribe(seen);
    gate.close();
    scheduler.flush();
    expect(seen.items).toHaveLength(255);
    gate.open();
    expect(seen.items).toHaveLength(300);
  });

  it('completes when the pipeline is to drain, also while it waits, also when it was told before', () => {
    const stopping = new AsyncSubject<void>();
    const gate = new Gate('closed');
    const seen = record();
    let torn = 0;
    const source$ = numbers(5, {}, () => {
      torn += 1;
    });
    source$.pipe(withContext({ stopping, gate })).subscribe(seen);
    stopping.next();
    stopping.complete();
    expect(seen).toMatchObject({ items: [], completions: 1 });
    expect(torn).toBe(1);
    expect(gate.waiting).toBe(0);
    const late = record();
    source$.pipe(withContext({ stopping })).subscribe(late);
    expect(late).toMatchObject({ items: [], completions: 1 });
    expect(torn).toBe(1);
  });

  it('fails with what produce throws, at once and when the gate wakes it, and not the opener', () => {
    const failure = new Error('cannot read');
    const broken = (at: number) =>
      gatedSource<number>({ name: 'broken' }, (outlet) => {
        let n = 0;
        outlet.pump(() => {
          if (n === at) throw failure;
          outlet.next(n++);
        });
      });
    const seen = record();
    broken(2).subscribe(seen);
    expect(seen).toMatchObject({ items: [0, 1], errors: [failure], completions: 0 });

    const gate = new Gate('closed');
    const woken = record();
    broken(1).pipe(withContext({ gate })).subscribe(woken);
    gate.open();
    expect(woken).toMatchObject({ items: [0], errors: [failure], completions: 0 });
  });

  it('fails with what a resume throws, and not the opener', () => {
    const gate = new Gate('closed');
    const failure = new Error('cannot resume');
    const seen = record();
    gatedSource<number>({ name: 'broken' }, (outlet) => {
      outlet.whenOpen(() => {
        throw failure;
      });
    })
      .pipe(withContext({ gate }))
      .subscribe(seen);
    gate.open();
    expect(seen.errors).toEqual([failure]);
  });

  it('stops and tears down when it is unsubscribed half-way', () => {
    const gate = new Gate();
    const seen = record();
    let torn = 0;
    numbers(100, {}, () => {
      torn += 1;
    })
      .pipe(take(3), withContext({ gate }))
      .subscribe(seen);
    expect(seen.items).toEqual([0, 1, 2]);
    expect(torn).toBe(1);

    const waiting = new Gate('closed');
    const subscription = numbers(5)
      .pipe(withContext({ gate: waiting }))
      .subscribe(seen);
    subscription.unsubscribe();
    expect(waiting.waiting).toBe(0);
    waiting.open();
    expect(seen.items).toEqual([0, 1, 2]);
  });

  it('starts afresh for each subscription', () => {
    const source$ = numbers(3);
    const [one, other] = [record(), record()];
    source$.subscribe(one);
    source$.subscribe(other);
    expect([one.items, other.items]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it('keeps one wait of its own: a later one replaces it', () => {
    const gate = new Gate('closed');
    const resumed: string[] = [];
    gatedSource<number>({ name: 'waits' }, (outlet) => {
      outlet.whenOpen(() => resumed.push('first'));
      outlet.whenOpen(() => resumed.push('second'));
    })
      .pipe(withContext({ gate }))
      .subscribe();
    expect(gate.waiting).toBe(1);
    gate.open();
    expect(resumed).toEqual(['second']);
  });

  it('withdraws the wait that a resume has begun', () => {
    const gate = new Gate();
    gatedSource<number>({ name: 'waits' }, (outlet) => {
      outlet.whenOpen(() => {
        gate.close();
        outlet.whenOpen(() => {});
      });
    })
      .pipe(withContext({ gate }))
      .subscribe()
      .unsubscribe();
    expect(gate.waiting).toBe(0);
  });

  it('can be pumped once at a time: a pump inside a pump changes nothing', () => {
    const seen = record();
    gatedSource<number>({ name: 'nested' }, (outlet) => {
      let n = 0;
      const produce = () => {
        outlet.pump(produce);
        if (n < 3) outlet.next(n++);
        else outlet.complete();
      };
      outlet.pump(produce);
    }).subscribe(seen);
    expect(seen.items).toEqual([0, 1, 2]);
  });

  it('counts what it emits and refuses, and takes its account up again after a retry', () => {
    const monitor = new PipelineMonitor();
    let attempt = 0;
    const seen = record();
    gatedSource<number>({ name: 'flapping' }, (outlet: Outlet<number>) => {
      attempt += 1;
      outlet.next(attempt);
      outlet.drop('unreadable', 2);
      if (attempt < 3) outlet.error(new Error('down'));
      else outlet.complete();
    })
      .pipe(retry(), withContext({ monitor }))
      .subscribe(seen);
    expect(seen.items).toEqual([1, 2, 3]);
    expect(monitor.stages).toHaveLength(1);
    expect(monitor.account()).toMatchObject({
      received: 9,
      delivered: 3,
      dropped: { unreadable: 6 },
      conservation: 0,
    });
  });

  it('is not upstream of a pipeline that is subscribed by accident inside it', () => {
    let found: Gate | undefined;
    const inner$ = gatedSource<number>({ name: 'inner' }, (outlet) => {
      found = outlet.context.gate;
    });
    numbers(1)
      .pipe(
        tap(() => inner$.subscribe()),
        boundedBuffer(),
      )
      .subscribe();
    expect(found).toBe(NO_CONTEXT.gate);
  });
});
