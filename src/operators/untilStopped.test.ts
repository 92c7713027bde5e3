import { of, ReplaySubject, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { probeGate } from '../testing/probeGate.js';
import { boundedBuffer } from './boundedBuffer.js';
import { untilStopped } from './untilStopped.js';

describe('untilStopped', () => {
  it('passes everything through until the pipeline is asked to drain, then completes and lets go of its source', () => {
    const source = new Subject<number>();
    const stopping = new ReplaySubject<void>(1);
    const monitor = new PipelineMonitor();
    const result = record(source.pipe(untilStopped(), withContext({ stopping, monitor })));
    source.next(1);
    expect(result.completed).toBe(false);
    stopping.next();
    source.next(2);
    expect(result).toMatchObject({ values: [1], completed: true });
    expect(source.observed).toBe(false);
    expect(monitor.account()).toMatchObject({ received: 1, delivered: 1, conservation: 0 });
  });

  it('completes at once, without a subscription, where that was asked for before', () => {
    const source = new Subject<number>();
    const result = record(source.pipe(untilStopped(), withContext({ stopping: of(undefined) })));
    expect(result).toMatchObject({ values: [], completed: true });
    expect(source.observed).toBe(false);
  });

  it('stops a synchronous source in the middle of its burst', () => {
    const stopping = new Subject<void>();
    const seen: number[] = [];
    of(1, 2, 3)
      .pipe(untilStopped(), withContext({ stopping }))
      .subscribe((item) => {
        seen.push(item);
        if (item === 2) stopping.next();
      });
    expect(seen).toEqual([1, 2]);
  });

  it('has let go of its source by the time that it completes', () => {
    const source = new Subject<number>();
    const stopping = new Subject<void>();
    let observed: boolean | undefined;
    source.pipe(untilStopped(), withContext({ stopping })).subscribe({
      complete: () => {
        observed = source.observed;
      },
    });
    stopping.next();
    expect(observed).toBe(false);
  });

  it('lets what is held downstream be delivered', () => {
    const gate = new Gate('closed');
    const source = new Subject<number>();
    const stopping = new Subject<void>();
    const result = record(source.pipe(untilStopped(), boundedBuffer(), withContext({ gate, stopping })));
    source.next(1);
    stopping.next();
    expect(result).toMatchObject({ values: [], completed: false });
    gate.open();
    expect(result).toMatchObject({ values: [1], completed: true });
  });

  it('passes completion, errors, unsubscription and the gate through', () => {
    expect(record(of(1).pipe(untilStopped()))).toMatchObject({ values: [1], completed: true });
    const failure = new Error('line cut');
    expect(record(throwError(() => failure).pipe(untilStopped())).error).toBe(failure);

    const gate = new Gate('open');
    const source = new Subject<number>();
    const stopping = new Subject<void>();
    const probe = probeGate<number>();
    const moves: string[] = [];
    probe.gateLog$.subscribe((move) => moves.push(move));
    const { subscription } = record(source.pipe(probe, untilStopped(), withContext({ gate, stopping })));
    gate.close();
    expect(moves).toEqual(['o', 'c']);
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
    expect(stopping.observed).toBe(false);
  });
});
