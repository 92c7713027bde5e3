import { type ObservableInput, Subject, VirtualTimeScheduler } from 'rxjs';
import type { Sink, WriteReceipt } from '../../src/contracts/sink.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import type { StageObserver } from '../../src/flow/stage.js';
import { withContext } from '../../src/flow/withContext.js';
import { writeTo } from '../../src/operators/writeTo.js';
import type { WritePolicies } from '../../src/operators/writing/writePolicies.js';
import { record } from './record.js';

/** A pipeline over hand-fed batches in virtual time; `write` is told which call it is, from 1. */
export function bench(
  write: (items: readonly number[], call: number) => ObservableInput<WriteReceipt>,
  policies: WritePolicies<number> = {},
  observer: StageObserver = {},
) {
  const scheduler = new VirtualTimeScheduler();
  const monitor = new PipelineMonitor({ observer });
  const calls: { at: number; items: readonly number[] }[] = [];
  const sink: Sink<number> = {
    name: 'numbers',
    write(items) {
      calls.push({ at: scheduler.now(), items });
      return write(items, calls.length);
    },
  };
  const source = new Subject<readonly number[]>();
  const stopping = new Subject<void>();
  const expired = new Subject<unknown>();
  const result = record(
    source.pipe(writeTo(sink, { scheduler, ...policies }), withContext({ monitor, stopping, expired })),
  );
  const advance = (ms: number) => {
    // VirtualTimeScheduler runs up to maxFrames, and leaves its clock at the last action.
    scheduler.maxFrames = scheduler.frame + ms;
    const end = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = end;
  };
  const account = () => monitor.account();
  return { scheduler, monitor, calls, source, stopping, expired, result, advance, account };
}

export const steady = { jitter: 'none', initialMs: 10, maxMs: 1_000, multiplier: 2 } as const;
