import { Subject } from 'rxjs';
import { tap } from 'rxjs/operators';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { type BroadcastConfig, broadcast } from '../../src/operators/broadcast.js';
import { probeGate } from '../../src/testing/probeGate.js';
import { record } from './record.js';

/** A Subject, broadcast; each branch has a gate that the test moves. */
export function bench(config: BroadcastConfig = { branches: 2 }) {
  const monitor = new PipelineMonitor();
  const source = new Subject<number>();
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const shared$ = source.pipe(probe, broadcast(config));
  const subscribe = (gate = new Gate(), onNext: (item: number) => void = () => {}) => {
    const branch = record(shared$.pipe(withContext({ gate, monitor }), tap(onNext)));
    return Object.assign(branch, { gate });
  };
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  const stage = () => monitor.stages.find(({ kind }) => kind === 'broadcast')!;
  return { monitor, source, shared$, subscribe, push, moves, stage };
}
