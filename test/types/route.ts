import { EMPTY, map, type Observable, of } from 'rxjs';
import { route } from '../../src/operators/route.js';

type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
function expectType<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._same: Equal<Actual, Expected> extends true ? [] : ['types differ', Actual]
  ) => {};
}

interface Bar {
  readonly kind: 'bar';
  readonly close: number;
}
interface News {
  readonly kind: 'news';
  readonly headline: string;
}
interface Quote {
  readonly kind: 'quote';
  readonly bid: number;
}
type Event = Bar | News | Quote;
declare const event$: Observable<Event>;

// Each branch has items of its kind; the output is the union of what the branches emit.
const routed$ = event$.pipe(
  route('kind', {
    bar: (bar$) => bar$.pipe(map((bar) => bar.close)),
    news: (news$) => news$.pipe(map((item) => item.headline)),
    quote: () => EMPTY,
  }),
);
expectType<Observable<number | string>>()(routed$);

event$.pipe(
  route('kind', {
    bar: (bar$) => {
      expectType<Observable<Bar>>()(bar$);
      return bar$;
    },
    news: (news$) => {
      expectType<Observable<News>>()(news$);
      return [1];
    },
    quote: (quote$) => {
      expectType<Observable<Quote>>()(quote$);
      return Promise.resolve(true);
    },
  }),
);

// A kind without a branch does not compile.
event$.pipe(
  // @ts-expect-error quote is missing
  route('kind', {
    bar: (bar$: Observable<Bar>) => bar$,
    news: (news$: Observable<News>) => news$,
  }),
);

// Unless there is an `otherwise`, which gets the rest.
const withOtherwise$ = event$.pipe(
  route('kind', {
    bar: (bar$) => bar$.pipe(map((bar) => bar.close)),
    otherwise: (rest$) => {
      expectType<Observable<Event>>()(rest$);
      return rest$.pipe(map((item) => item.kind));
    },
  }),
);
expectType<Observable<number | 'bar' | 'news' | 'quote'>>()(withOtherwise$);

// A branch for a kind that does not exist does not compile.
event$.pipe(
  route('kind', {
    bar: (bar$) => bar$,
    news: (news$) => news$,
    quote: (quote$) => quote$,
    // @ts-expect-error there are no trades
    trade: (trade$: Observable<never>) => trade$,
  }),
);

// Nor by a property that is not there, or is not a string.
// @ts-expect-error no such property
event$.pipe(route('type', { otherwise: (rest$: Observable<Event>) => rest$ }));

// A function narrows where what it returns is a discriminant of the items.
const byFunction$ = event$.pipe(
  route((item) => item.kind, {
    bar: (bar$) => bar$.pipe(map((bar) => bar.close)),
    news: (news$) => news$.pipe(map((item) => item.headline)),
    quote: (quote$) => {
      expectType<Observable<Quote>>()(quote$);
      return of(true);
    },
  }),
);
expectType<Observable<number | string | boolean>>()(byFunction$);

// Elsewhere every branch has all items.
event$.pipe(
  route((item): 'priced' | 'unpriced' => (item.kind === 'news' ? 'unpriced' : 'priced'), {
    priced: (priced$) => {
      expectType<Observable<Event>>()(priced$);
      return priced$;
    },
    unpriced: (unpriced$) => unpriced$,
  }),
);

event$.pipe(
  // @ts-expect-error unpriced is missing
  route((item: Event): 'priced' | 'unpriced' => (item.kind === 'news' ? 'unpriced' : 'priced'), {
    priced: (priced$: Observable<Event>) => priced$,
  }),
);

// Of a kind that is any string there is no end: `otherwise` is asked for.
event$.pipe(
  route((item): string => item.kind, {
    bar: (bar$) => bar$,
    otherwise: (rest$) => {
      expectType<Observable<Event>>()(rest$);
      return rest$;
    },
  }),
);

// Items need not be objects.
of(1, 2).pipe(
  route((n) => (n % 2 === 0 ? 'even' : 'odd'), {
    even: (even$) => {
      expectType<Observable<number>>()(even$);
      return even$;
    },
    odd: (odd$) => odd$,
  }),
);

// The type goes on through the chain.
event$.pipe(
  route('kind', { bar: (bar$) => bar$, otherwise: () => EMPTY }),
  map((bar) => {
    expectType<Bar>()(bar);
    return bar.close;
  }),
);
