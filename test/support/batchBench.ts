import { ReplaySubject, Subject, take, VirtualTimeScheduler } from 'rxjs';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { type BatchConfig, batch } from '../../src/operators/batch.js';
import { probeGate } from '../../src/testing/probeGate.js';
import { record } from './record.js';

/** Batches between a Subject, which knows no gate, and a gate that the test moves, on a clock that the test moves; downstream takes `most` batches. */
export function bench(config: BatchConfig<number>, state: 'open' | 'closed' = 'open', most = Number.POSITIVE_INFINITY) {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const clock = new VirtualTimeScheduler();
  const stopping = new ReplaySubject<void>(1);
  const source = new Subject<number>();
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const batches = batch<number>({ scheduler: clock, ...config });
  const result = record(source.pipe(probe, batches, withContext({ gate, monitor, stopping }), take(most)));
  const stage = monitor.stages[0]!;
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  const passMs = (ms: number) => {
    clock.maxFrames = clock.frame + ms;
    clock.flush();
    clock.frame = clock.maxFrames;
  };
  return { gate, monitor, clock, stopping, source, push, passMs, result, stage, moves };
}
