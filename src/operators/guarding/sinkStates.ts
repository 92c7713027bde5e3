import type { SchedulerLike } from 'rxjs';
import { SinkState } from '../../policies/sinkState.js';

const states = new WeakMap<object, WeakMap<SchedulerLike, SinkState>>();

/** The state that all writers of this sink share which live by the same clock. */
export function sinkStateOf(sink: object, scheduler: SchedulerLike): SinkState {
  const byClock = states.get(sink) ?? new WeakMap<SchedulerLike, SinkState>();
  const state = byClock.get(scheduler) ?? new SinkState();
  states.set(sink, byClock.set(scheduler, state));
  return state;
}
