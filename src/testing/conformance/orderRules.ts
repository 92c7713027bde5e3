import { ok as assert, equal } from 'node:assert/strict';
import { from } from 'rxjs';
import { writeCoordinator } from '../../operators/writeCoordinator.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { type SinkBench, type SinkRules, turns } from './sinkBench.js';

const KEYS = 30;
const VERSIONS = 4;

/** Every version of every key: the versions of a key in order, and the keys interleaved. */
function versions<T>(bench: SinkBench<T>): T[] {
  const random = Xoshiro128.fromSeed(7);
  const next = new Array<number>(KEYS).fill(1);
  const items: T[] = [];
  while (items.length < KEYS * VERSIONS) {
    const key = random.below(KEYS);
    const version = next[key]!;
    if (version > VERSIONS) continue;
    next[key] = version + 1;
    items.push(bench.subject.item(key, version));
  }
  return items;
}

function inParallel<T>(bench: SinkBench<T>, items: readonly T[]): Promise<unknown> {
  const writer = writeCoordinator<T>(bench.store.sink(), { workers: 4, batchSize: 7 });
  return bench.finished(from(items).pipe(writer));
}

/** When writes are abandoned, in turns of the event loop. */
const ABANDONED_AFTER = [0, 1, 2, 3, 5, 8, 13, 21];

/** SK-5: the newest version of an item is kept. SK-6: writes may run concurrently and be abandoned. */
export const orderRules = {
  async 'SK-5.1: a newer version replaces an older one'(bench) {
    await bench.write(bench.items(6));
    await bench.write(bench.items(4, 2, 2));
    await bench.holdsOnce([...bench.items(2), ...bench.items(4, 2, 2)], 'after newer versions');
  },
  async 'SK-5.2: an older version never replaces a newer one'(bench) {
    await bench.write(bench.items(5, 0, 3));
    const later = bench.store.sink();
    for (const version of [2, 1]) {
      await bench.write([...bench.items(5, 0, version), ...bench.items(1, 9)], later);
      await bench.holdsOnce(
        [...bench.items(5, 0, 3), ...bench.items(1, 9)],
        `after version ${version}, which is older`,
      );
    }
  },
  async 'SK-5.3: the newest of several versions in one batch is kept, whatever their order'(bench) {
    const { item } = bench.subject;
    const batch = [
      ...[item(0, 1), item(0, 2), item(0, 3)],
      ...[item(1, 3), item(1, 2), item(1, 1)],
      ...[item(2, 1), item(2, 3), item(2, 2)],
      ...bench.items(4, 3),
      item(0, 1),
    ];
    await bench.write(batch);
    await bench.holdsOnce([...bench.items(3, 0, 3), ...bench.items(4, 3)], 'after a batch of several versions');
  },
  async 'SK-5.4: all versions of an item have the same key'(bench) {
    const { keyOf } = bench.store.sink();
    assert(keyOf, 'without keyOf, the versions of an item may be written in any order');
    const keys = [1, 2, 3].map((version) => bench.items(20, 0, version).map(keyOf).join('\n'));
    equal(new Set(keys).size, 1, 'all versions of an item must have the same key');
  },
  async 'SK-5.5: the newest versions are kept when four workers write in parallel'(bench) {
    await inParallel(bench, versions(bench));
    await bench.holdsOnce(bench.items(KEYS, 0, VERSIONS), 'after four versions of each item');
  },
  async 'SK-5.6: redelivering older versions in parallel changes nothing'(bench) {
    const items = versions(bench);
    await inParallel(bench, items);
    await inParallel(bench, items.slice(0, items.length / 2));
    await bench.holdsOnce(bench.items(KEYS, 0, VERSIONS), 'after the first half was delivered again');
  },
  async 'SK-6.1: batches written concurrently are all stored'(bench) {
    const batches = Array.from({ length: 12 }, (_, i) => bench.items(5, i * 5));
    const attempts = await Promise.all(batches.map((batch) => bench.attempt(batch)));
    for (const attempt of attempts) bench.committed(attempt);
    await bench.holds(bench.items(60), 'after twelve concurrent batches');
  },
  async 'SK-6.2: after an abandoned write, the sink accepts the next batch and the same one'(bench) {
    await bench.write(bench.items(2));
    for (const [round, after] of ABANDONED_AFTER.entries()) {
      const batch = bench.items(20, 2 + round * 20);
      const write = bench.follow(() => bench.sink.write(batch));
      await turns(after);
      write.abandon();
      await write.end;
      // It may or may not be committed, so it is written again.
      await bench.write(batch);
    }
    await bench.holds(bench.items(2 + ABANDONED_AFTER.length * 20), 'after writes that were abandoned and repeated');
  },
  async 'SK-6.3: many abandoned writes leave the sink usable'(bench) {
    const batch = bench.items(3);
    for (const after of ABANDONED_AFTER) {
      const writes = Array.from({ length: 6 }, () => bench.follow(() => bench.sink.write(batch)));
      await turns(after);
      for (const { abandon } of writes) abandon();
    }
    await bench.write(bench.items(5));
    await bench.holds(bench.items(5), 'after many abandoned writes');
  },
  async 'SK-6.4: an abandoned write does not disturb concurrent ones'(bench) {
    for (const [round, after] of ABANDONED_AFTER.entries()) {
      const first = round * 12;
      const kept = [0, 4, 8].map((offset) => bench.items(4, first + offset));
      const [one, abandoned, other] = kept.map((batch) => bench.follow(() => bench.sink.write(batch)));
      await turns(after);
      abandoned!.abandon();
      bench.committed(await one!.end);
      bench.committed(await other!.end);
      await bench.write(kept[1]!);
    }
    await bench.holds(bench.items(ABANDONED_AFTER.length * 12), 'after writes concurrent with abandoned ones');
  },
} satisfies SinkRules;
