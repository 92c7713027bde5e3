/**
 * What a router, a gap detector and a pacer cost for a record, beside a bare `merge` of the same providers.
 *
 * Two providers send the same trades of 500 symbols: frames of Massive with 20 trades each, made in memory, which each provider decodes,
 * normalises and accounts for as those of a socket. Each run is one way of reading both, in its own process, and its figure is the
 * median over rounds of 20,000 records, after ten that warm it up. The ways alternate with their base, in rotating order; `overhead` is
 * the median, over the pairs, of what the full chain (router, `detectGaps()` by the number of each trade, `pace()` by a pacer that never
 * makes anybody wait) takes beyond the bare merge, as a share of that. `failover` delivers one of two, and is compared with one stream.
 *
 * `npm run bench -- router --quick` shows within half a minute that the bench works.
 */
import { runInChild } from './report/child.js';
import { median, printTable, rounded } from './report/table.js';

const isQuick = process.argv.includes('--quick');
const PAIRS = isQuick ? 1 : 9;
const ROUNDS = isQuick ? '5' : '30';
const CHILD = new URL('./router/contender.js', import.meta.url);

const BARE = 'bare merge';
const FULL = 'router, detector, pacer';
const COMPARED = [
  ['router', BARE],
  ['router, detector', BARE],
  [FULL, BARE],
  ['router, failover', 'one stream'],
] as const;

const costOf = async (way: string) => (await runInChild<{ nsPerRecord: number }>(CHILD, [way, ROUNDS])).nsPerRecord;

const overheads = new Map<string, number>();
const rows: string[][] = [];
for (const [way, base] of COMPARED) {
  const own: number[] = [];
  const bare: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    for (const one of pair % 2 === 0 ? [base, way] : [way, base]) (one === way ? own : bare).push(await costOf(one));
  }
  const overhead = median(own.map((ns, pair) => ns / bare[pair]! - 1));
  overheads.set(way, overhead);
  rows.push([way, median(own).toFixed(0), base, median(bare).toFixed(0), `${(overhead * 100).toFixed(1)} %`]);
}
printTable(['way', 'ns per record', 'beside', 'ns per record', 'more'], rows);
console.log(
  JSON.stringify({
    overhead: rounded(overheads.get(FULL)!, 3),
    routerOverhead: rounded(overheads.get('router')!, 3),
    detectorOverhead: rounded(overheads.get('router, detector')!, 3),
    failoverOverhead: rounded(overheads.get('router, failover')!, 3),
  }),
);
