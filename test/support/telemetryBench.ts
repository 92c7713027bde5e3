import { type Observable, VirtualTimeScheduler } from 'rxjs';
import { onTestFinished } from 'vitest';
import { gatedSource } from '../../src/flow/gatedSource.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import type { MetricsFormat } from '../../src/telemetry/metrics.js';
import { type PipelineTelemetryConfig, pipelineTelemetry } from '../../src/telemetry/pipelineTelemetry.js';
import { samplesBy } from './exposition.js';

export interface Tick {
  readonly n: number;
  readonly ts: number;
}

/** Telemetry in virtual time. */
export function watch(config: PipelineTelemetryConfig = {}) {
  const scheduler = new VirtualTimeScheduler();
  const telemetry = pipelineTelemetry({ now: () => scheduler.now(), ...config });
  onTestFinished(() => telemetry.close());
  const monitor = new PipelineMonitor();
  const scrape = async (format?: MetricsFormat) => (await telemetry.metrics(format)).body;
  const read = async (name: string) => samplesBy(await scrape(), name);
  return { scheduler, telemetry, monitor, scrape, read };
}

/** `n` items, each of the moment at which it is emitted. */
export const ticks = (count: number, scheduler: VirtualTimeScheduler): Observable<Tick> =>
  gatedSource<Tick>({ name: 'ticks', scheduler }, (outlet) => {
    let n = 0;
    outlet.pump(() => {
      if (n < count) outlet.next({ n: n++, ts: scheduler.now() });
      else outlet.complete();
    });
  });

/** Subscribes, lets gates be found, and plays virtual time up to `ms`. */
export async function play<T>(
  source: Observable<T>,
  monitor: PipelineMonitor,
  scheduler: VirtualTimeScheduler,
  ms?: number,
) {
  const seen: T[] = [];
  let error: unknown;
  source.pipe(withContext({ monitor })).subscribe({
    next: (value) => seen.push(value),
    error: (thrown) => {
      error = thrown;
    },
  });
  await Promise.resolve();
  if (ms !== undefined) scheduler.maxFrames = ms;
  scheduler.flush();
  return { seen, error: () => error };
}
