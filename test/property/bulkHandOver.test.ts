import fc from 'fast-check';
import { identity } from 'rxjs';
import { map } from 'rxjs/operators';
import { expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { gatedSource, type Outlet } from '../../src/flow/gatedSource.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';

type Action = { readonly push: number } | 'open' | 'close' | 'complete';

interface Script {
  readonly capacity: number;
  readonly size: number;
  /** Whether downstream closes its gate at each batch, as a writer does. */
  readonly busy: boolean;
  /** How often downstream lets the source emit while it takes a batch. */
  readonly echoes: number;
  readonly actions: readonly Action[];
}

/** Everything that can be seen of a buffer and a batch, beside each other or with a stock operator between. */
function traceOf({ capacity, size, busy, echoes, actions }: Script, apart: boolean): string[] {
  const log: string[] = [];
  const gate = new Gate();
  const monitor = new PipelineMonitor();
  let outlet: Outlet<number> | undefined;
  let next = 0;
  let echoed = 0;
  const push = () => {
    if (outlet?.isOpen) outlet.next(next++);
  };
  const account = () => {
    const { received, delivered, held, conservation } = monitor.account();
    return `received ${received} delivered ${delivered} held ${held} missing ${conservation}`;
  };
  const buffer = boundedBuffer<number>({ capacity });
  buffer.level$.subscribe((level) => log.push(`level ${level}`));
  gatedSource<number>({ name: 'source' }, (given) => {
    outlet = given;
  })
    .pipe(buffer, apart ? map((item: number) => item) : identity, batch({ size }), withContext({ gate, monitor }))
    .subscribe({
      next(items) {
        log.push(`batch ${items} ${account()}`);
        if (busy) gate.close();
        if (echoed++ < echoes) push();
      },
      error: (error) => log.push(`error ${error}`),
      complete: () => log.push('complete'),
    });
  const upstream = outlet?.context.gate;
  upstream?.state$.subscribe((state) => log.push(`gate ${state}`));
  for (const action of actions) {
    if (action === 'open') gate.open();
    else if (action === 'close') gate.close();
    else if (action === 'complete') outlet?.complete();
    // Also where the gate is closed, so that the buffer becomes full and overflows.
    else for (let i = 0; i < action.push; i++) outlet?.next(next++);
    log.push(account());
  }
  return log;
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 4, arbitrary: fc.constant<Action>('open') },
  { weight: 2, arbitrary: fc.constant<Action>('close') },
  { weight: 1, arbitrary: fc.constant<Action>('complete') },
);

const script: fc.Arbitrary<Script> = fc.record({
  capacity: fc.integer({ min: 1, max: 40 }),
  size: fc.integer({ min: 1, max: 12 }),
  busy: fc.boolean(),
  echoes: fc.integer({ min: 0, max: 30 }),
  actions: fc.array(action, { minLength: 4, maxLength: 40 }),
});

it('a buffer that hands over many at once behaves as one that hands over one by one', () => {
  fc.assert(
    fc.property(script, (given) => {
      expect(traceOf(given, false)).toEqual(traceOf(given, true));
    }),
    { seed: 20261123, numRuns: 400 },
  );
});
