/** What limits a pace: `rate` with `perMs`, or a profile, or a pacer that others share. */
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { pace } from '../../src/operators/index.js';
import { SharedPacer } from '../../src/policies/index.js';
import { expectType } from './equal.js';

interface Request {
  readonly contract: string;
}
declare const requests$: Observable<Request>;
const profile = { windows: [{ limit: 1, perMs: 1, by: ({ contract }: Request) => contract }] };
const pacer = new SharedPacer<Request>({ profile });

expectType<MonoTypeOperatorFunction<number>>()(pace<number>({ rate: 5, perMs: 1_000, burst: 2, weight: (n) => n }));
expectType<Observable<Request>>()(requests$.pipe(pace({ rate: 5, perMs: 1_000 })));
expectType<Observable<Request>>()(requests$.pipe(pace({ rate: Number.POSITIVE_INFINITY, perMs: 1_000 })));
expectType<Observable<Request>>()(requests$.pipe(pace({ profile })));
expectType<Observable<Request>>()(
  requests$.pipe(pace({ profile: { windows: [{ limit: 1, perMs: 1, by: (r) => r.contract }] } })),
);
expectType<Observable<Request>>()(requests$.pipe(pace({ pacer, priority: 'live' })));

// @ts-expect-error: five in what time?
pace({ rate: 5 });
// @ts-expect-error: how many in a second?
pace({ perMs: 1_000 });
// @ts-expect-error: no limit at all
pace({});
// @ts-expect-error: the windows of a profile have their spans
pace({ profile, perMs: 1_000 });
// @ts-expect-error: either of the two
pace({ profile, rate: 5, perMs: 1_000 });
// @ts-expect-error: a pacer has its own limits
pace({ pacer, rate: 5, perMs: 1_000 });
// @ts-expect-error: nobody else takes a turn here
pace({ rate: 5, perMs: 1_000, priority: 'live' });
