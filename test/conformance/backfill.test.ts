import { type MonoTypeOperatorFunction, NEVER, of } from 'rxjs';
import { describe, it } from 'vitest';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { backfill } from '../../src/providers/backfill/backfill.js';
import { operatorConformance } from '../../src/testing/index.js';
import { gapAt, MemoryLedger, pagesOf, pastOf, tradeAt } from '../support/backfills.js';

const NO_CALLBACKS = {
  'OP-4.1':
    'its callbacks are called by what the store and the vendor answer, which takes promises: backfill.test.ts has them',
  'OP-4.2':
    'its callbacks are called by what the store and the vendor answer, which takes promises: backfill.test.ts has them',
} as const;

const providers = [pastOf((range) => pagesOf([tradeAt(1)], range))];
const trade = (n: number): MarketEvent => tradeAt(n);

/** Records of a series without gaps, in front of a backfill that has others under repair, whose answers do not come in virtual time. */
const repairing = (): MonoTypeOperatorFunction<MarketEvent> => {
  const ledger = new MemoryLedger();
  for (let n = 0; n < 5; n++) ledger.write(gapAt(n, n + 1, { symbol: `S${n}` }));
  return backfill({ providers, ledger, whenSourceEnds: 'stop' });
};

const silent = { open: () => NEVER, count: () => of(0), closed: () => NEVER, find: () => NEVER };

const subjects = [
  operatorConformance<MarketEvent, MarketEvent>({
    name: 'backfill with nothing to repair',
    make: () => backfill({ providers, ledger: new MemoryLedger() }),
    item: trade,
    notApplicable: NO_CALLBACKS,
  }),
  operatorConformance<MarketEvent, MarketEvent>({
    name: 'backfill with repairs under way',
    make: repairing,
    item: trade,
    notApplicable: NO_CALLBACKS,
  }),
  operatorConformance<MarketEvent, MarketEvent>({
    name: 'backfill of gap records, over a store that does not answer',
    make: () => backfill({ providers, ledger: silent, whenSourceEnds: 'stop' }),
    item: (n) => gapAt(n, n + 1),
    notApplicable: NO_CALLBACKS,
  }),
];

for (const [n, tests] of subjects.entries()) {
  describe(`backfill ${n + 1}`, () => {
    for (const { id, title, run } of tests) it(`${id} ${title}`, run);
  });
}
