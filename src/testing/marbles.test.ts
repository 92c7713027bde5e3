import { of, tap, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { withContext } from '../flow/withContext.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { untilStopped } from '../operators/untilStopped.js';
import { marbles } from './marbles.js';
import { probeGate } from './probeGate.js';
import { withGate } from './withGate.js';

describe('marbles', () => {
  it(
    'plays a gated source, whose diagram stands still while the gate is closed',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    a-b-c-|    ');
      const downstream = gate('o--c---o   ');
      const expected = '       a-b-----c-|';
      const subscribed = '     ^---------!';
      expectObservable(items.pipe(withGate(downstream))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectObservable(items.gateLog$).toBe('o--c---o');
    }),
  );

  it(
    'emits a group one by one, as the gate lets it, and ends a pause in the frame in which it opens',
    marbles(({ gated, gate, expectObservable }) => {
      const items = gated('    -(abc|)     ');
      const downstream = gate('c--o        ');
      const expected = '       ----(abc|)  ';
      expectObservable(items.pipe(withGate(downstream))).toBe(expected);
      expectObservable(items.gateLog$).toBe('c--o');
    }),
  );

  it(
    'stops in the middle of a group with the item that closes the gate',
    marbles(({ gated, gate, expectObservable }) => {
      const items = gated('    (abc|)');
      const downstream = gate('-o-o-o');
      const expected = '       ab-c-|';
      const closing = items.pipe(
        tap(() => downstream.close()),
        withGate(downstream),
      );
      expectObservable(closing).toBe(expected);
    }),
  );

  it(
    'shifts what is left by every pause, also a pause between two items',
    marbles(({ gated, gate, expectObservable }) => {
      const items = gated('    a---b---#    ');
      const downstream = gate('-co-c--o-    ');
      const expected = '       a-------b---#';
      expectObservable(items.pipe(withGate(downstream))).toBe(expected);
    }),
  );

  it(
    'draws the gate of the operator under test',
    marbles(({ hot, gate, expectObservable }) => {
      const items = hot('      abc------|');
      const downstream = gate('oc---o----');
      const expected = '       a----(bc)|';
      const upstream = '       o-c--o----';
      const probe = probeGate<string>();
      const buffer = boundedBuffer<string>({ capacity: 2, highWatermark: 1, lowWatermark: 0 });
      expectObservable(items.pipe(probe, buffer, withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
    }),
  );

  it(
    'draws draining',
    marbles(({ gated, cold, stopping, expectObservable, expectSubscriptions }) => {
      const items = gated('      -a-b-c-d-');
      const plain = cold('       -a-b-c-d-');
      const signal = stopping('  ----s    ');
      const drained = '          -a-b|    ';
      const flushed = '          ----(x|) ';
      const subscribed = '       ^---!    ';
      const linger = batch<string>({ size: 9, lingerMs: 1_000 });
      expectObservable(items.pipe(withContext({ stopping: signal }))).toBe(drained);
      expectObservable(plain.pipe(untilStopped(), withContext({ stopping: signal }))).toBe(drained);
      expectObservable(items.pipe(linger, withContext({ stopping: signal }))).toBe(flushed, { x: ['a', 'b'] });
      expectSubscriptions(items.subscriptions).toBe([subscribed, subscribed]);
    }),
  );

  it(
    'draws a stop that has happened already',
    marbles(({ gated, stopping, expectObservable }) => {
      const signal = stopping('--s');
      expectObservable(gated('---a').pipe(withContext({ stopping: signal })), '-----^').toBe('-----|');
    }),
  );
});

describe('a failing marble test', () => {
  const failure = (body: Parameters<typeof marbles>[0]): Error => {
    try {
      marbles(body)();
    } catch (error) {
      return error as Error;
    }
    throw new Error('the test did not fail');
  };

  it('draws what it expected and what it got', () => {
    const { message } = failure(({ cold, expectObservable }) => expectObservable(cold('-a--(bc|)')).toBe('-a-(bc|)'));
    expect(message).toContain('expected -a-(bc|)');
    expect(message).toContain('received -a--(bc|)');
  });

  it('names values that are not letters', () => {
    const { message } = failure(({ expectObservable }) => expectObservable(of([1, 2])).toBe('(x|)', { x: [1] }));
    expect(message).toContain('expected (A|)');
    expect(message).toContain('received (B|)');
    expect(message).toContain('where A is [ 1 ]');
    expect(message).toContain('where B is [ 1, 2 ]');
  });

  it('tells values apart that are only loosely equal', () => {
    failure(({ expectObservable }) => expectObservable(of(1)).toBe('(a|)', { a: '1' }));
    failure(({ expectObservable }) => expectObservable(of({ a: undefined })).toBe('(a|)', { a: {} }));
    failure(({ expectObservable }) => expectObservable(throwError(() => new Error('x'))).toBe('#', {}, new Error('y')));
  });

  it('draws subscriptions', () => {
    const { message } = failure(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('--|');
      expectObservable(items).toBe('--|');
      expectSubscriptions(items.subscriptions).toBe('^--!');
    });
    expect(message).toContain('expected ^--!');
    expect(message).toContain('received ^-!');
  });

  it('shortens long silences', () => {
    const { message } = failure(({ cold, expectObservable }) => expectObservable(cold('500ms a|')).toBe('600ms a|'));
    expect(message).toContain('expected  600ms a|');
    expect(message).toContain('received  500ms a|');
  });

  it('says so when it expects nothing, or returns a promise', () => {
    expect(failure(({ cold, expectObservable }) => void expectObservable(cold('a|'))).message).toContain(
      '1 expectation',
    );
    expect(failure(async () => {}).message).toContain('promise');
    expect(failure(({ gate }) => void gate('x')).message).toContain('o and c only');
  });
});
