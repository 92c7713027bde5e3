import { AsyncSubject, of, ReplaySubject, repeat, VirtualTimeScheduler } from 'rxjs';
import { map, retry, take, tap } from 'rxjs/operators';
import { describe, expect, it, vi } from 'vitest';
import { recorder } from '../../test/support/record.js';
import { naturals } from '../../test/support/sources.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { pace } from '../operators/pace.js';
import { untilStopped } from '../operators/untilStopped.js';
import { NO_CONTEXT } from './context.js';
import { Gate } from './gate.js';
import { type GatedSourceConfig, gatedSource, type Outlet } from './gatedSource.js';
import { PipelineMonitor } from './monitor.js';
import { withContext } from './withContext.js';

/** A clock that stands still: however slow the machine is, a source on it does not yield. */
const scheduler = new VirtualTimeScheduler();

const numbers = (end: number, config: Partial<GatedSourceConfig> = {}, teardown?: () => void) =>
  naturals(end, { name: 'numbers', scheduler, yieldAfterMs: 20, ...config }, teardown);

describe('gatedSource', () => {
  it('emits everything at once where nothing is downstream that can be full', () => {
    const seen = recorder();
    numbers(1_000).subscribe(seen);
    expect(seen.items).toHaveLength(1_000);
    expect(seen.completions).toBe(1);
  });

  it('stops with the item that closes the gate, and goes on with the next when it opens', () => {
    const gate = new Gate();
    const seen = recorder();
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
    const seen = recorder();
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

  it('completes when the pipeline is to drain, also while it waits', () => {
    const stopping = new AsyncSubject<void>();
    const gate = new Gate('closed');
    const seen = recorder();
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
  });

  it('completes by its scheduler, without connecting, when the pipeline is stopping already', () => {
    const scheduler = new VirtualTimeScheduler();
    const connect = vi.fn();
    const late$ = gatedSource<number>({ name: 'late', scheduler }, connect).pipe(
      withContext({ stopping: of(undefined) }),
    );
    const seen = recorder();
    late$.subscribe(seen);
    expect(seen.completions).toBe(0);
    scheduler.flush();
    expect(seen.completions).toBe(1);
    late$.subscribe().unsubscribe();
    expect(scheduler.actions).toEqual([]);
    expect(connect).not.toHaveBeenCalled();
  });

  it('does not fill the stack with repetitions of what has stopped', () => {
    const scheduler = new VirtualTimeScheduler();
    const stopping = new ReplaySubject<void>(1);
    const errors: unknown[] = [];
    const subscription = numbers(3, { scheduler })
      .pipe(repeat(), pace({ rate: 1, perMs: 1, scheduler }), batch({ size: 2, scheduler }), withContext({ stopping }))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    stopping.next();
    subscription.unsubscribe();
    expect(errors).toEqual([]);
    expect(scheduler.actions).toEqual([]);
  });

  it('ends at once behind repeat() and untilStopped(), with what was on its way', () => {
    const scheduler = new VirtualTimeScheduler();
    const stopping = new ReplaySubject<void>(1);
    const seen: (readonly number[])[] = [];
    let completed = false;
    numbers(3, { scheduler })
      .pipe(
        repeat(),
        untilStopped(),
        pace({ rate: 1, perMs: 10, scheduler }),
        batch({ size: 100, scheduler }),
        withContext({ stopping }),
      )
      .subscribe({ next: (items) => seen.push(items), complete: () => (completed = true) });
    scheduler.schedule(() => stopping.next(), 45);
    scheduler.flush();
    expect(seen).toEqual([[0, 1, 2, 0, 1]]);
    expect(completed).toBe(true);
    expect(scheduler.now()).toBeLessThanOrEqual(60);
  });

  it('completes on stopping only when the work that it has begun has ended', () => {
    const stopping = new AsyncSubject<void>();
    const seen = recorder();
    const ends: (() => void)[] = [];
    gatedSource<number>({ name: 'working', scheduler }, (outlet) => {
      ends.push(outlet.begin(), outlet.begin());
    })
      .pipe(withContext({ stopping }))
      .subscribe(seen);
    ends[0]!();
    ends[0]!();
    stopping.next();
    stopping.complete();
    expect(seen.completions).toBe(0);
    ends[1]!();
    expect(seen.completions).toBe(1);
  });

  it('runs to its end on stopping where it is not to stop, also when the stop came before it began', () => {
    for (const before of [true, false]) {
      const stopping = new ReplaySubject<void>(1);
      const gate = new Gate('closed');
      const seen = recorder();
      if (before) stopping.next();
      numbers(3, { stops: false }).pipe(withContext({ gate, stopping })).subscribe(seen);
      if (!before) stopping.next();
      expect(seen).toMatchObject({ items: [], completions: 0 });
      gate.open();
      expect(seen).toMatchObject({ items: [0, 1, 2], completions: 1 });
      expect(stopping.observed).toBe(false);
    }
  });

  it('fails with what produce throws, at once and when the gate wakes it, and not the opener', () => {
    const failure = new Error('cannot read');
    const broken = (at: number) =>
      gatedSource<number>({ name: 'broken', scheduler }, (outlet) => {
        let n = 0;
        outlet.pump(() => {
          if (n === at) throw failure;
          outlet.next(n++);
        });
      });
    const seen = recorder();
    broken(2).subscribe(seen);
    expect(seen).toMatchObject({ items: [0, 1], errors: [failure], completions: 0 });

    const gate = new Gate('closed');
    const woken = recorder();
    broken(1).pipe(withContext({ gate })).subscribe(woken);
    gate.open();
    expect(woken).toMatchObject({ items: [0], errors: [failure], completions: 0 });
  });

  it('fails with what a resume throws, and not the opener', () => {
    const gate = new Gate('closed');
    const failure = new Error('cannot resume');
    const seen = recorder();
    gatedSource<number>({ name: 'broken', scheduler }, (outlet) => {
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
    const seen = recorder();
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
    const [one, other] = [recorder(), recorder()];
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
    gatedSource<number>({ name: 'waits', scheduler }, (outlet) => {
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
    gatedSource<number>({ name: 'waits', scheduler }, (outlet) => {
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
    const seen = recorder();
    gatedSource<number>({ name: 'nested', scheduler }, (outlet) => {
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
    const seen = recorder();
    gatedSource<number>({ name: 'flapping', scheduler }, (outlet: Outlet<number>) => {
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
    const inner$ = gatedSource<number>({ name: 'inner', scheduler }, (outlet) => {
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

  it('counts what it holds and gives up as received, whatever becomes of it', () => {
    const monitor = new PipelineMonitor();
    let outlet: Outlet<number> | undefined;
    let held = 3;
    const subscription = gatedSource<number>({ name: 'socket', scheduler }, (opened) => {
      outlet = opened;
      opened.holds(() => held);
    })
      .pipe(withContext({ monitor }))
      .subscribe();
    outlet!.next(1);
    outlet!.settle('dropped', 2, 'conflated');
    outlet!.settle('diverted', 'odd', 'decode');
    expect(outlet!.stage).toBe(monitor.stages[0]);
    const counts = { dropped: { conflated: 1 }, divertedBy: { decode: 1 }, conservation: 0 };
    expect(monitor.account()).toMatchObject({ received: 6, delivered: 1, held: 3, ...counts });
    held = 2;
    outlet!.next(3);
    expect(monitor.account()).toMatchObject({ received: 6, delivered: 2, held: 2, ...counts });
    subscription.unsubscribe();
    expect(monitor.account()).toMatchObject({ received: 6, delivered: 2, held: 2, ...counts });
  });
});
