import { EMPTY, NEVER, type Observable, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/flow/gate.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { operateQueued } from '../../../src/flow/operateQueued.js';
import { withContext } from '../../../src/flow/withContext.js';
import { batch } from '../../../src/operators/batch.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';
import { conflate } from '../../../src/operators/conflate.js';
import { decode } from '../../../src/operators/decode.js';
import { dedupe } from '../../../src/operators/dedupe.js';
import { divert } from '../../../src/operators/divert.js';
import { lanes } from '../../../src/operators/lanes.js';
import { pace } from '../../../src/operators/pace.js';
import { writeTo } from '../../../src/operators/writeTo.js';
import { coded } from '../../support/errors.js';

interface Told {
  readonly stage: string;
  readonly fate: string;
  readonly reason: string | undefined;
  readonly items: readonly unknown[];
}

/** What an observer is told when these items come to a chain whose gate downstream is open or closed. */
function toldOf<T>(
  items: Iterable<T>,
  chain: (source: Observable<T>) => Observable<unknown>,
  state: 'open' | 'closed' = 'open',
): Told[] {
  const told: Told[] = [];
  const monitor = new PipelineMonitor({
    observer: { fate: ({ name }, fate, reason, items) => told.push({ stage: name, fate, reason, items: [...items] }) },
  });
  const source = new Subject<T>();
  chain(source)
    .pipe(withContext({ monitor, gate: new Gate(state) }))
    .subscribe({ error: () => {} });
  for (const item of items) source.next(item);
  for (const stage of monitor.stages) {
    const named = told.filter(({ stage: name }) => name === stage.name).flatMap(({ items }) => items);
    expect(named.length, stage.name).toBe(stage.written + stage.diverted + stage.droppedTotal);
  }
  return told;
}

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1);
const one = (stage: string, fate: string, reason: string | undefined, ...items: unknown[]) => ({
  stage,
  fate,
  reason,
  items,
});

describe('the fates of items', () => {
  it.each(['dropOldest', 'dropIncoming', 'fail'] as const)('names the victims of a buffer (%s)', (overflow) => {
    const buffer = boundedBuffer<number>({ capacity: 2, overflow });
    const [reason, ...victims] = {
      dropOldest: ['dropOldest', 1, 2] as const,
      dropIncoming: ['dropIncoming', 3, 4] as const,
      fail: ['overflow', 3] as const,
    }[overflow];
    expect(toldOf(upTo(4), (items$) => items$.pipe(buffer), 'closed')).toEqual(
      victims.map((victim) => one('boundedBuffer', 'dropped', reason, victim)),
    );
  });

  it('names the item that found no room in any other operator', () => {
    const items = upTo(1_026);
    expect(
      toldOf(items, (items$) => items$.pipe(pace({ rate: 1, perMs: 1_000, scheduler: new VirtualTimeScheduler() }))),
    ).toEqual([one('pace', 'dropped', 'overflow', 1_026)]);
  });

  it('names the older item that conflate replaces, also where merge makes a new one of both', () => {
    const quotes = ['a1', 'b1', 'a2', 'a3'];
    const by = (quote: string) => quote[0]!;
    const victims = [one('conflate', 'dropped', 'conflated', 'a1'), one('conflate', 'dropped', 'conflated', 'a2')];
    expect(toldOf(quotes, (items$) => items$.pipe(conflate({ by })), 'closed')).toEqual(victims);
    const merge = (older: string, newer: string) => `${older}${newer}`;
    expect(toldOf(quotes, (items$) => items$.pipe(conflate({ by, merge })), 'closed')).toEqual([
      victims[0],
      // What is held by then is a1 and a2 in one.
      one('conflate', 'dropped', 'conflated', 'a1a2'),
    ]);
  });

  it('names the items of batches that conflate replaces, and none that merge keeps', () => {
    const stuck = writeTo<number>({ name: 'stuck', write: () => NEVER });
    const by = () => 'all';
    const chain =
      (merge?: (older: readonly number[], newer: readonly number[]) => readonly number[]) =>
      (items$: Observable<number>) =>
        items$.pipe(batch({ size: 2 }), conflate({ by, ...(merge ? { merge } : {}) }), stuck);
    expect(toldOf(upTo(8), chain())).toEqual([
      one('conflate', 'dropped', 'conflated', 3, 4),
      one('conflate', 'dropped', 'conflated', 5, 6),
    ]);
    expect(
      toldOf(
        upTo(8),
        chain((older, newer) => [...older, ...newer]),
      ),
    ).toEqual([]);
    expect(
      toldOf(
        upTo(8),
        chain((older, newer) => [older.at(-1)!, ...newer]),
      ),
    ).toEqual([one('conflate', 'dropped', 'conflated', 3), one('conflate', 'dropped', 'conflated', 4, 5)]);
  });

  it('names duplicates, and what comes to a lane that has ended', () => {
    expect(toldOf([1, 2, 1, 3, 2], (items$) => items$.pipe(dedupe({ by: (n) => n })))).toEqual([
      one('dedupe', 'dropped', 'duplicate', 1),
      one('dedupe', 'dropped', 'duplicate', 2),
    ]);
    const some = lanes<number, number>({ count: 2, by: (n) => n }, (lane$, index) =>
      index === 0 ? lane$ : lane$.pipe(take(1)),
    );
    const told = toldOf(upTo(20), (items$) => items$.pipe(some));
    expect(told.length).toBeGreaterThan(3);
    for (const { fate, reason } of told) expect([fate, reason]).toEqual(['dropped', 'branchEnded']);
  });

  it('names what is diverted when its letter is durable, with the reason', () => {
    const letters$ = new Subject<never>();
    const when = (n: number) => n % 2 === 0 && 'even';
    const chain = (append: () => Observable<unknown>) => (items$: Observable<number>) =>
      items$.pipe(divert({ to: { append }, when }));
    expect(
      toldOf(
        upTo(4),
        chain(() => letters$),
      ),
    ).toEqual([]);
    expect(
      toldOf(
        upTo(4),
        chain(() => EMPTY),
      ),
    ).toEqual([one('divert', 'diverted', 'even', 2), one('divert', 'diverted', 'even', 4)]);
    const codec = {
      decode: (input: unknown) => (input === 2 ? { _tag: 'Left', left: [] } : { _tag: 'Right', right: input }) as never,
    };
    expect(toldOf(upTo(3), (items$) => items$.pipe(decode(codec, { divertTo: () => {} })))).toEqual([
      one('decode', 'dropped', 'decode', 2),
    ]);
    expect(toldOf(upTo(3), (items$) => items$.pipe(decode(codec, { divertTo: { append: () => EMPTY } })))).toEqual([
      one('decode', 'diverted', 'decode', 2),
    ]);
  });

  it('names what a writer has written, and each row that it has diverted', () => {
    const sink = {
      name: 'picky',
      write: (items: readonly number[]) =>
        items.includes(3) ? throwError(() => coded('22P02', 'bad')) : of({ rows: items.length }),
    };
    const told = toldOf(upTo(4), (items$) =>
      items$.pipe(batch({ size: 2 }), writeTo(sink, { deadLetters: { append: () => EMPTY } })),
    );
    expect(told).toEqual([
      one('writeTo', 'written', undefined, 1, 2),
      one('writeTo', 'diverted', 'poison', 3),
      one('writeTo', 'written', undefined, 4),
    ]);
  });

  it('asks for the items only where an observer wants to know', () => {
    let asked = 0;
    const give = operateQueued<number, number>({ kind: 'give' }, ({ settleSome }) => ({
      offer() {
        settleSome('dropped', 1, 'given', () => {
          asked += 1;
          return [];
        });
        return true;
      },
    }));
    const monitor = new PipelineMonitor({ observer: { settled: () => {} } });
    of(1).pipe(give, withContext({ monitor })).subscribe();
    expect(monitor.account().dropped).toEqual({ given: 1 });
    expect(asked).toBe(0);
  });
});
