/**
 * What telemetry costs, and how long a scrape takes under full load.
 *
 * Method. Two chains move items that need no work into the null sink of the chain bench, as fast as they can. One is the full
 * coordinator (route, pace without limit, buffer, four lanes by symbol, batches of 500, write), the chain of the chain bench that
 * has a monitor, which `overhead` is about. The other is a bare writer (buffer of 1,000, batches of 100, four concurrent writes):
 * it settles many batches with little work in each, which is the worst case.
 *
 * A "watched" run adds telemetry: an observer, watched gates, and the HTTP server, which another process scrapes twice per
 * second, thirty times as often as usual. Each run has its own process, warmed up by its first items. Bare and watched runs
 * alternate in rotating order; each pair gives the share of the rate that is lost, and the figure is the median of the pairs.
 *
 * For the scrapes, the watched coordinator runs for longer, and another process requests `/metrics` repeatedly, 20 ms after each
 * answer. The figure is the 99th percentile of the time from the request to the last byte over all runs.
 */
import { runInChild } from './report/child.js';
import { median, printTable, quantile, rounded } from './report/table.js';
import type { Measured } from './telemetry/contender.js';

const PAIRS = 9;
const SCRAPE_RUNS = 3;
const CHILD = new URL('./telemetry/contender.js', import.meta.url);
const CHAINS = ['coordinator', 'writer'] as const;

const run = (chain: string, mode: string) => runInChild<Measured>(CHILD, [chain, mode]);

const losses = new Map<string, number[]>(CHAINS.map((chain) => [chain, []]));
const rates = new Map<string, number[]>();
const note = (key: string, value: number) => rates.set(key, [...(rates.get(key) ?? []), value]);

for (let pair = 0; pair < PAIRS; pair++) {
  for (const chain of CHAINS) {
    const modes = pair % 2 === 0 ? ['bare', 'watched'] : ['watched', 'bare'];
    const rate = new Map<string, number>();
    for (const mode of modes) rate.set(mode, (await run(chain, mode)).itemsPerSec);
    for (const mode of modes) note(`${chain} ${mode}`, rate.get(mode)!);
    losses.get(chain)!.push(1 - rate.get('watched')! / rate.get('bare')!);
  }
}

const scrapes: number[] = [];
for (let i = 0; i < SCRAPE_RUNS; i++) scrapes.push(...(await run('coordinator', 'scraped')).scrapesMs);

const millions = (itemsPerSec: number) => (itemsPerSec / 1e6).toFixed(2);
const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
printTable(
  ['chain', 'bare M items/s', 'watched M items/s', 'lost', 'lowest', 'highest'],
  CHAINS.map((chain) => {
    const lost = losses.get(chain)!;
    const rateOf = (mode: string) => millions(median(rates.get(`${chain} ${mode}`)!));
    const spread = [median(lost), Math.min(...lost), Math.max(...lost)].map(percent);
    return [chain, rateOf('bare'), rateOf('watched'), ...spread];
  }),
);
console.log();
printTable(
  ['scrapes under load', 'median ms', 'p99 ms', 'longest ms'],
  [[String(scrapes.length), ...[0.5, 0.99, 1].map((share) => quantile(scrapes, share).toFixed(1))]],
);

console.log(
  JSON.stringify({
    overhead: rounded(median(losses.get('coordinator')!), 3),
    scrapeP99Ms: rounded(quantile(scrapes, 0.99), 1),
  }),
);
