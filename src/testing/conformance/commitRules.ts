import { ok as assert, equal } from 'node:assert/strict';
import { brief, type SinkRules, turns } from './sinkBench.js';

/** SK-1: what is reported as committed is stored. SK-2: writing it again changes nothing. */
export const commitRules = {
  async 'SK-1.1: a batch is stored completely before its result completes'(bench) {
    await bench.write(bench.items(7));
    await bench.holds(bench.items(7), 'after the first batch');
    await bench.write(bench.items(5, 7));
    await bench.holds(bench.items(12), 'after the second');
  },
  async 'SK-1.2: batches of one item and of a thousand are stored'(bench) {
    await bench.write(bench.items(1));
    await bench.holds(bench.items(1), 'after a batch of one item');
    await bench.write(bench.items(1_000, 1));
    await bench.holds(bench.items(1_001), 'after a batch of a thousand');
  },
  async 'SK-1.3: nothing is written before the result is subscribed to'(bench) {
    bench.sink.write(bench.items(3));
    // Two complete writes take longer than one would have needed.
    for (const first of [3, 6]) await bench.write(bench.items(3, first));
    await turns(20);
    await bench.holds(bench.items(6, 3), 'after a write that was never subscribed to');
  },
  async 'SK-1.4: a receipt counts the changed rows: an integer, at most the number of items'(bench) {
    for (const batch of [bench.items(9), bench.items(1, 9), bench.items(9)]) {
      for (const receipt of await bench.write(batch)) {
        const { rows } = receipt ?? {};
        const isCount = Number.isInteger(rows) && rows >= 0 && rows <= batch.length;
        assert(isCount, `the receipt of ${batch.length} items is ${brief(receipt)}`);
      }
    }
  },
  async 'SK-1.5: the batch and its items are not modified'(bench) {
    const batch = bench.items(6);
    const before = brief(batch);
    for (const item of batch) Object.freeze(item);
    await bench.write(Object.freeze(batch));
    equal(brief(batch), before, 'the batch may still be used elsewhere, so it must not change');
    await bench.holds(bench.items(6), 'after a frozen batch');
  },
  async 'SK-1.6: stamping an item twice changes nothing, and the given items are not modified'(bench) {
    const batch = Object.freeze(bench.items(6).map((item) => Object.freeze(item)));
    const stamped = bench.sink.stamp?.(batch) ?? batch;
    equal(stamped.length, batch.length, 'every item must be stamped, and none added');
    const again = bench.sink.stamp?.(stamped) ?? stamped;
    equal(brief(again), brief(stamped), 'an existing stamp must be kept');
    await bench.write(stamped);
    equal((await bench.store.stored()).length, batch.length, 'stamped items must be stored');
  },
  async 'SK-2.1: writing a batch again changes nothing'(bench) {
    const batch = bench.items(8);
    for (const when of ['first', 'second', 'third']) {
      await bench.write(batch);
      await bench.holdsOnce(batch, `after the ${when} write`);
    }
  },
  async 'SK-2.2: writing items again in other batches or through another sink changes nothing'(bench) {
    await bench.write(bench.items(8));
    const later = bench.store.sink();
    await bench.write(bench.items(3, 6), later);
    await bench.holdsOnce(bench.items(9), 'after a batch that overlaps an earlier one');
    await bench.write([...bench.items(4, 2), ...bench.items(4, 2)], later);
    await bench.holdsOnce(bench.items(9), 'after a batch with every item twice');
  },
} satisfies SinkRules;
