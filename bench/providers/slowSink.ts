/**
 * 10,000 symbols, 50,000 messages a second, and a sink that is ten times too slow: slowSink.js <seconds> <messages per second> <symbols>.
 * Half of the messages are trades and half are quotes. Fails if a trade is neither written nor in a gap record, or a quote neither written
 * nor counted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lastValueFrom, Subject } from 'rxjs';
import { PipelineMonitor, withContext } from 'sluice';
import type { Gap, MarketEvent } from 'sluice/market';
import { writeCoordinator } from 'sluice/operators';
import { massive } from 'sluice/providers/massive';
import { median } from '../report/table.js';
import { startServer } from './remoteServer.js';

export interface SlowSinkResult {
  readonly messages: number;
  readonly tradesWritten: number;
  readonly tradesInGaps: number;
  readonly quotesWritten: number;
  readonly quotesConflated: number;
  readonly gaps: number;
  readonly reconnects: number;
  readonly worstBacklogMb: number;
  readonly peakRssMb: number;
  /** The median of the last third of the samples minus that of the third before it. */
  readonly growthMb: number;
  /** The highest minus the lowest sample after the first fifth, which is mostly what lies between two collections. */
  readonly spreadMb: number;
  readonly samplesMb: readonly number[];
}

const TOO_SLOW = 10;
const QUOTES_OF_HUNDRED = 50;
const SAMPLE_EVERY_MS = 250;
const PER_FRAME = 50;

const [seconds = 60, rate = 50_000, symbolCount = 10_000] = process.argv.slice(2).map(Number);
const total = seconds * rate;
const symbols = Array.from({ length: symbolCount }, (_, i) => `S${i}`);

/** Of each message, whether its trade was written. */
const written = new Uint8Array(total);
const gapsOf = new Map<string, Gap[]>();
let tradesWritten = 0;
let quotesWritten = 0;
let startedAt = 0;

const isQuote = (n: number) => (Math.floor(n / symbolCount) * QUOTES_OF_HUNDRED) % 100 < QUOTES_OF_HUNDRED;
const timeOf = (n: number) => startedAt + Math.floor((n * 1_000) / rate);

function take(record: MarketEvent): void {
  if (record.kind === 'trade') {
    const n = Number(record.id.slice(record.id.indexOf(':') + 1, record.id.lastIndexOf(':')));
    if (written[n] !== 0) throw new Error(`trade ${n} was written twice`);
    written[n] = 1;
    tradesWritten += 1;
  } else if (record.kind === 'quote') {
    quotesWritten += 1;
  } else if (record.kind === 'gap') {
    const gaps = gapsOf.get(record.symbol) ?? [];
    gaps.push(record);
    gapsOf.set(record.symbol, gaps);
  }
}

let freeAt = performance.now();
let isFast = false;
const sink = {
  name: 'slow',
  async write(records: readonly MarketEvent[]) {
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + (records.length / (rate / TOO_SLOW)) * 1_000;
    if (!isFast && freeAt - now >= 1) await sleep(freeAt - now);
    records.forEach(take);
    return { rows: records.length };
  },
};

const server = await startServer([rate, PER_FRAME, QUOTES_OF_HUNDRED, seconds, symbolCount]);
const monitor = new PipelineMonitor();
const stopping = new Subject<void>();
const events$ = massive({ key: 'bench', url: server.url }).stream({ kinds: ['trade', 'quote'], symbols });
const done = lastValueFrom(events$.pipe(writeCoordinator<MarketEvent>(sink), withContext({ monitor, stopping })));
const feedNow = () => monitor.feeds[0]!;
while (feedNow().confirmed !== 2 * symbolCount) await sleep(20);

({ startedAt } = await server.start());
const samples: number[] = [];
const sampler = setInterval(() => samples.push(process.memoryUsage.rss() / 2 ** 20), SAMPLE_EVERY_MS);
const { worstBacklog } = await server.sent();
while (feedNow().records < total) await sleep(20);
clearInterval(sampler);
// What waits is written without the delay, which would only make the bench longer.
isFast = true;
stopping.next();
await done;
server.stop();

const feed = feedNow();
let tradesInGaps = 0;
for (let n = 0; n < total; n++) {
  if (isQuote(n) || written[n] === 1) continue;
  const at = timeOf(n);
  const gaps = [...(gapsOf.get(`S${n % symbolCount}`) ?? []), ...(gapsOf.get('*') ?? [])];
  if (!gaps.some(({ of, from, to }) => of === 'trade' && from <= at && at <= to)) {
    throw new Error(`trade ${n} of S${n % symbolCount} is neither written nor in a gap record`);
  }
  tradesInGaps += 1;
}
const quotes = Array.from({ length: Math.ceil(total / symbolCount) }, (_, round) => round)
  .filter((round) => isQuote(round * symbolCount))
  .reduce((sum, round) => sum + Math.min(symbolCount, total - round * symbolCount), 0);
const quotesOverflowed = feed.overflowed - tradesInGaps;
if (quotesWritten + feed.conflated + quotesOverflowed !== quotes || quotesOverflowed < 0) {
  throw new Error(`${quotesWritten} + ${feed.conflated} + ${quotesOverflowed} of ${quotes} quotes`);
}
const third = Math.floor(samples.length / 3);
const warm = samples.slice(Math.floor(samples.length / 5));
const result: SlowSinkResult = {
  messages: total,
  tradesWritten,
  tradesInGaps,
  quotesWritten,
  quotesConflated: feed.conflated,
  gaps: feed.gaps,
  reconnects: feed.reconnects,
  worstBacklogMb: worstBacklog / 2 ** 20,
  peakRssMb: process.resourceUsage().maxRSS / 1_024,
  growthMb: median(samples.slice(2 * third)) - median(samples.slice(third, 2 * third)),
  spreadMb: Math.max(...warm) - Math.min(...warm),
  samplesMb: Array.from({ length: 11 }, (_, i) =>
    Math.round(samples[Math.min(samples.length - 1, Math.floor((samples.length * i) / 10))] ?? 0),
  ),
};
console.log(JSON.stringify(result));
