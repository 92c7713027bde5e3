/**
 * Watch the gate work: a source that could make millions of items a second, and a sink that takes a thousand. The buffer
 * fills to its high watermark, the gate closes and the source pauses; at the low watermark it opens again.
 *
 * Run it: npm run example -- slow-sink
 */

import { tap } from 'rxjs';
import { type Bar, PipelineMonitor } from 'sluice';
import { batch, boundedBuffer, writeTo } from 'sluice/operators';
import { formatReport, isSettled, run } from 'sluice/pipelines';
import { synthetic } from 'sluice/sources';
import { slowSink } from 'sluice/testing';

const monitor = new PipelineMonitor();
const buffer = boundedBuffer<Bar>({ capacity: 1_000, highWatermark: 0.8, lowWatermark: 0.2 });
const startedAt = Date.now();
let emitted = 0;

function line(what: string): void {
  const ms = String(Date.now() - startedAt).padStart(5);
  const held = monitor.stages.find((stage) => stage.kind === 'boundedBuffer')?.held ?? 0;
  console.log(`${ms} ms  ${what.padEnd(18)} emitted ${String(emitted).padStart(5)}  held ${String(held).padStart(4)}`);
}

buffer.level$.subscribe((level) => line(level === 'ok' ? 'gate open' : 'gate closed'));

const outcomes$ = synthetic({ symbols: 10, count: 3_000, seed: 7 }).pipe(
  tap(() => {
    emitted += 1;
  }),
  buffer,
  batch({ size: 100 }),
  writeTo(slowSink({ serviceTimeMs: 100 })),
);

const report = await run(outcomes$, { monitor });
console.log(formatReport(report));
if (!isSettled(report)) process.exitCode = 1;
