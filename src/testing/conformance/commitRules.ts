import { ok as assert, equal } from 'node:assert/strict';
import { brief, type SinkRule, turns } from './sinkBench.js';

/** SK-1: what is said to be committed is stored. SK-2: written again, it is as before. */
export const commitRules = [
  {
    id: 'SK-1.1',
    title: 'a batch is stored, whole, by the time that its result completes',
    async check(bench) {
      const sink = bench.store.sink();
      await bench.write(sink, bench.items(7));
      await bench.holds(bench.items(7), 'after the first batch');
      await bench.write(sink, bench.items(5, 7));
      await bench.holds(bench.items(12), 'after the second');
    },
  },
  {
    id: 'SK-1.2',
    title: 'a batch of one item is stored, and one of a thousand',
    async check(bench) {
      const sink = bench.store.sink();
      await bench.write(sink, bench.items(1));
      await bench.holds(bench.items(1), 'after a batch of one item');
      await bench.write(sink, bench.items(1_000, 1));
      await bench.holds(bench.items(1_001), 'after a batch of a thousand');
    },
  },
  {
    id: 'SK-1.3',
    title: 'nothing is written before the result is subscribed',
    async check(bench) {
      const sink = bench.store.sink();
      sink.write(bench.items(3));
      // Two whole writes are more time than one would have needed.
      for (const first of [3, 6]) await bench.write(sink, bench.items(3, first));
      await turns(20);
      await bench.holds(bench.items(6, 3), 'after a write that nobody subscribed');
    },
  },
  {
    id: 'SK-1.4',
    title: 'a receipt counts the rows that changed: an integer, no more than there are items',
    async check(bench) {
      const sink = bench.store.sink();
      for (const batch of [bench.items(9), bench.items(1, 9), bench.items(9)]) {
        for (const receipt of await bench.write(sink, batch)) {
          const { rows } = receipt ?? {};
          const isCount = Number.isInteger(rows) && rows >= 0 && rows <= batch.length;
          assert(isCount, `the receipt of ${batch.length} items is ${brief(receipt)}`);
        }
      }
    },
  },
  {
    id: 'SK-1.5',
    title: 'the batch and its items are left as they are',
    async check(bench) {
      const sink = bench.store.sink();
      const batch = bench.items(6);
      const before = brief(batch);
      for (const item of batch) Object.freeze(item);
      await bench.write(sink, Object.freeze(batch));
      equal(brief(batch), before, 'what was written may still go elsewhere');
      await bench.holds(bench.items(6), 'after a batch that cannot be changed');
    },
  },
  {
    id: 'SK-1.6',
    title: 'what it stamps on items it stamps once, on others than those it was given',
    async check(bench) {
      const sink = bench.store.sink();
      const batch = Object.freeze(bench.items(6).map((item) => Object.freeze(item)));
      const stamped = sink.stamp?.(batch) ?? batch;
      equal(stamped.length, batch.length, 'each item is stamped, and none is added');
      const again = sink.stamp?.(stamped) ?? stamped;
      equal(brief(again), brief(stamped), 'a stamp that is there is kept');
      await bench.write(sink, stamped);
      equal((await bench.store.stored()).length, batch.length, 'stamped items are stored');
    },
  },
  {
    id: 'SK-2.1',
    title: 'a batch that is written again changes nothing',
    async check(bench) {
      const sink = bench.store.sink();
      const batch = bench.items(8);
      for (const when of ['first', 'second', 'third']) {
        await bench.write(sink, batch);
        await bench.holdsOnce(batch, `after the ${when} time`);
      }
    },
  },
  {
    id: 'SK-2.2',
    title: 'items that are written again change nothing, in other batches, and by another sink',
    async check(bench) {
      await bench.write(bench.store.sink(), bench.items(8));
      const later = bench.store.sink();
      await bench.write(later, bench.items(3, 6));
      await bench.holdsOnce(bench.items(9), 'after a batch that overlaps an earlier one');
      await bench.write(later, [...bench.items(4, 2), ...bench.items(4, 2)]);
      await bench.holdsOnce(bench.items(9), 'after a batch with every item twice');
    },
  },
] as const satisfies readonly SinkRule[];
