import { EventEmitter } from 'node:events';
import { map, timer, type VirtualTimeScheduler } from 'rxjs';
import type { Sink } from '../../src/contracts/sink.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { writeTo } from '../../src/operators/writeTo.js';
import type { SignalEmitter } from '../../src/pipelines/run.js';
import { naturals } from './sources.js';

/** An endless one yields, because it would otherwise never end where nothing below has a gate. */
export const endless = () => naturals(Number.POSITIVE_INFINITY, { yieldAfterMs: 20 });

/** Signals by hand, and the listeners that are left can be counted. */
export function signals() {
  const emitter = new EventEmitter();
  return {
    emitter: emitter as unknown as SignalEmitter,
    send: (name: string) => emitter.emit(name, name),
    left: () => emitter.listenerCount('SIGTERM') + emitter.listenerCount('SIGINT'),
  };
}

/** A sink that takes `ms` of virtual time for a batch. */
export const slow = (ms: number, scheduler: VirtualTimeScheduler): Sink<number> & { taken: number[] } => {
  const taken: number[] = [];
  return {
    name: 'slow',
    taken,
    write(items) {
      taken.push(...items);
      return timer(ms, scheduler).pipe(map(() => ({ rows: items.length })));
    },
  };
};

export const chain = (sink: Sink<number>) =>
  [boundedBuffer<number>({ capacity: 100 }), batch<number>({ size: 10 }), writeTo(sink)] as const;

/** Lets the promise of a run settle after virtual time has been spent. */
export const settle = async <T>(promise: Promise<T>, scheduler: VirtualTimeScheduler): Promise<T> => {
  scheduler.flush();
  return promise;
};
