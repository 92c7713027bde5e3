import { EMPTY, NEVER, type OperatorFunction, Subject, type Subscription, VirtualTimeScheduler } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { batch } from '../operators/batch.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { conflate } from '../operators/conflate.js';
import { decode } from '../operators/decode.js';
import { dedupe } from '../operators/dedupe.js';
import { divert } from '../operators/divert.js';
import { lanes } from '../operators/lanes.js';
import { pace } from '../operators/pace.js';
import { route } from '../operators/route.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { operateQueued } from './operateQueued.js';
import { withContext } from './withContext.js';

function bench(operator: OperatorFunction<number, unknown>, state: 'open' | 'closed' = 'open') {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<number>();
  const errors: unknown[] = [];
  const subscription = source
    .pipe(operator, withContext({ gate, monitor }))
    .subscribe({ error: (error) => errors.push(error) });
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, monitor, source, subscription, push, errors };
}

/** Nothing is in two places of an account, and nothing in none. */
function balanced(monitor: PipelineMonitor, items: number) {
  const { received, written, diverted, dropped, filtered, delivered, held, conservation } = monitor.account();
  for (const stage of monitor.stages) expect(stage.conservation, stage.id).toBe(0);
  expect(conservation).toBe(0);
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  expect(received).toBe(items);
  expect(received).toBe(written + diverted + lost + filtered + delivered + held);
}

describe('an operator that ends itself while items wait', () => {
  it('keeps as held what waited for a lane whose chain has ended', () => {
    const clock = new VirtualTimeScheduler();
    const { monitor, push } = bench(
      lanes({ count: 1, by: () => 0 }, (lane$) => lane$.pipe(pace({ rate: 1, perMs: 100, scheduler: clock }), take(2))),
    );
    push(1, 2, 3, 4, 5);
    clock.flush();
    balanced(monitor, 5);
    expect(monitor.account()).toMatchObject({ delivered: 2, held: 3, dropped: {} });
  });

  it('offers nothing of the queue once an opening gate has ended it', () => {
    const { gate, monitor, push } = bench(
      (source) => source.pipe(conflate<number>({ by: (item) => item, maxKeys: 1 }), take(1)),
      'closed',
    );
    push(1, 2);
    gate.open();
    balanced(monitor, 2);
    expect(monitor.account()).toMatchObject({ delivered: 1, held: 1 });
  });

  it('flushes nothing after that, whoever asks, and calls no handler', () => {
    const calls: string[] = [];
    let isReady = false;
    let flush = () => {};
    const { gate, monitor, push, subscription } = bench(
      operateQueued<number, number>({ kind: 'test' }, (operation) => {
        flush = operation.flush;
        return {
          offer(item) {
            calls.push(`offer ${item}`);
            if (!isReady || !operation.mayEmit()) return false;
            operation.emit(item);
            return true;
          },
          onOpen: () => calls.push('open'),
        };
      }),
    );
    push(1, 2);
    subscription.unsubscribe();
    isReady = true;
    flush();
    gate.close();
    gate.open();
    expect(calls).toEqual(['offer 1']);
    balanced(monitor, 2);
  });
});

describe('a callback that ends the pipeline while it is given an item', () => {
  let leave = () => {};
  const leaving = <R>(answer: R) => {
    leave();
    return answer;
  };
  const clock = new VirtualTimeScheduler();
  const to = { append: () => NEVER };
  const reject = { decode: () => leaving({ _tag: 'Left', left: [] } as const) };
  const kinds: Record<string, OperatorFunction<number, unknown>> = {
    'batch sizeOf': batch({ size: 9, maxBytes: 9, sizeOf: () => leaving(1) }),
    'boundedMergeMap project': boundedMergeMap(() => leaving(NEVER), { concurrency: 2 }),
    'boundedMergeMap project that throws': boundedMergeMap(
      () => {
        leave();
        throw new Error('and throws');
      },
      { concurrency: 2 },
    ),
    'conflate by': conflate<number>({ by: (item) => leaving(item), maxKeys: 1 }),
    'conflate by, full': conflate<number>({ by: (item) => (item > 1 ? leaving(item) : item), maxKeys: 1 }),
    'conflate merge to less': conflate<number>({ by: () => 0, merge: (_, newer) => leaving(newer) }),
    'decode, diverted later': decode(reject as never, { divertTo: () => NEVER }) as never,
    'decode, diverted now': decode(reject as never, { divertTo: () => EMPTY }) as never,
    'dedupe by': dedupe({ by: () => leaving(0) }),
    'dedupe by, repeated': dedupe({ by: (item) => (item > 1 ? leaving(0) : 0) }),
    'divert when': divert<number>({ to, when: () => leaving(true) }),
    'divert when it passes': divert<number>({ to, when: () => leaving(false) }),
    'lanes by': lanes({ count: 1, by: () => leaving(0) }, (lane$) => lane$),
    'pace weight': pace<number>({ rate: 1, perMs: 1_000, weight: () => leaving(1), scheduler: clock }),
    'pace weight, full': pace<number>({
      rate: 1,
      perMs: 1_000,
      weight: (item) => (item > 1 ? leaving(1) : 1),
      scheduler: clock,
    }),
    'route by': route(() => leaving('a'), { a: (a$) => a$, b: (b$) => b$ }),
  };

  for (const state of ['open', 'closed'] as const) {
    it.each(Object.keys(kinds))(`books it once: %s, downstream ${state}`, (name) => {
      let subscription: Subscription | undefined;
      leave = () => subscription?.unsubscribe();
      const run = bench(kinds[name]!, state);
      subscription = run.subscription;
      run.push(1, 2, 3);
      run.subscription.unsubscribe();
      balanced(run.monitor, run.monitor.stages.find(({ feeds, branchOf }) => !feeds && !branchOf)?.in ?? 0);
    });
  }
});
