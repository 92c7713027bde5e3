import { ok as assert, equal } from 'node:assert/strict';
import { from, lastValueFrom } from 'rxjs';
import { last } from 'rxjs/operators';
import { writeCoordinator } from '../../operators/writeCoordinator.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { type SinkBench, type SinkRule, turns } from './sinkBench.js';

const KEYS = 30;
const VERSIONS = 4;

/** Each version of each key, those of a key in order, and the keys mixed. */
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

function side<T>(bench: SinkBench<T>, items: readonly T[]): Promise<unknown> {
  const writer = writeCoordinator<T>(bench.store.sink(), { workers: 4, batchSize: 7 });
  return bench.finished(lastValueFrom(from(items).pipe(writer, last())));
}

/** How far into a write it is given up, in turns of the event loop. */
const GIVEN_UP_AFTER = [0, 1, 2, 3, 5, 8, 13, 21];

/** SK-5: of the versions of an item the newest stays. SK-6: writes go side by side, and can be given up. */
export const orderRules = [
  {
    id: 'SK-5.1',
    title: 'a newer version takes the place of an older one',
    async check(bench) {
      const sink = bench.store.sink();
      await bench.write(sink, bench.items(6));
      await bench.write(sink, bench.items(4, 2, 2));
      await bench.holdsOnce([...bench.items(2), ...bench.items(4, 2, 2)], 'after newer versions');
    },
  },
  {
    id: 'SK-5.2',
    title: 'an older version never takes the place of a newer one',
    async check(bench) {
      await bench.write(bench.store.sink(), bench.items(5, 0, 3));
      const later = bench.store.sink();
      for (const version of [2, 1]) {
        await bench.write(later, [...bench.items(5, 0, version), ...bench.items(1, 9)]);
        await bench.holdsOnce(
          [...bench.items(5, 0, 3), ...bench.items(1, 9)],
          `after version ${version}, which is older`,
        );
      }
    },
  },
  {
    id: 'SK-5.3',
    title: 'of the versions of an item in one batch the newest stays, wherever it stands',
    async check(bench) {
      const sink = bench.store.sink();
      const { item } = bench.subject;
      const batch = [
        ...[item(0, 1), item(0, 2), item(0, 3)],
        ...[item(1, 3), item(1, 2), item(1, 1)],
        ...[item(2, 1), item(2, 3), item(2, 2)],
        ...bench.items(4, 3),
        item(0, 1),
      ];
      await bench.write(sink, batch);
      await bench.holdsOnce([...bench.items(3, 0, 3), ...bench.items(4, 3)], 'after a batch of several versions');
    },
  },
  {
    id: 'SK-5.4',
    title: 'the key that it names is one for all versions of an item',
    async check(bench) {
      const { keyOf } = bench.store.sink();
      assert(keyOf, 'without keyOf the versions of an item may be written in any order');
      const keys = [1, 2, 3].map((version) => bench.items(20, 0, version).map(keyOf).join('\n'));
      equal(new Set(keys).size, 1, 'versions of one item have different keys');
    },
  },
  {
    id: 'SK-5.5',
    title: 'the newest versions stay where four workers write side by side',
    async check(bench) {
      await side(bench, versions(bench));
      await bench.holdsOnce(bench.items(KEYS, 0, VERSIONS), 'after four versions of each item');
    },
  },
  {
    id: 'SK-5.6',
    title: 'older versions that are delivered again, side by side, change nothing',
    async check(bench) {
      const items = versions(bench);
      await side(bench, items);
      await side(bench, items.slice(0, items.length / 2));
      await bench.holdsOnce(bench.items(KEYS, 0, VERSIONS), 'after the first half was delivered again');
    },
  },
  {
    id: 'SK-6.1',
    title: 'batches written at the same time are all stored',
    async check(bench) {
      const sink = bench.store.sink();
      const batches = Array.from({ length: 12 }, (_, i) => bench.items(5, i * 5));
      const attempts = await Promise.all(batches.map((batch) => bench.attempt(sink, batch)));
      for (const attempt of attempts) bench.committed(attempt);
      await bench.holds(bench.items(60), 'after twelve batches at the same time');
    },
  },
  {
    id: 'SK-6.2',
    title: 'a sink takes the next batch, and the same one, after a write that was given up',
    async check(bench) {
      const sink = bench.store.sink();
      await bench.write(sink, bench.items(2));
      for (const [round, after] of GIVEN_UP_AFTER.entries()) {
        const batch = bench.items(20, 2 + round * 20);
        const write = bench.follow(() => sink.write(batch));
        await turns(after);
        write.giveUp();
        await write.end;
        // Whether it was committed is not known, so it is written again.
        await bench.write(sink, batch);
      }
      await bench.holds(
        bench.items(2 + GIVEN_UP_AFTER.length * 20),
        'after writes that were given up and written again',
      );
    },
  },
  {
    id: 'SK-6.3',
    title: 'many writes that are given up leave the sink as it was',
    async check(bench) {
      const sink = bench.store.sink();
      const batch = bench.items(3);
      for (const after of GIVEN_UP_AFTER) {
        const writes = Array.from({ length: 6 }, () => bench.follow(() => sink.write(batch)));
        await turns(after);
        for (const { giveUp } of writes) giveUp();
      }
      await bench.write(sink, bench.items(5));
      await bench.holds(bench.items(5), 'after many writes that were given up');
    },
  },
  {
    id: 'SK-6.4',
    title: 'a write that is given up does not disturb those beside it',
    async check(bench) {
      const sink = bench.store.sink();
      for (const [round, after] of GIVEN_UP_AFTER.entries()) {
        const first = round * 12;
        const kept = [0, 4, 8].map((offset) => bench.items(4, first + offset));
        const [one, left, other] = kept.map((batch) => bench.follow(() => sink.write(batch)));
        await turns(after);
        left!.giveUp();
        bench.committed(await one!.end);
        bench.committed(await other!.end);
        await bench.write(sink, kept[1]!);
      }
      await bench.holds(bench.items(GIVEN_UP_AFTER.length * 12), 'after writes beside those that were given up');
    },
  },
] as const satisfies readonly SinkRule[];
