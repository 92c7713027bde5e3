import { concat, defer, merge } from 'rxjs';
import { map, retry } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { marbles } from './marbles.js';
import { slowSink } from './slowSink.js';

const written = <T>(sink: { written: readonly (readonly T[])[] }) => sink.written.map((batch) => batch.join(''));

describe('slowSink', () => {
  it(
    'commits after its service time, in virtual time, and nothing starts before it is subscribed',
    marbles(({ expectObservable, flush }) => {
      const sink = slowSink<string>({ serviceTimeMs: 3 });
      const write$ = defer(() => sink.write(['a', 'b']));
      expect(sink.attempts).toBe(0);
      expectObservable(write$).toBe('---(r|)', { r: { rows: 2 } });
      flush();
      expect(written(sink)).toEqual(['ab']);
      expect(sink.inFlight).toBe(0);
    }),
  );

  it(
    'counts what is in flight at one time',
    marbles(({ expectObservable, flush }) => {
      const sink = slowSink<string>({ serviceTimeMs: 4, rows: () => 7, name: 'store' });
      const write = (letter: string) => defer(() => sink.write([letter]));
      const rows$ = concat(merge(write('a'), write('b')), write('c')).pipe(map(({ rows }) => rows));
      expectObservable(rows$).toBe('----(xx)(x|)', { x: 7 });
      flush();
      expect(sink.maxInFlight).toBe(2);
      expect(sink.name).toBe('store');
      expect(written(sink)).toEqual(['a', 'b', 'c']);
    }),
  );

  it(
    'fails as it is told, after the service time, and can be tried again',
    marbles(({ expectObservable, flush }) => {
      const sink = slowSink<string>({ serviceTimeMs: 2, failOn: (_, attempt) => attempt < 3 });
      const batch = ['a'];
      const write$ = defer(() => sink.write(batch));
      expectObservable(write$.pipe(retry(5))).toBe('------(r|)', { r: { rows: 1 } });
      flush();
      expect(sink.attempts).toBe(3);
      expect(sink.maxInFlight).toBe(1);
      expect(written(sink)).toEqual(['a']);
    }),
  );

  it(
    'fails with the error it is given, and gives up a write that is unsubscribed',
    marbles(({ expectObservable, flush }) => {
      const disk = new Error('disk full');
      const failing = slowSink<string>({ serviceTimeMs: 2, failOn: () => disk });
      expectObservable(defer(() => failing.write(['a']))).toBe('--#', {}, disk);
      const given = slowSink<string>({ serviceTimeMs: 5 });
      expectObservable(
        defer(() => given.write(['a'])),
        '^--!',
      ).toBe('-');
      flush();
      expect(given.inFlight).toBe(0);
      expect(written(given)).toEqual([]);
    }),
  );

  it(
    'slows a whole pipeline down to its pace',
    marbles(({ gated, expectObservable, expectSubscriptions, flush }) => {
      const items = gated('            (abcdef|)               ');
      const expected = '               ----w---w---w---w---w---(w|)';
      const subscribed = '             ^-------!               ';
      const sink = slowSink<string>({ serviceTimeMs: 4 });
      const write = writeCoordinator(sink, {
        workers: 1,
        batchSize: 1,
        capacity: 3,
        highWatermark: 1,
        lowWatermark: 0.4,
      });
      expectObservable(
        items.pipe(
          write,
          map(() => 'w'),
        ),
      ).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      flush();
      expect(written(sink)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      expect(sink.maxInFlight).toBe(1);
    }),
  );

  it('refuses a service time that is none, and options it does not know', () => {
    expect(() => slowSink({ serviceTimeMs: -1 })).toThrow(/serviceTimeMs .*got -1/);
    expect(() => slowSink({ serviceTimeMs: 1, delay: 2 } as never)).toThrow(/unknown option "delay"/);
  });
});
