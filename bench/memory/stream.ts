/**
 * Moves bars through the coordinator into a sink of a limited rate (0: no limit), and prints the rate and the memory that the
 * process took: stream.js <items> <items per second>.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { lastValueFrom } from 'rxjs';
import { type Bar, gatedSource } from 'sluice';
import { writeCoordinator } from 'sluice/operators';
import { eventLoopScheduler } from 'sluice/sources';

export interface StreamResult {
  readonly itemsPerSec: number;
  /** The maximum number of items emitted but not yet written. */
  readonly mostHeld: number;
  /** The peak resident memory of the run. */
  readonly peakRssMb: number;
  /** The highest minus the lowest sample after the warm-up. */
  readonly spreadMb: number;
  readonly samplesMb: readonly number[];
}

const WARM_UP = 0.2;
const SAMPLE_EVERY_MS = 50;

const items = Number(process.argv[2]);
const itemsPerSec = Number(process.argv[3]);

let emitted = 0;
let written = 0;
let mostHeld = 0;

/** Each bar is a new object, as it would be from a feed. */
const bars$ = gatedSource<Bar>({ name: 'bars', scheduler: eventLoopScheduler }, (outlet) => {
  outlet.pump(() => {
    if (emitted === items) return outlet.complete();
    const i = emitted++;
    outlet.next({
      kind: 'bar',
      vendor: 'bench',
      symbol: `S${i % 500}`,
      timeframe: '1m',
      ts: 1_600_000_000_000 + i * 1_000,
      open: i + 0.25,
      high: i + 1.25,
      low: i - 0.75,
      close: i + 0.5,
      volume: i,
    });
  });
});

const startedAt = performance.now();
/** When the sink will have finished its work: it works at its rate and does not make up for idle time. */
let freeAt = startedAt;

const coordinator = writeCoordinator<Bar>({
  name: 'slow',
  keyOf: (bar) => bar.symbol,
  async write(bars) {
    mostHeld = Math.max(mostHeld, emitted - written);
    if (itemsPerSec > 0) {
      const now = performance.now();
      freeAt = Math.max(freeAt, now) + (bars.length / itemsPerSec) * 1_000;
      // Timers are about a millisecond late; the debt is carried over rather than slept off twice.
      if (freeAt - now >= 1) await sleep(freeAt - now);
    } else {
      await new Promise((resolve) => setImmediate(resolve));
    }
    written += bars.length;
    return { rows: bars.length };
  },
});

const samples: { readonly written: number; readonly rssMb: number }[] = [];
const sampler = setInterval(() => {
  samples.push({ written, rssMb: process.memoryUsage.rss() / 2 ** 20 });
}, SAMPLE_EVERY_MS);
await lastValueFrom(bars$.pipe(coordinator));
clearInterval(sampler);
if (written !== items) throw new Error(`wrote ${written} of ${items} items`);

const warm = samples.filter((sample) => sample.written >= items * WARM_UP).map((sample) => sample.rssMb);
const result: StreamResult = {
  itemsPerSec: (written / (performance.now() - startedAt)) * 1_000,
  mostHeld,
  peakRssMb: process.resourceUsage().maxRSS / 1_024,
  spreadMb: Math.max(...warm) - Math.min(...warm),
  samplesMb: Array.from({ length: 11 }, (_, tenth) => {
    const at = samples.findIndex((sample) => sample.written >= (items * tenth) / 10);
    return Math.round(samples[at === -1 ? samples.length - 1 : at]?.rssMb ?? 0);
  }),
};
console.log(JSON.stringify(result));
