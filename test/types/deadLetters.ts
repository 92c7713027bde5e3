/** A queue for items of an unknown type goes wherever one for items of a type is expected. */
import type { Observable } from 'rxjs';
import { type DeadLetterQueue, openDeadLetters } from '../../src/dead-letters/index.js';
import type { Bar } from '../../src/market/bar.js';
import { marketEventCodec } from '../../src/market/codecs.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { batch, decode, divert, type WriteOutcome, writeCoordinator, writeTo } from '../../src/operators/index.js';
import { marketDataToStore } from '../../src/pipelines/index.js';
import type { Pool } from '../../src/postgres/pool.js';
import { barsSink } from '../../src/sinks/index.js';
import { expectType } from './equal.js';

declare const pool: Pool;
declare const bars$: Observable<Bar>;

const deadLetters = await openDeadLetters('.dlq', { pipeline: 'bars' });
expectType<DeadLetterQueue<unknown>>()(deadLetters);

expectType<Observable<WriteOutcome<Bar>>>()(
  bars$.pipe(writeCoordinator(barsSink(pool), { policies: { deadLetters } })),
);
expectType<Observable<WriteOutcome<Bar>>>()(bars$.pipe(batch({ size: 2 }), writeTo(barsSink(pool), { deadLetters })));
expectType<Observable<WriteOutcome<MarketEvent>>>()(bars$.pipe(marketDataToStore(pool, { policies: { deadLetters } })));
expectType<Observable<MarketEvent>>()(bars$.pipe(decode(marketEventCodec, { divertTo: deadLetters })));
expectType<Observable<Bar>>()(bars$.pipe(divert({ to: deadLetters, when: (bar) => bar.close <= 0 })));

// One for items of a type goes with a sink for these, and where the items are not known.
const ofBars = await openDeadLetters<Bar>('.dlq', { pipeline: 'bars' });
expectType<Observable<WriteOutcome<Bar>>>()(
  bars$.pipe(writeCoordinator(barsSink(pool), { policies: { deadLetters: ofBars } })),
);
bars$.pipe(decode(marketEventCodec, { divertTo: ofBars }));

const ofNumbers = await openDeadLetters<number>('.dlq', { pipeline: 'numbers' });
// @ts-expect-error: letters of numbers hold no bars
writeCoordinator(barsSink(pool), { policies: { deadLetters: ofNumbers } });
// @ts-expect-error: letters of numbers hold no bars
bars$.pipe(divert({ to: ofNumbers, when: (bar) => bar.close <= 0 }));
