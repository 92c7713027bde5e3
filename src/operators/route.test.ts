import { EMPTY, map, NEVER, Observable, type OperatorFunction, of, range, Subject } from 'rxjs';
import { delay, ignoreElements, take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { probeGate } from '../testing/probeGate.js';
import { boundedBuffer } from './boundedBuffer.js';
import { isUnroutedError, UnroutedError } from './errors/unroutedError.js';
import { route } from './route.js';

type Tick = { readonly kind: 'bar'; readonly n: number } | { readonly kind: 'news'; readonly n: number };

const bar = (n: number): Tick => ({ kind: 'bar', n });
const news = (n: number): Tick => ({ kind: 'news', n });
const tagged = (tag: string) => map((tick: { readonly n: number }) => `${tag}${tick.n}`);

describe('route', () => {
  it.each([
    ['', { otherwise: () => EMPTY }, 'route: by must be the name of a property or a function, got ""'],
    [undefined, { otherwise: () => EMPTY }, 'route: by must be the name of a property or a function, got undefined'],
    ['kind', {}, 'route: branches must be an object with a function for each kind'],
    ['kind', null, 'route: branches must be an object with a function for each kind, got null'],
    ['kind', { bar: 1 }, 'route: branches.bar must be a function, got 1'],
    ['kind', { bar: () => EMPTY, otherwise: undefined }, 'route: branches.otherwise must be a function, got undefined'],
  ])('refuses %j, %j when it is made', (by, branches, message) => {
    expect(() => route(by as never, branches as never)).toThrow(RangeError);
    expect(() => route(by as never, branches as never)).toThrow(message);
  });

  it('sends each item down the chain of its kind and merges what they emit', () => {
    const result = record(
      of(bar(1), news(2), bar(3)).pipe(
        route('kind', { bar: (bar$) => bar$.pipe(tagged('b')), news: (news$) => news$.pipe(tagged('n')) }),
      ),
    );
    expect(result).toMatchObject({ values: ['b1', 'n2', 'b3'], completed: true });
  });

  it('routes by a function', () => {
    const result = record(
      range(1, 5).pipe(
        route((n) => (n % 2 === 0 ? 'even' : 'odd'), {
          even: (even$) => even$.pipe(map((n) => n * 10)),
          odd: (odd$) => odd$,
        }),
      ),
    );
    expect(result.values).toEqual([1, 20, 3, 40, 5]);
  });

  it('sends the rest to otherwise', () => {
    const result = record(
      of(bar(1), news(2)).pipe(
        route('kind', { bar: (bar$) => bar$.pipe(tagged('b')), otherwise: (rest$) => rest$.pipe(tagged('?')) }),
      ),
    );
    expect(result.values).toEqual(['b1', '?2']);
  });

  it.each([
    ['quote', 'the kind "quote"'],
    ['constructor', 'the kind "constructor"'],
    ['__proto__', 'the kind "__proto__"'],
    ['toString', 'the kind "toString"'],
    [undefined, 'the kind undefined'],
    [7, 'the kind 7'],
    [{}, 'the kind an object'],
    ['x'.repeat(200), `the kind "${'x'.repeat(79)}…"`],
  ])('fails at the unknown kind %j', (kind, named) => {
    const source = new Subject<Tick>();
    const monitor = new PipelineMonitor();
    const result = record(
      source.pipe(route('kind', { bar: (bar$) => bar$, news: (news$) => news$ }), withContext({ monitor })),
    );
    source.next(bar(1));
    source.next({ kind: kind as never, n: 2 });
    expect(result.values).toEqual([bar(1)]);
    expect(result.completed).toBe(false);
    expect(result.error).toBeInstanceOf(UnroutedError);
    expect(isUnroutedError(result.error)).toBe(true);
    expect(result.error).toMatchObject({ code: 'SLUICE_UNROUTED', kind });
    expect((result.error as Error).message).toContain(`route has no branch for ${named}: it has bar, news.`);
    expect(monitor.stages[0]).toMatchObject({ in: 2, out: 1, abandoned: 1, conservation: 0 });
    expect(source.observed).toBe(false);
  });

  it('finds a branch that is called __proto__ when it is one of its own', () => {
    const branches = JSON.parse('{"__proto__": 0, "otherwise": 0}') as Record<string, unknown>;
    for (const kind of Object.keys(branches)) {
      Object.defineProperty(branches, kind, { value: (item$: Observable<Tick>) => item$.pipe(map(() => kind)) });
    }
    const result = record(of({ kind: '__proto__', n: 1 }).pipe(route('kind', branches as never)));
    expect(result.values).toEqual(['__proto__']);
  });

  it('takes an item that is no object for one of an unknown kind', () => {
    const result = record(of(null as never as Tick).pipe(route('kind', { otherwise: (rest$) => rest$ })));
    expect(result.values).toEqual([null]);
  });

  it('fails when by throws, when a branch cannot be made, and when a chain fails', () => {
    const failure = new Error('broken');
    const fail = (): never => {
      throw failure;
    };
    const broken: OperatorFunction<Tick, Tick>[] = [
      route(fail, { otherwise: (rest$) => rest$ }),
      route('kind', { otherwise: (): Observable<Tick> => fail() }),
      route('kind', { otherwise: (rest$) => rest$.pipe(map(fail)) }),
    ];
    for (const operator of broken) {
      const result = record(of(bar(1)).pipe(operator));
      expect(result.error).toBe(failure);
      expect(result.completed).toBe(false);
    }
  });

  it('closes its gate while an item waits for its branch, and lets nobody pass it', () => {
    const gate = new Gate('closed');
    const source = new Subject<Tick>();
    const probe = probeGate<Tick>();
    const moves: string[] = [];
    probe.gateLog$.subscribe((move) => moves.push(move));
    const monitor = new PipelineMonitor();
    const result = record(
      source.pipe(
        probe,
        route('kind', { bar: (bar$) => bar$.pipe(withContext({ gate })), news: (news$) => news$ }),
        withContext({ monitor }),
      ),
    );
    source.next(news(1));
    source.next(bar(2));
    source.next(news(3));
    expect(result.values).toEqual([news(1)]);
    expect(moves).toEqual(['o', 'c']);
    expect(monitor.stages[0]?.held).toBe(2);
    gate.open();
    expect(result.values).toEqual([news(1), bar(2), news(3)]);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('completes after all chains, and a chain that lasts holds it up', () => {
    const last = new Subject<never>();
    const result = record(
      of(bar(1)).pipe(
        route('kind', {
          bar: (bar$) => bar$,
          news: () => last,
        }),
      ),
    );
    expect(result).toMatchObject({ values: [bar(1)], completed: false });
    last.complete();
    expect(result.completed).toBe(true);
  });

  it('completes when all chains have ended by themselves, and lets go of the source', () => {
    const source = new Subject<Tick>();
    const result = record(source.pipe(route('kind', { bar: (bar$) => bar$.pipe(take(1)), news: () => EMPTY })));
    source.next(bar(1));
    expect(result).toMatchObject({ values: [bar(1)], completed: true });
    expect(source.observed).toBe(false);
  });

  it('drops what is of a kind whose chain has ended, and counts it', () => {
    const monitor = new PipelineMonitor();
    const result = record(
      of(news(1), bar(2), news(3)).pipe(
        route('kind', { bar: (bar$) => bar$, news: () => EMPTY }),
        withContext({ monitor }),
      ),
    );
    expect(result).toMatchObject({ values: [bar(2)], completed: true });
    expect(monitor.account()).toMatchObject({ dropped: { branchEnded: 2 }, conservation: 0 });
  });

  it('passes an error of the source on after the chains have finished', () => {
    const source = new Subject<Tick>();
    const result = record(
      source.pipe(route('kind', { bar: (bar$) => bar$.pipe(boundedBuffer()), news: (news$) => news$ })),
    );
    source.next(bar(1));
    source.error(new Error('lost'));
    expect(result.values).toEqual([bar(1)]);
    expect(result.error).toEqual(new Error('lost'));
  });

  it('unsubscribes every chain', () => {
    const torn: string[] = [];
    const chain = (name: string) => (branch$: Observable<Tick>) =>
      new Observable<Tick>((subscriber) => {
        subscriber.add(() => torn.push(name));
        return branch$.subscribe(subscriber);
      });
    const result = record(
      NEVER.pipe(route<Tick, 'kind', { bar: Tick; news: Tick }>('kind', { bar: chain('bar'), news: chain('news') })),
    );
    result.subscription.unsubscribe();
    expect(torn.sort()).toEqual(['bar', 'news']);
  });

  it('routes what is pushed while it emits in its turn', () => {
    const source = new Subject<Tick>();
    const result = record(
      source.pipe(
        route('kind', {
          bar: (bar$) => bar$.pipe(tap(({ n }) => n === 1 && source.next(news(2)))),
          news: (news$) => news$,
        }),
      ),
    );
    source.next(bar(1));
    expect(result.values).toEqual([bar(1), news(2)]);
  });

  it('accounts for every item, by branch', () => {
    const monitor = new PipelineMonitor();
    record(
      gatedFrom([bar(1), news(2), bar(3)]).pipe(
        route('kind', {
          bar: (bar$) => bar$.pipe(boundedBuffer({ name: 'bars' })),
          news: (news$) => news$.pipe(ignoreElements()),
        }),
        boundedBuffer({ name: 'last' }),
        withContext({ monitor }),
      ),
    );
    const byName = Object.fromEntries(monitor.stages.map((stage) => [stage.name, stage]));
    expect(byName.route).toMatchObject({ in: 3, out: 3 });
    expect(byName['route.bar']).toMatchObject({ in: 2, out: 2, branchOf: byName.route, feeds: byName.bars });
    expect(byName['route.news']).toMatchObject({ in: 1, out: 1, branchOf: byName.route });
    expect(monitor.account()).toMatchObject({ received: 3, delivered: 2, filtered: 1, held: 0, conservation: 0 });
  });

  it('pulls one item of a synchronous source for take(1)', () => {
    let pulled = 0;
    const items = gatedFrom(
      Array.from({ length: 1_000 }, (_, n) => bar(n)),
      () => {
        pulled += 1;
      },
    );
    const routed$ = items.pipe(route('kind', { bar: (bar$) => bar$, news: (news$) => news$.pipe(delay(1)) }));
    expect(record(routed$.pipe(take(1))).values).toEqual([bar(0)]);
    expect(pulled).toBe(1);
  });
});
