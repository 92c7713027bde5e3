import { ok as assert, equal } from 'node:assert/strict';
import type { DeadLetters } from '../../contracts/diversion.js';
import { isWriteError } from '../../operators/errors/writeError.js';
import { type Attempt, brief, type SinkBench, type SinkRules } from './sinkBench.js';

const BATCHES = 10;
const SIZE = 4;

/** Writes ten batches through an outage and a restart, which redelivers what was not acknowledged and `again` more. */
async function throughRestart<T>(bench: SinkBench<T>, again: number): Promise<void> {
  const batches = Array.from({ length: BATCHES }, (_, i) => bench.items(SIZE, i * SIZE));
  let acknowledged = (await bench.through(batches.slice(0, 4))).length;
  const end = await bench.outage();
  try {
    acknowledged += (await bench.through(batches.slice(acknowledged))).length;
  } catch (error) {
    assert(
      isWriteError(error),
      `a pipeline whose store is down must fail with a WriteError rather than: ${brief(error)}`,
    );
  }
  await end();
  await bench.through(batches.slice(acknowledged - again), {}, bench.store.sink());
}

function failed({ end, error }: Attempt): unknown {
  equal(end, 'failed', `a write to a store that is down must fail, but it ${end}`);
  return error;
}

/** SK-3: the store is down. SK-4: the store rejects items. */
export const outageRules = {
  async 'SK-3.1: a write that cannot be committed fails with a retryable error'(bench) {
    await bench.write(bench.items(3));
    const end = await bench.outage();
    const error = failed(await bench.attempt(bench.items(3, 3)));
    assert(error instanceof Error, `it must fail with an Error rather than: ${brief(error)}`);
    equal(bench.classOf(error), 'transient', `the error of an outage must be transient: ${brief(error)}`);
    await end();
  },
  async 'SK-3.2: after a failure, the sink accepts the next batch and the failed one'(bench) {
    const end = await bench.outage();
    failed(await bench.attempt(bench.items(3)));
    failed(await bench.attempt(bench.items(3)));
    await end();
    await bench.write(bench.items(3, 3));
    await bench.write(bench.items(3));
    await bench.holds(bench.items(6), 'after an outage');
  },
  async 'SK-3.3: a result can be subscribed to again after a failure'(bench) {
    const end = await bench.outage();
    const result = bench.sink.write(bench.items(3));
    failed(await bench.follow(() => result).end);
    await end();
    bench.committed(await bench.follow(() => result).end);
    await bench.holds(bench.items(3), 'after a second subscription');
  },
  async 'SK-3.4: nothing is lost through an outage and a restart'(bench) {
    await throughRestart(bench, 0);
    await bench.holds(bench.items(BATCHES * SIZE), 'after an outage and a restart');
  },
  async 'SK-3.5: nothing is stored twice if a restart redelivers what was acknowledged'(bench) {
    await throughRestart(bench, 2);
    await bench.holdsOnce(bench.items(BATCHES * SIZE), 'after an outage and a restart');
  },
  async 'SK-3.6: a pipeline with retries survives an outage'(bench) {
    const end = await bench.outage();
    let ending: Promise<void> | undefined;
    const outcomes = await bench.through([bench.items(5), bench.items(5, 5)], {
      retry: { maxAttempts: 60, initialMs: 1, maxMs: 200 },
      classify() {
        ending ??= end();
        return undefined;
      },
    });
    await ending;
    assert(
      outcomes.some(({ attempts }) => attempts > 1),
      'the first write must fail while the store is down',
    );
    await bench.holds(bench.items(10), 'after an outage');
  },
  async 'SK-4.1: a batch with a rejected item fails with an error of the class poison'(bench) {
    await bench.write(bench.items(2));
    for (const batch of [[bench.poison(0)], [...bench.items(3, 2), bench.poison(1), ...bench.items(3, 5)]]) {
      const { end, error } = await bench.attempt(batch);
      equal(end, 'failed', `a batch of ${batch.length} with a rejected item must fail, but it ${end}`);
      equal(bench.classOf(error), 'poison', `the error must be of the class poison: ${brief(error)}`);
    }
  },
  async 'SK-4.2: after rejecting a batch, the sink accepts the next one and the other items of the rejected one'(
    bench,
  ) {
    const refused = await bench.attempt([...bench.items(3), bench.poison(0)]);
    equal(refused.end, 'failed', `a batch with a rejected item must fail, but it ${refused.end}`);
    await bench.write(bench.items(3, 3));
    await bench.write(bench.items(3));
    await bench.holds(bench.items(6), 'after a rejected batch');
  },
  async 'SK-4.3: writeTo() diverts only the rejected items and writes all others'(bench) {
    const diverted: string[] = [];
    const deadLetters: DeadLetters<unknown> = {
      append({ items, reason }) {
        diverted.push(`${items.length} ${reason}`);
        return [];
      },
    };
    const poison = [bench.poison(0), bench.poison(1), bench.poison(2)] as const;
    const [good, other] = [bench.items(20), bench.items(20, 20)];
    const batches = [
      [poison[0], ...good.slice(0, 9), poison[1], ...good.slice(9)],
      [...other, poison[2]],
      bench.items(5, 40),
    ];
    const outcomes = await bench.through(batches, { deadLetters });
    equal(diverted.join(', '), '1 poison, 1 poison, 1 poison', 'each rejected item must be diverted on its own');
    const settled = outcomes.reduce((sum, { items }) => sum + items.length, 0);
    equal(settled, 48, 'every item must be settled');
    await bench.holds([...good, ...other, ...bench.items(5, 40)], 'after three rejected items');
  },
} satisfies SinkRules;
