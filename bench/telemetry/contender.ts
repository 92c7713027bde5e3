/**
 * Runs one chain in one mode, both named by the arguments, and prints how many items per second it moved and how long each scrape
 * took.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { lastValueFrom, type Observable } from 'rxjs';
import { type Bar, gatedSource, PipelineMonitor, withContext } from 'sluice';
import { batch, boundedBuffer, pace, route, writeCoordinator, writeTo } from 'sluice/operators';
import { eventLoopScheduler } from 'sluice/sources';
import { pipelineTelemetry, serveTelemetry } from 'sluice/telemetry';
import { BARS, BATCH_SIZE, CAPACITY, NullSink, WRITERS } from '../chain/work.js';

export interface Measured {
  readonly itemsPerSec: number;
  readonly scrapesMs: readonly number[];
}

type Chain = (bars$: Observable<Bar>, sink: NullSink) => Observable<unknown>;

const sinkOf = (sink: NullSink) => ({
  name: 'null',
  keyOf: (bar: Bar) => bar.symbol,
  write: async (bars: readonly Bar[]) => ({ rows: await sink.write(bars) }),
});

const CHAINS: Readonly<Record<string, Chain>> = {
  coordinator: (bars$, sink) =>
    bars$.pipe(
      route((bar) => bar.kind, {
        bar: (ofKind$) =>
          ofKind$.pipe(pace({ rate: Number.POSITIVE_INFINITY, perMs: 1_000 }), writeCoordinator<Bar>(sinkOf(sink))),
      }),
    ),
  writer: (bars$, sink) =>
    bars$.pipe(
      boundedBuffer({ capacity: CAPACITY }),
      batch({ size: BATCH_SIZE }),
      writeTo<Bar>(sinkOf(sink), { concurrency: WRITERS }),
    ),
};

/** How long the scraper waits after each answer; bare runs are not scraped. */
const PAUSES_MS: Readonly<Record<string, number | undefined>> = { bare: undefined, watched: 500, scraped: 20 };

/** How many items are measured: enough for a few seconds per run. */
const ITEMS: Readonly<Record<string, number>> = { coordinator: 12_000_000, writer: 24_000_000 };
const TIMES_AS_MANY = 3;

const [chainName = '', mode = ''] = process.argv.slice(2);
const chain = CHAINS[chainName];
if (!chain || !(mode in PAUSES_MS)) throw new Error(`there is no chain ${chainName} ${mode}`);

const items = (ITEMS[chainName] ?? 0) * (mode === 'scraped' ? TIMES_AS_MANY : 1);
const sink = new NullSink(items / 3, items);
const bars$ = gatedSource<Bar>({ name: 'bars', scheduler: eventLoopScheduler }, (outlet) => {
  let i = 0;
  outlet.pump(() => {
    if (i < sink.expected) outlet.next(BARS[i++ % BARS.length] as Bar);
    else outlet.complete();
  });
});
const pauseMs = PAUSES_MS[mode];
let scrapesMs: readonly number[] = [];

if (pauseMs === undefined) {
  await lastValueFrom(chain(bars$, sink).pipe(withContext({ monitor: new PipelineMonitor() })));
} else {
  const telemetry = pipelineTelemetry();
  const monitor = new PipelineMonitor();
  telemetry.bind(monitor);
  const server = await serveTelemetry(telemetry, { port: 0 });
  const scraper = await startScraper(`${server.url}/metrics`, pauseMs);
  await lastValueFrom(chain(bars$, sink).pipe(withContext({ monitor })));
  scrapesMs = await scraper.stop();
  const { body } = await telemetry.metrics();
  const written = Number(/^sluice_items_written_total\{.*\} (.*)$/m.exec(body)?.[1]);
  if (written !== sink.expected)
    throw new Error(`the metrics say that ${written} of ${sink.expected} items are written`);
  if (mode === 'scraped' && scrapesMs.length === 0) throw new Error('nothing was scraped');
  await server.close();
  telemetry.close();
}
console.log(JSON.stringify({ itemsPerSec: sink.rate(), scrapesMs } satisfies Measured));

/** Scrapes from its own process, as Prometheus does. The promise resolves after the first scrape. */
async function startScraper(url: string, pauseMs: number) {
  const program = fileURLToPath(new URL('./scraper.js', import.meta.url));
  const child = spawn(process.execPath, [program, url, String(pauseMs)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('close', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('\n')) resolve();
    });
    ended.then(resolve, reject);
  });
  return {
    async stop(): Promise<readonly number[]> {
      child.stdin.end();
      await ended;
      return JSON.parse(output.trim().split('\n').at(-1) ?? '') as number[];
    },
  };
}
