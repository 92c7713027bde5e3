import {
  concat,
  connect,
  defer,
  EMPTY,
  from,
  iif,
  merge,
  NEVER,
  Observable,
  type OperatorFunction,
  of,
  Subject,
  share,
  shareReplay,
  throwError,
  using,
} from 'rxjs';
import {
  catchError,
  concatMap,
  distinctUntilChanged,
  exhaustMap,
  filter,
  finalize,
  ignoreElements,
  map,
  mergeMap,
  repeat,
  retry,
  scan,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
} from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { contextOf, type FlowContext, NO_CONTEXT } from './context.js';
import { Gate } from './gate.js';
import { gatedSource } from './gatedSource.js';
import { PipelineMonitor } from './monitor.js';
import { operate } from './operate.js';
import { withContext } from './withContext.js';

/** A source that notes the context of each of its subscribers, and stays silent. */
function finder() {
  const found: FlowContext[] = [];
  const source$ = new Observable<number>((subscriber) => {
    found.push(contextOf(subscriber));
  });
  return { found, source$ };
}

const later = new Subject<number>();

/** Where the subscription is made only after the chain stands. */
const ways: Record<string, (source$: Observable<number>) => Observable<unknown>> = {
  'no operator': (source$) => source$,
  map: (source$) => source$.pipe(map((n) => n + 1)),
  'a chain of stock operators': (source$) =>
    source$.pipe(
      filter((n) => n > 0),
      tap(() => {}),
      scan((a, b) => a + b, 0),
      distinctUntilChanged(),
      takeUntil(NEVER),
      take(5),
      catchError(() => EMPTY),
      finalize(() => {}),
      startWith(0),
    ),
  merge: (source$) => merge(NEVER, source$, NEVER),
  'a late concat': (source$) => concat(later.pipe(take(1)), source$),
  'a late retry': (source$) => {
    let attempt = 0;
    return defer(() => (attempt++ === 0 ? throwError(() => new Error('down')) : source$)).pipe(
      retry({ delay: () => later }),
    );
  },
  'a late repeat': (source$) => {
    let attempt = 0;
    return defer(() => (attempt++ === 0 ? EMPTY : source$)).pipe(repeat({ delay: () => later }));
  },
  'a late inner of mergeMap': (source$) => later.pipe(mergeMap(() => source$)),
  'a late inner of switchMap': (source$) => later.pipe(switchMap(() => source$)),
  'a late inner of concatMap': (source$) => later.pipe(concatMap(() => source$)),
  'a late inner of exhaustMap': (source$) => later.pipe(exhaustMap(() => source$)),
  'an inner of an inner': (source$) => later.pipe(switchMap(() => of(1).pipe(mergeMap(() => source$)))),
};

describe('contextOf', () => {
  for (const [way, build] of Object.entries(ways)) {
    it(`is found through ${way}`, () => {
      const gate = new Gate();
      const monitor = new PipelineMonitor();
      const stopping = new Subject<void>();
      const { found, source$ } = finder();
      const subscription = build(source$).pipe(withContext({ gate, monitor, stopping })).subscribe();
      later.next(1);
      subscription.unsubscribe();
      expect(found).toHaveLength(1);
      expect(found[0]?.gate).toBe(gate);
      expect(found[0]?.monitor).toBe(monitor);
      expect(found[0]?.stopping).toBe(stopping);
    });
  }

  it('finds the nearest, and what that does not say, from the next', () => {
    const [inner, outer] = [new Gate(), new Gate()];
    const monitor = new PipelineMonitor();
    const { found, source$ } = finder();
    source$
      .pipe(
        withContext({ gate: inner }),
        map((n) => n),
        withContext({ gate: outer, monitor }),
      )
      .subscribe();
    expect(found[0]?.gate).toBe(inner);
    expect(found[0]?.monitor).toBe(monitor);
  });

  it('finds a gate of one branch for that branch only', () => {
    const [left, right] = [new Gate(), new Gate()];
    const [one, other] = [finder(), finder()];
    merge(one.source$.pipe(withContext({ gate: left })), other.source$.pipe(withContext({ gate: right }))).subscribe();
    expect(one.found[0]?.gate).toBe(left);
    expect(other.found[0]?.gate).toBe(right);
  });

  it('is an open gate that never stops where nothing carries one', () => {
    const { found, source$ } = finder();
    source$.pipe(map((n) => n)).subscribe();
    expect(found[0]).toBe(NO_CONTEXT);
    expect(NO_CONTEXT.gate.isOpen).toBe(true);
  });

  it('is not found past a Subject', () => {
    const { found, source$ } = finder();
    const subject = new Subject<number>();
    subject.pipe(withContext({ gate: new Gate() })).subscribe();
    source$.subscribe(subject);
    expect(found).toEqual([NO_CONTEXT]);
  });
});

/** The recipe that breaks the chain. */
const handMade =
  <T>(): OperatorFunction<T, T> =>
  (source) =>
    new Observable((destination) =>
      source.subscribe({
        next: (item) => destination.next(item),
        error: (error) => destination.error(error),
        complete: () => destination.complete(),
      }),
    );

const passOn = (gate: Gate) =>
  operate<number, number>({ kind: 'passOn' }, ({ destination }) => ({ gate, next: (n) => destination.next(n) }));

/** What breaks the chain between a source and what is below. */
const breaks: Record<string, OperatorFunction<number, number>> = {
  'a hand-made Observable': handMade(),
  'a hand-made Observable that gives no subscription back': (source) =>
    new Observable((destination) => {
      const subscription = source.subscribe({
        next: (item) => destination.next(item),
        error: (error) => destination.error(error),
      });
      return () => subscription.unsubscribe();
    }),
  'share()': share(),
  'shareReplay()': shareReplay(1),
  'connect()': connect((shared$) => merge(shared$, shared$)),
  'share() in a defer()': (source) => defer(() => source.pipe(share())),
  'share() behind a source that ends at once': (source) => concat(of(0).pipe(passOn(new Gate())), source.pipe(share())),
};

const lenders: Record<string, (gate: Gate) => OperatorFunction<number, number>> = {
  'an operator': passOn,
  'withContext()': (gate) => withContext({ gate }),
};

describe.each(Object.entries(lenders))('the context that %s lends', (_, lender) => {
  it.each(Object.entries(breaks))('bridges %s', (_, broken) => {
    const gate = new Gate();
    const { found, source$ } = finder();
    source$.pipe(broken, lender(gate)).subscribe();
    expect(found.map((context) => context.gate)).toEqual([gate]);
  });

  const again: Record<string, (source$: Observable<number>) => Observable<number>> = {
    'a late retry': (source$) => merge(source$, later.pipe(map(() => fail()))).pipe(retry({ delay: () => later })),
    'a late repeat': (source$) => source$.pipe(takeUntil(later), repeat({ delay: () => later })),
    'a late switchMap': (source$) => merge(of(0), later).pipe(switchMap(() => source$)),
  };
  for (const [way, build] of Object.entries(again)) {
    it.each(Object.entries(breaks))(`is kept for ${way} above %s`, (_, broken) => {
      const gate = new Gate();
      const { found, source$ } = finder();
      const subscription = build(source$).pipe(broken, lender(gate)).subscribe();
      later.next(1);
      later.next(1);
      subscription.unsubscribe();
      expect(found.length).toBeGreaterThan(1);
      expect(found.every((context) => context.gate === gate)).toBe(true);
    });
  }

  it.each(Object.entries(breaks))('is told by withContext({}) to what comes late above %s', (_, broken) => {
    const gate = new Gate();
    const { found, source$ } = finder();
    const subscription = later
      .pipe(
        switchMap(() => source$),
        withContext({}),
        broken,
        lender(gate),
      )
      .subscribe();
    later.next(1);
    subscription.unsubscribe();
    expect(found.map((context) => context.gate)).toEqual([gate]);
  });

  it.each(Object.entries(breaks))('is told by withContext({}) to %s that is subscribed late', (_, broken) => {
    const gate = new Gate();
    const { found, source$ } = finder();
    const late$ = source$.pipe(broken, withContext({}));
    const subscription = later
      .pipe(
        switchMap(() => late$),
        lender(gate),
      )
      .subscribe();
    later.next(1);
    later.next(1);
    subscription.unsubscribe();
    expect(new Set(found.map((context) => context.gate))).toEqual(new Set([gate]));
  });

  it.each(Object.entries(breaks))('is told by withContext({}) to %s when it is retried', (_, broken) => {
    const gate = new Gate();
    const { found, source$ } = finder();
    const failing$ = merge(source$, later.pipe(map(() => fail())));
    const subscription = failing$
      .pipe(broken, withContext({}), retry({ delay: () => later }), lender(gate))
      .subscribe();
    later.next(1);
    later.next(1);
    subscription.unsubscribe();
    expect(found.map((context) => context.gate)).toEqual([gate, gate]);
  });

  const callbacks: Record<string, (start: () => void) => Observable<number>> = {
    'the factory of defer()': (start) =>
      defer(() => {
        start();
        return NEVER;
      }),
    'the resource of using()': (start) =>
      using(
        () => {
          start();
          return { unsubscribe() {} };
        },
        () => NEVER,
      ),
    'the factory of using()': (start) =>
      using(
        () => undefined,
        () => {
          start();
          return NEVER;
        },
      ),
    'finalize()': (start) => EMPTY.pipe(finalize(start)),
    'finalize() of a source that fails': (start) => throwError(fail).pipe(finalize(start)),
    'the selector of catchError()': (start) =>
      throwError(() => new Error('down')).pipe(
        catchError(() => {
          start();
          return NEVER;
        }),
      ),
    'the factory of throwError()': (start) => throwError(() => start()),
    'the condition of iif()': (start) =>
      iif(
        () => {
          start();
          return true;
        },
        NEVER,
        NEVER,
      ),
    'the delay of retry()': (start) =>
      throwError(() => new Error('down')).pipe(
        retry({
          delay: () => {
            start();
            return NEVER;
          },
        }),
      ),
    'the delay of repeat()': (start) =>
      EMPTY.pipe(
        repeat({
          delay: () => {
            start();
            return NEVER;
          },
        }),
      ),
    'the projection of a synchronous source': (start) => of(1).pipe(map(start), ignoreElements()),
    'a tap() on the subscription': (start) => NEVER.pipe(tap({ subscribe: start })),
    'a generator': (start) =>
      from(
        (function* () {
          start();
          yield 1;
        })(),
      ),
    'the connect of a source': (start) => gatedSource({ name: 'source' }, start),
    'the function that makes an operator': (start) =>
      NEVER.pipe(
        operate({ kind: 'starter' }, () => {
          start();
          return { next() {} };
        }),
      ),
    'an observer': (start) =>
      new Observable((destination) => of(1).subscribe({ next: start, complete: () => destination.complete() })),
  };
  it.each(Object.entries(callbacks))('adopts nobody who is subscribed in %s', (_, build) => {
    const { found, source$ } = finder();
    const seen: number[] = [];
    const start = () => {
      source$.pipe(map((n) => n + 1)).subscribe((n) => seen.push(n));
      source$.pipe(handMade()).subscribe();
      source$.pipe(share()).subscribe();
    };
    build(start)
      .pipe(lender(new Gate('closed')))
      .subscribe({ error() {} });
    expect(found).toEqual([NO_CONTEXT, NO_CONTEXT, NO_CONTEXT]);
  });

  it('adopts nobody later whom it has not adopted at first', () => {
    const { found, source$ } = finder();
    const switches = new Subject<number>();
    const started$ = defer(() => {
      switches
        .pipe(
          startWith(0),
          switchMap(() => source$),
        )
        .subscribe();
      return NEVER;
    });
    started$.pipe(lender(new Gate('closed'))).subscribe();
    const handMade$ = new Observable<number>(() => switches.next(1));
    handMade$.pipe(lender(new Gate('closed'))).subscribe();
    expect(found).toEqual([NO_CONTEXT, NO_CONTEXT]);
  });
});

function fail(): never {
  throw new Error('down');
}

describe('the ambient context', () => {
  it('bridges a hand-made Observable that subscribes at once inside an operator', () => {
    const gate = new Gate();
    const { found, source$ } = finder();
    source$.pipe(handMade(), passOn(gate)).subscribe();
    expect(found[0]?.gate).toBe(gate);
  });

  it('does not bridge one that subscribes later', () => {
    const gate = new Gate();
    const { found, source$ } = finder();
    later
      .pipe(
        take(1),
        mergeMap(() => source$.pipe(handMade())),
        passOn(gate),
      )
      .subscribe();
    later.next(1);
    expect(found[0]).toBe(NO_CONTEXT);
  });

  it('is that of the innermost operator, and gone after the subscription', () => {
    const [near, far] = [new Gate(), new Gate()];
    const { found, source$ } = finder();
    source$.pipe(handMade(), passOn(near), handMade(), passOn(far)).subscribe();
    source$.pipe(handMade()).subscribe();
    expect(found.map((context) => context.gate)).toEqual([near, NO_CONTEXT.gate]);
  });

  it('is gone though the subscription throws', () => {
    const { found, source$ } = finder();
    const gate = new Gate();
    const errors: unknown[] = [];
    const broken$ = new Observable<number>(() => {
      throw new Error('no source');
    });
    broken$.pipe(handMade(), passOn(gate)).subscribe({ error: (error) => errors.push(error) });
    source$.pipe(handMade()).subscribe();
    expect(errors).toEqual([new Error('no source')]);
    expect(found[0]).toBe(NO_CONTEXT);
  });
});
