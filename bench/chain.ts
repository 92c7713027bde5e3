/**
 * How fast a chain moves items that need no work: source, buffer of 1,000, batches of 100, four concurrent asynchronous
 * writers; beside Node object streams, streaming-iterables, Effect Stream and IxJS. And the full coordinator: route, pace
 * without limit, buffer, four lanes by symbol, batches of 500, write, with a monitor.
 *
 * Method. The items are the same 10,000 bars in memory, handed out in turn, one by one. A write counts the batch and is
 * over one turn of the event loop later; the same function serves everybody. Each run is one stream in a process of
 * its own, so that nobody inherits the compiled code, the type feedback or the garbage of another; a third as many
 * items as are measured go first, in the same stream, to warm up. A run in which an item is missing, or in which there
 * were not exactly four writes at once at the peak, fails.
 *
 * Each framework is written in the ways that its documentation suggests, and in faster ones where we found any. In the
 * beginning each formulation runs twice, its better run counts, and the fastest formulation of each framework
 * goes on; then those run interleaved for five rounds, in an order that turns. The figure is the median; the ratio is that of
 * the medians, ours to the fastest peer.
 *
 * What the frameworks do is not the same in all respects, and where it differs, it was decided in favour of the peers:
 *
 * - streaming-iterables runs synchronously up to the writers (pulled, its buffer never waits): ours, Node's and Effect's
 *   buffers are filled by a source that pushes. Asynchronous sources make it several times slower.
 * - IxJS has no bounded buffer, and does without.
 * - Effect moves chunks: both a source that makes chunks of its own and one that offers item by item to a queue are tried.
 * - "one Writable" does the batching and the concurrency by hand inside a single Node stream. There is nothing left of a
 *   chain in it, and it is no peer; it shows what code written for one purpose reaches.
 *
 * Last, what the policies of a writer cost where nothing fails: the coordinator, and a bare writer of batches of 100, each with
 * retries, breaker, time limit and dead letters and without any, as pairs of runs in an order that turns. The figure is the
 * median part of the rate that is lost, of the chain that loses more.
 *
 * A batch ahead of a buffer (of ten batches, say) is faster in every framework, and another chain: not tried.
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

/** Of each framework the formulation that was fastest in the first round. */
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

/** What is lost with policies, of each pair of runs. */
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
