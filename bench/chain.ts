/**
 * How fast a chain moves items that need no work: a source, a buffer of 1,000, batches of 100 and four concurrent asynchronous
 * writers, compared with Node object streams, streaming-iterables, Effect Stream and IxJS. Also the full coordinator: route, pace
 * without limit, buffer, four lanes by symbol, batches of 500, write, with a monitor.
 *
 * Method. The items are the same 10,000 bars in memory, emitted one by one in rotation. A write counts its batch and completes
 * one turn of the event loop later; all contenders share that function. Each run is one stream in its own process, so that no
 * run inherits another's compiled code, type feedback or garbage. A third as many items as are measured warm the stream up
 * first. A run fails if an item is missing or if the peak is not exactly four concurrent writes.
 *
 * Each framework is written in the ways that its documentation suggests, and in faster ones where we found any. First, each
 * formulation runs twice; its better run counts, and the fastest formulation of each framework goes on. Then those run
 * interleaved for five rounds, in rotating order. The figure is the median; the ratio is that of the medians, ours to the
 * fastest peer.
 *
 * The frameworks do not do exactly the same work. Every difference was decided in favour of the peers:
 *
 * - streaming-iterables runs synchronously up to the writers (pulled, its buffer never waits): ours, Node's and Effect's
 *   buffers are filled by a source that pushes. Asynchronous sources make it several times slower.
 * - IxJS has no bounded buffer and runs without one.
 * - Effect moves chunks: both a source that makes its own chunks and one that offers single items to a queue are tried.
 * - "one Writable" does the batching and the concurrency by hand inside a single Node stream. It is no
 *   longer a chain and does not count as a peer; it shows what special-purpose code reaches.
 *
 * Finally, what a writer's policies cost when nothing fails: the coordinator and a bare writer of batches of 100 run in pairs,
 * with and without retries, breaker, time limit and dead letters, in rotating order. The figure is the median share of the
 * rate that is lost, for the chain that loses more.
 *
 * A batch ahead of a buffer (of ten batches, for example) is faster in every framework, but is a different chain: not tried.
 */
import { FORMULATIONS } from './chain/contenders.js';
import { runInChild } from './report/child.js';
import { median, printTable, rounded } from './report/table.js';

const ROUNDS = 5;
const PAIRS = 9;
const OURS = 'sluice';
const COORDINATOR = 'coordinator';
const CHILD = new URL('./chain/contender.js', import.meta.url);

async function rateOf(name: string): Promise<number> {
  return (await runInChild<{ itemsPerSec: number }>(CHILD, [name])).itemsPerSec;
}

const contenders = Object.entries(FORMULATIONS).filter(([, { only }]) => only === undefined);
const trial = new Map<string, number>();
for (const [name] of contenders) trial.set(name, Math.max(await rateOf(name), await rateOf(name)));

/** The formulation of each framework that was fastest in the first round. */
const chosen = new Map<string, string>();
for (const [name, { framework }] of contenders) {
  const former = chosen.get(framework);
  if (former === undefined || trial.get(name)! > trial.get(former)!) chosen.set(framework, name);
}

const rates = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  const names = [...chosen.values()];
  for (let i = 0; i < names.length; i++) {
    const name = names[(i + round) % names.length]!;
    rates.set(name, [...(rates.get(name) ?? []), await rateOf(name)]);
  }
}

const millions = (itemsPerSec: number) => (itemsPerSec / 1e6).toFixed(2);
const medians = new Map([...rates].map(([name, values]) => [name, median(values)]));
printTable(
  ['framework', 'M items/s', 'lowest', 'highest', 'first', 'formulation'],
  contenders.map(([name, { framework, how, reference }]) => {
    const values = rates.get(name);
    const note = reference ? ' (no peer)' : '';
    const first = millions(trial.get(name)!);
    if (!values) return [framework, '', '', '', first, how];
    return [
      framework + note,
      millions(median(values)),
      millions(Math.min(...values)),
      millions(Math.max(...values)),
      first,
      how,
    ];
  }),
);

/** The share of the rate that policies cost, per pair of runs. */
async function policyLosses(guarded: string, unguarded: string): Promise<number[]> {
  const losses: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const rate = new Map<string, number>();
    for (const name of pair % 2 === 0 ? [guarded, unguarded] : [unguarded, guarded]) rate.set(name, await rateOf(name));
    losses.push(1 - rate.get(guarded)! / rate.get(unguarded)!);
  }
  return losses;
}

const losses = new Map([
  ['coordinator', await policyLosses(COORDINATOR, 'unguardedCoordinator')],
  ['writer', await policyLosses('guardedWriter', 'unguardedWriter')],
]);
const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
console.log();
printTable(
  ['policies', 'lost', 'lowest', 'highest'],
  [...losses].map(([name, lost]) => [name, ...[median(lost), Math.min(...lost), Math.max(...lost)].map(percent)]),
);

const peers = [...medians].filter(([name]) => name !== OURS && name !== COORDINATOR && !FORMULATIONS[name]?.reference);
const fastest = Math.max(...peers.map(([, rate]) => rate));
console.log(
  JSON.stringify({
    ratio: rounded(medians.get(OURS)! / fastest, 2),
    coordinatorItemsPerSec: Math.round(medians.get(COORDINATOR)!),
    policyOverhead: rounded(Math.max(...[...losses.values()].map(median)), 3),
  }),
);
