import { defer, EMPTY, merge, type Observable, of } from 'rxjs';
import { catchError, map, retry } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { WriteReceipt } from '../contracts/sink.js';
import { marbles } from './marbles.js';
import { type ScriptedSink, type SinkAct, type SinkStep, scriptedSink } from './scriptedSink.js';

const write = <T>(sink: ScriptedSink<T>, batch: readonly T[]): Observable<WriteReceipt> =>
  defer(() => sink.write(batch));
const results = <T>(sink: ScriptedSink<T>) => sink.calls.map(({ result }) => result);

describe('scriptedSink', () => {
  it.each<[SinkAct | SinkStep<string>, string, string, number]>([
    ['ok', '(r|)', 'written', 1],
    ['slow', '100ms (r|)', 'written', 1],
    [{ act: 'ok', afterMs: 4 }, '----(r|)', 'written', 1],
    ['emptyComplete', '|', 'written', 1],
    ['emitTwice', '(zr|)', 'written', 1],
    ['throw', '#', 'failed', 0],
    [{ act: 'throw', afterMs: 2 }, '--#', 'failed', 0],
    ['error', '#', 'failed', 0],
    [{ act: 'error', afterMs: 3 }, '---#', 'failed', 0],
    ['poison', '#', 'failed', 0],
    [{ act: 'poison', poison: (item) => item === 'b' }, '#', 'failed', 0],
    [{ act: 'poison', poison: (item) => item === 'c' }, '(r|)', 'written', 1],
    ['commitThenFail', '#', 'lost', 1],
    [{ act: 'commitThenFail', afterMs: 1 }, '-#', 'lost', 1],
    ['hang', '-', 'pending', 0],
    ['receiptThenHang', 'r', 'pending', 0],
  ])('%j', (step, expected, result, committed) =>
    marbles(({ expectObservable, flush }) => {
      const sink = scriptedSink<string>({ script: [step] });
      const receipts$ = write(sink, ['a', 'b']).pipe(
        catchError((error: Error) => {
          expect(error.message).toContain('scriptedSink fails call 1 on request');
          throw 'told';
        }),
      );
      expectObservable(receipts$).toBe(expected, { r: { rows: 2 }, z: { rows: 0 } }, 'told');
      flush();
      expect(results(sink)).toEqual([result]);
      expect(sink.written).toEqual(committed ? [['a', 'b']] : []);
      expect(sink.inFlight).toBe(result === 'pending' ? 1 : 0);
    })(),
  );

  it('rejects as a promise does', async () => {
    const sink = scriptedSink<string>({ script: ['reject'] });
    const settled: unknown[] = [];
    write(sink, ['a']).subscribe({ error: (error) => settled.push(error) });
    expect(settled).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(settled).toEqual([expect.objectContaining({ message: 'scriptedSink fails call 1 on request (reject)' })]);
    expect(results(sink)).toEqual(['failed']);
  });

  it('throws out of write() itself, and nothing else begins before it is subscribed', () => {
    const sink = scriptedSink<string>({ script: ['throw', 'ok'], name: 'store' });
    expect(() => sink.write(['a'])).toThrow('store fails call 1');
    sink.write(['b']);
    expect(results(sink)).toEqual(['failed']);
    expect(sink.written).toEqual([]);
  });

  it(
    'takes one step a call, also where a result is subscribed again, and then the default',
    marbles(({ expectObservable, flush }) => {
      const script: SinkStep<string>[] = [
        { act: 'error', afterMs: 2 },
        { act: 'commitThenFail', afterMs: 1 },
      ];
      const sink = scriptedSink<string>({ script, otherwise: { act: 'ok', afterMs: 3 } });
      const result$ = sink.write(['a']) as Observable<WriteReceipt>;
      expectObservable(result$.pipe(retry(2))).toBe('-----(r|)', { r: { rows: 1 } });
      const lost$ = write(sink, ['b']).pipe(catchError((error: Error) => of(error.message)));
      expectObservable(lost$).toBe('-(m|)', { m: 'scriptedSink fails call 2 on request (commitThenFail)' });
      flush();
      expect(sink.calls.map(({ batch, act, result }) => [batch[0], act, result])).toEqual([
        ['a', 'error', 'failed'],
        ['b', 'commitThenFail', 'lost'],
        ['a', 'ok', 'written'],
      ]);
    }),
  );

  it(
    'asks a function, with the batch and the number of the call',
    marbles(({ expectObservable, flush }) => {
      const asked: unknown[] = [];
      const sink = scriptedSink<string>({
        script: (batch, call) => {
          asked.push([batch.join(''), call]);
          return { act: 'ok', afterMs: 2 * call };
        },
      });
      const both$ = merge(write(sink, ['a', 'b']), write(sink, ['c'])).pipe(map(({ rows }) => rows));
      expectObservable(both$).toBe('--x-(y|)', { x: 2, y: 1 });
      flush();
      expect(asked).toEqual([
        ['ab', 1],
        ['c', 2],
      ]);
      expect(sink.maxInFlight).toBe(2);
      expect(sink.written).toEqual([['a', 'b'], ['c']]);
    }),
  );

  it(
    'knows what was abandoned',
    marbles(({ expectObservable, flush }) => {
      const sink = scriptedSink<string>({ script: ['hang', 'slow'] });
      expectObservable(merge(write(sink, ['a']), write(sink, ['b'])), '^-----!').toBe('-');
      flush();
      expect(results(sink)).toEqual(['abandoned', 'abandoned']);
      expect(sink.inFlight).toBe(0);
      expect(sink.written).toEqual([]);
    }),
  );

  it.each<[SinkStep<string>, string | undefined]>([
    [{ act: 'error' }, undefined],
    [{ act: 'error', code: '40001' }, '40001'],
    [{ act: 'throw', code: '42P01' }, '42P01'],
    [{ act: 'poison' }, '22P02'],
    [{ act: 'poison', code: '23505' }, '23505'],
    [{ act: 'commitThenFail' }, 'ECONNRESET'],
  ])('%j fails with the code %s', (step, code) => {
    const errors: NodeJS.ErrnoException[] = [];
    write(scriptedSink<string>({ script: [step] }), ['a'])
      .pipe(
        catchError((error: Error) => {
          errors.push(error);
          return EMPTY;
        }),
      )
      .subscribe();
    expect(errors.map((error) => error.code)).toEqual([code]);
  });

  it('fails with the very error that it is given', () => {
    const disk = new Error('disk full');
    const errors: unknown[] = [];
    const script: SinkStep<string>[] = [
      { act: 'error', error: disk },
      { act: 'error', error: undefined },
    ];
    const sink = scriptedSink<string>({ script, keyOf: (item) => item });
    for (let call = 0; call < 2; call++) write(sink, ['a']).subscribe({ error: (error) => errors.push(error) });
    expect(errors).toEqual([disk, undefined]);
    expect(sink.keyOf?.('k')).toBe('k');
  });

  it('refuses what is no script', () => {
    expect(() => scriptedSink({ script: ['burn' as never] })).toThrow(/script\[0\] must be one of.*"burn"/);
    expect(() => scriptedSink({ script: [{ act: 'ok', afterMs: -1 }] })).toThrow(/script\[0\]: afterMs/);
    expect(() => scriptedSink({ otherwise: { act: 'ok', late: 1 } as never })).toThrow(/unknown option "late"/);
    expect(() => scriptedSink({ script: 'ok' as never })).toThrow(RangeError);
    expect(() => scriptedSink({ scripts: [] } as never)).toThrow(/unknown option "scripts"/);
    const asked = scriptedSink<string>({ script: () => 'burn' as never });
    expect(() => asked.write(['a'])).toThrow(/the step of call 1 must be one of/);
  });
});
