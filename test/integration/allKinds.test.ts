import { afterEach, describe, expect, it } from 'vitest';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { marketDataToStore } from '../../src/pipelines/marketDataToStore.js';
import { run } from '../../src/pipelines/run.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { syntheticEvents } from '../../src/sources/syntheticEvents.js';
import { eachStored, eventKey, foldEvents } from './events.js';
import { inEachPlace } from './places.js';

/** How many distinct records of each kind: what CI has the time for, or as many as the goal says. */
const IS_FULL = process.env.TEST_FULL_SIZE === '1';
const FULL = 250_000;
const PER_KIND = { postgres: IS_FULL ? FULL : 30_000, pglite: IS_FULL ? FULL : 6_000 };

const KINDS = ['bar', 'option', 'news', 'fundamental', 'trade', 'quote', 'gap'] as const;

const TABLES = ['bars', 'options_snap', 'news', 'fundamentals', 'trades', 'quotes', 'gaps'];

/** Field by field; null is what was left out, and the order of fields says nothing. */
function asText(event: MarketEvent): string {
  const fields = Object.entries(event).filter(([, value]) => value !== null && value !== undefined);
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const sizes = IS_FULL ? 'full size' : 'the size of CI';

describe(`all kinds through one pipeline, ${sizes}`, () => {
  inEachPlace(({ pool: poolOf, kind: place }) => {
    const count = PER_KIND[place];
    const config = { symbols: 100, count, seed: 7, revisions: 0.01, duplicates: 0.01, lateness: 5_000 };

    afterEach(async () => {
      await poolOf().query(`DROP TABLE IF EXISTS ${TABLES.join(', ')}`);
    });

    it(`${count.toLocaleString('en')} of each: every table equals the fold of the same seed, and the account balances`, async () => {
      const pool = poolOf();
      const report = await run(
        fromIterable(syntheticEvents(config)).pipe(
          marketDataToStore(pool, { coordinator: { workers: 2, batchSize: 2_000 } }),
        ),
        { signals: [] },
      );

      let received = 0;
      for (const kind of KINDS) {
        const made = [...syntheticEvents({ ...config, kinds: [kind] })];
        const expected = foldEvents(made);
        expect(expected.size).toBe(count);
        expect(made.length).toBeGreaterThan(count * 1.015);
        received += made.length;
        const wrong: string[] = [];
        for await (const row of eachStored(pool, kind)) {
          const event = expected.get(eventKey(row));
          expected.delete(eventKey(row));
          if (event === undefined || asText(event) !== asText(row)) wrong.push(asText(row));
          if (wrong.length > 5) break;
        }
        expect(wrong).toEqual([]);
        expect([...expected.keys()].slice(0, 5)).toEqual([]);
      }

      expect(report).toMatchObject({
        outcome: 'completed',
        received,
        written: received,
        diverted: 0,
        divertedBy: {},
        dropped: {},
        filtered: 0,
        delivered: 0,
        held: 0,
        heldBy: {},
        conservation: 0,
      });
      // Each row once, and once more where a revision came later than the row was written.
      expect(report.rows).toBeGreaterThanOrEqual(KINDS.length * count);
      expect(report.rows).toBeLessThanOrEqual(received);
    }, 600_000);
  });
});
