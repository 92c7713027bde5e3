import { of } from 'rxjs';
import { catchError, map } from 'rxjs/operators';
import { describe, it } from 'vitest';
import type { Sink } from '../src/contracts/sink.js';
import type { WriteError } from '../src/operators/errors/writeError.js';
import { writeTo } from '../src/operators/writeTo.js';
import { marbles } from '../src/testing/marbles.js';
import { slowSink } from '../src/testing/slowSink.js';
import { withGate } from '../src/testing/withGate.js';

const batches = { x: ['a', 'b'], y: ['c'], z: ['d'] };
const items = map((outcome: { readonly items: readonly string[] }) => outcome.items);

describe('writeTo', () => {
  it(
    'writes one batch at a time, with its gate closed meanwhile',
    marbles(({ gated, expectObservable, expectSubscriptions }) => {
      const source = gated('-x-y-z|         ', batches);
      const subscribed = '  ^--------------!';
      const outcomes = '    ----x----y----z|';
      const upstream = '    oc--o-c--o-c--o ';
      const sink = slowSink<string>({ serviceTimeMs: 3 });
      expectObservable(source.pipe(writeTo(sink), items)).toBe(outcomes, batches);
      expectObservable(source.gateLog$).toBe(upstream);
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'writes two at a time where it is told, and closes its gate with the second',
    marbles(({ gated, expectObservable, expectSubscriptions }) => {
      const source = gated('-xy--z|    ', batches);
      const subscribed = '  ^-------!';
      const outcomes = '    ----xy----(z|)';
      const upstream = '    o-c-o      ';
      const sink = slowSink<string>({ serviceTimeMs: 3 });
      expectObservable(source.pipe(writeTo(sink, { concurrency: 2 }), items)).toBe(outcomes, batches);
      expectObservable(source.gateLog$).toBe(upstream);
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'holds an outcome while downstream is closed, and begins no write meanwhile',
    marbles(({ hot, cold, gate, expectObservable, expectSubscriptions }) => {
      const source = hot('     xy|          ', batches);
      const downstream = gate('o-c----o     ');
      const outcomes = '       -------x--(y|)';
      const write = cold('     ---|         ');
      const sink: Sink<string> = { name: 'cold', write: () => write as never };
      expectObservable(source.pipe(writeTo(sink), withGate(downstream), items)).toBe(outcomes, batches);
      expectSubscriptions(write.subscriptions).toBe(['^--!', '-------^--!']);
    }),
  );

  it(
    'tries again after its waits, counts the attempts and takes the time',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('x|            ', batches);
      const subscribed = '^!';
      const outcome = '   ----------(x|)';
      const sink = slowSink<string>({ serviceTimeMs: 2, failOn: (_, attempt) => attempt < 3 });
      const result$ = source.pipe(
        writeTo(sink, { retry: { maxAttempts: 5, initialMs: 2, multiplier: 1, jitter: 'none' } }),
        map(({ attempts, durationMs }) => ({ attempts, durationMs })),
      );
      expectObservable(result$).toBe(outcome, { x: { attempts: 3, durationMs: 10 } });
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lets an error of its source wait for the writes, and stops at once for a failed one',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const failing = hot('x#     ', batches);
      const sink = slowSink<string>({ serviceTimeMs: 4 });
      expectObservable(failing.pipe(writeTo(sink), items)).toBe('----(x#)', batches);
      const source = hot(' xyz----', batches);
      const down = new Error('down');
      const bad = slowSink<string>({ serviceTimeMs: 4, failOn: () => down });
      const cause$ = source.pipe(
        writeTo(bad),
        map(() => 'written'),
        catchError((error: WriteError) => of(error.cause)),
      );
      expectObservable(cause$).toBe('----(c|)', { c: down });
      expectSubscriptions(source.subscriptions).toBe('^---!');
    }),
  );

  it(
    'unsubscribes the write in flight when it is unsubscribed',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('   xy------', batches);
      const write = cold('   ------| ');
      const unsubscribed = ' ^--!    ';
      const sink: Sink<string> = { name: 'cold', write: () => write as never };
      expectObservable(source.pipe(writeTo(sink)), unsubscribed).toBe('--------');
      expectSubscriptions(write.subscriptions).toBe('^--!');
      expectSubscriptions(source.subscriptions).toBe(unsubscribed);
    }),
  );
});
