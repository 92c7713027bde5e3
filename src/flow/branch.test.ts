import { EMPTY, type Observable, Subject } from 'rxjs';
import { map, retry, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { lanes } from '../operators/lanes.js';
import { Branch } from './branch.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { StageAccount } from './stage.js';
import { withContext } from './withContext.js';

function branch() {
  const monitor = new PipelineMonitor();
  const branchOf = new StageAccount('out', { kind: 'out' }).stage;
  const info = { kind: 'lane', name: 'lane[0]', monitor, branchOf, takesBatches: () => false };
  return { monitor, branch: new Branch<number>(info), branchOf };
}

describe('Branch', () => {
  it('is closed without a subscriber, and open while the gate below it is', () => {
    const { branch: lane } = branch();
    const gate = new Gate();
    expect(lane.isOpen).toBe(false);
    const subscription = lane.stream.pipe(withContext({ gate })).subscribe();
    expect(lane.isOpen).toBe(true);
    gate.close();
    expect(lane.isOpen).toBe(false);
    gate.open();
    subscription.unsubscribe();
    expect(lane.isOpen).toBe(false);
  });

  it('calls who waits once, when there is a subscriber whose gate is open', () => {
    const { branch: lane } = branch();
    const gate = new Gate('closed');
    const resumed: string[] = [];
    lane.whenOpen(() => resumed.push('former'));
    lane.whenOpen(() => resumed.push('latter'));
    lane.stream.pipe(withContext({ gate })).subscribe();
    expect(resumed).toEqual([]);
    gate.open();
    gate.close();
    gate.open();
    expect(resumed).toEqual(['latter']);
  });

  it('leaves no wait behind when its subscriber leaves, and waits for the next', () => {
    const { branch: lane } = branch();
    const [first, second] = [new Gate('closed'), new Gate()];
    let resumed = 0;
    const subscription = lane.stream.pipe(withContext({ gate: first })).subscribe();
    lane.whenOpen(() => {
      resumed += 1;
    });
    subscription.unsubscribe();
    expect(first.waiting).toBe(0);
    first.open();
    expect(resumed).toBe(0);
    const back = lane.stream.pipe(withContext({ gate: second })).subscribe();
    expect(resumed).toBe(1);
    back.unsubscribe();
    lane.stream.subscribe();
    expect(resumed).toBe(1);
  });

  it('counts what it hands on, under one account for one subscriber after another', () => {
    const { branch: lane, monitor, branchOf } = branch();
    const items: number[] = [];
    lane.stream.pipe(take(1)).subscribe((item) => items.push(item));
    lane.next(1, 1);
    lane.next(2, 1);
    lane.stream.subscribe((item) => items.push(item));
    lane.next(3, 1);
    expect(items).toEqual([1, 3]);
    expect(monitor.stages).toHaveLength(1);
    expect(monitor.stages[0]).toMatchObject({ name: 'lane[0]', branchOf, in: 2, out: 2 });
  });

  it('refuses a second subscriber at one time, with the remedy', () => {
    const { branch: lane } = branch();
    lane.stream.subscribe();
    const errors: unknown[] = [];
    lane.stream.subscribe({ error: (error) => errors.push(error) });
    expect(String(errors[0])).toMatch(/lane\[0\] has a subscriber already: use broadcast\(\)/);
  });

  it('completes at once for a subscriber that comes after its end', () => {
    const { branch: lane } = branch();
    let completions = 0;
    const count = {
      complete: () => {
        completions += 1;
      },
    };
    lane.stream.subscribe(count);
    lane.complete();
    lane.stream.subscribe(count);
    expect(completions).toBe(2);
  });
});

describe('FanOut, as lanes use it', () => {
  const byTwo = { count: 2, by: (n: number) => n };

  /** Two lanes with a gate each; the parity of an item does not tell its lane, so ask. */
  function gatedLanes() {
    const gates = [new Gate(), new Gate()] as const;
    const source$ = new Subject<number>();
    const items: [lane: number, item: number][] = [];
    const monitor = new PipelineMonitor();
    let completions = 0;
    const lane = (lane$: Observable<number>, index: number) =>
      lane$.pipe(
        withContext({ gate: gates[index] as Gate }),
        map((n): [number, number] => [index, n]),
      );
    source$.pipe(lanes(byTwo, lane), withContext({ monitor })).subscribe({
      next: (item) => items.push(item),
      complete: () => {
        completions += 1;
      },
    });
    for (let n = 0; n < 20; n++) source$.next(n);
    const laneOf = new Map(items.splice(0).map(([index, n]) => [n, index]));
    const [first, second] = [0, 1].map((index) => [...laneOf].filter(([, l]) => l === index).map(([n]) => n)) as [
      number[],
      number[],
    ];
    return { gates, source$, items, monitor, first, second, completions: () => completions };
  }

  it('holds an item whose lane is closed, and those behind it, so that order holds', () => {
    const { gates, source$, items, monitor, first, second } = gatedLanes();
    gates[0].close();
    source$.next(second[0] as number);
    source$.next(first[0] as number);
    source$.next(second[1] as number);
    expect(items).toEqual([[1, second[0]]]);
    expect(monitor.account()).toMatchObject({ held: 2, conservation: 0 });
    expect(monitor.stages[0]?.gate?.isOpen).toBe(false);
    gates[0].open();
    expect(items).toEqual([
      [1, second[0]],
      [0, first[0]],
      [1, second[1]],
    ]);
    expect(monitor.stages[0]?.gate?.isOpen).toBe(true);
  });

  it('ends when its source has ended, what waits is handed out and all lanes have ended', () => {
    const { gates, source$, items, first, completions } = gatedLanes();
    gates[0].close();
    source$.next(first[0] as number);
    source$.complete();
    expect(completions()).toBe(0);
    gates[0].open();
    expect(items).toEqual([[0, first[0]]]);
    expect(completions()).toBe(1);
  });

  it('drops what is for a lane that has ended, and counts it', () => {
    const monitor = new PipelineMonitor();
    const source$ = new Subject<number>();
    const items: number[] = [];
    source$
      .pipe(
        lanes(byTwo, (lane$, index) => (index === 0 ? EMPTY : lane$)),
        withContext({ monitor }),
      )
      .subscribe((n) => items.push(n));
    for (let n = 0; n < 20; n++) source$.next(n);
    const { received, delivered, dropped, conservation } = monitor.account();
    expect(received).toBe(20);
    expect(delivered).toBe(items.length);
    expect(items.length).toBeGreaterThan(0);
    expect(dropped).toEqual({ branchEnded: 20 - items.length });
    expect(conservation).toBe(0);
  });

  it('keeps the items of a lane that is retried until it is back', () => {
    const source$ = new Subject<number>();
    const back$ = new Subject<void>();
    const items: number[] = [];
    let failed = false;
    const flaky = (lane$: Observable<number>) =>
      lane$.pipe(
        boundedBuffer({ capacity: 4 }),
        map((n) => {
          if (n === 2 && !failed) {
            failed = true;
            throw new Error('flaky');
          }
          return n;
        }),
        retry({ delay: () => back$ }),
      );
    source$.pipe(lanes({ count: 1 }, flaky)).subscribe((n) => items.push(n));
    for (const n of [1, 2, 3, 4]) source$.next(n);
    expect(items).toEqual([1]);
    back$.next();
    expect(items).toEqual([1, 3, 4]);
  });

  it('fails with a lane', () => {
    const errors: unknown[] = [];
    const failure = new Error('lane');
    const source$ = new Subject<number>();
    const broken = (lane$: Observable<number>) =>
      lane$.pipe(
        map(() => {
          throw failure;
        }),
      );
    source$.pipe(lanes({ count: 2 }, broken)).subscribe({ error: (error) => errors.push(error) });
    source$.next(1);
    expect(errors).toEqual([failure]);
    expect(source$.observed).toBe(false);
  });
});
