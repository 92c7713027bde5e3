import { NEVER, type Observable, Subscriber } from 'rxjs';
import { ALWAYS_OPEN, type Gate } from './gate.js';
import { isInsideCallback } from './insideCallback.js';
import { MAY_RETURN, type Monitor, NO_MONITOR, type Registration } from './monitor.js';
import type { PipelineEnd } from './pipelineEnd.js';
import type { Stage, StageAccount, StageInfo } from './stage.js';
import type { Unit } from './unit.js';
import type { UpstreamWatch } from './upstreamWatch.js';

/** What a subscriber tells everything upstream of it. */
export interface FlowContext {
  /** The nearest gate downstream. */
  readonly gate: Gate;
  /** Fires once when the pipeline is asked to drain, also for late subscribers. Sources complete on it. */
  readonly stopping: Observable<void>;
  /**
   * Fires once when the time of a drain is over, also for late subscribers, and always after `stopping`. Writers with dead
   * letters give up what they are writing, and everything still held goes there. The value is the error that the pipeline
   * ends with, or `undefined` if it is only late.
   */
  readonly expired: Observable<unknown>;
  /**
   * Ends the pipeline with this error once everything held is settled: for a stage that cannot go on while what is held can
   * still be saved. `undefined` where nothing downstream does that.
   */
  readonly abort: ((error: unknown) => void) | undefined;
  /** Where stages register themselves. */
  readonly monitor: Monitor;
  /** The nearest registered stage downstream. */
  readonly stage: Stage | undefined;
  /** What the values are that it takes: items, or batches of them. */
  readonly unit: Unit;
  /** The coordinator that the stages under this context belong to, and which of its workers. */
  readonly group?: string | undefined;
  readonly worker?: number | undefined;
  /** Where the pipeline ends, if its monitor counts what the subscriber gets. */
  readonly end?: PipelineEnd | undefined;
  /**
   * Looks for operators that hold items without a bound between the stage that this context belongs to and what registers. `null`
   * under what is subscribed per item: nobody looks there.
   */
  readonly watch?: UpstreamWatch | null | undefined;
  /** Called when a stage or source registers under this context, directly upstream of whatever carries it. */
  readonly onRegister?: (() => void) | undefined;
  /** Called by a `batch()` upstream with no writer below: whatever counts items here counts those of its batches. */
  readonly onBatches?: (() => void) | undefined;
}

/** Shared by every copy of the package in a process, so that their stages find each other. */
const CONTEXT = Symbol.for('sluice/context/1');

interface Carrier {
  [CONTEXT]?: FlowContext;
  /** RxJS chains each subscriber to the next downstream by this field; the walk below depends on it (rxjs 7.8). */
  destination?: Carrier;
  readonly closed?: boolean;
  /** Set by RxJS before an end is passed on, where `closed` is set after that. */
  readonly isStopped?: boolean;
}

/** The context where nothing downstream carries one: never full, never stopping, unwatched. */
export const NO_CONTEXT: FlowContext = {
  gate: ALWAYS_OPEN,
  stopping: NEVER,
  expired: NEVER,
  abort: undefined,
  monitor: NO_MONITOR,
  stage: undefined,
  unit: 'item',
};

let ambient: FlowContext | undefined;

/** The context that the subscription under way lends to subscribers whose chain is broken, where there is one. */
export function fallbackContext(): FlowContext | undefined {
  return ambient;
}

/** Lets `subscriber` carry `context` for whatever subscribes above it. */
export function attachContext(subscriber: Subscriber<never>, context: FlowContext): void {
  (subscriber as unknown as Carrier)[CONTEXT] = context;
}

/**
 * The context nearest downstream of `subscriber`, itself included.
 *
 * Found by walking the chain of destinations. A hand-made `new Observable(d => source.subscribe({ next }))` breaks that
 * chain, and so do `share()` and `connect()`. What they subscribe while they are being subscribed themselves is lent the context
 * of the operator around it, and keeps it for what is subscribed above it later. Nothing is lent to what a callback subscribes,
 * such as the factory of a `defer()`, nor past a `Subject`: the always-open {@link NO_CONTEXT} is returned.
 */
export function contextOf(subscriber: Subscriber<never>): FlowContext {
  let carrier = subscriber as unknown as Carrier | undefined;
  let last: Carrier | undefined;
  while (carrier) {
    const context = carrier[CONTEXT];
    if (context) return context;
    if (carrier instanceof Subscriber) last = carrier;
    carrier = carrier.destination;
  }
  if (!ambient) return NO_CONTEXT;
  const context = isInsideCallback(withFallbackContext.name) ? NO_CONTEXT : ambient;
  if (last) last[CONTEXT] = context;
  return context;
}

/** Registers a stage directly upstream of whatever carries `context`, found from `subscriber`. */
export function registerStage(
  context: FlowContext,
  info: Omit<StageInfo, 'feeds' | 'group' | 'worker' | 'end'>,
  monitor: Monitor = context.monitor,
  subscriber?: Subscriber<never>,
): StageAccount {
  const { stage: feeds, group, worker, end } = context;
  if (end && info.role === 'writer') end.hasWriter = true;
  context.onRegister?.();
  // Nothing is in between where the subscriber itself carries the context.
  const isDirect = subscriber !== undefined && (subscriber as unknown as Carrier)[CONTEXT] === context;
  context.watch?.look(withFallbackContext.name, info.role === 'source', isDirect);
  const registration: Registration = { ...info, feeds, group, worker, end, [MAY_RETURN]: true };
  return monitor.register(registration);
}

/**
 * Whether `subscriber`, or a subscriber downstream of it, is being unsubscribed. They are closed one after another, the last in
 * the chain first, and code that must not start new work needs to know before its own teardown runs.
 */
export function isTearingDown(subscriber: Subscriber<never>): boolean {
  let carrier = subscriber as unknown as Carrier | null | undefined;
  while (carrier) {
    // Not of what is no subscriber: RxJS puts an observer that is always closed at the end of some chains.
    if (carrier.closed && carrier.isStopped) return true;
    carrier = carrier.destination;
  }
  return false;
}

/**
 * Whether `subscriber`, or a subscriber downstream of it, has ended or is passing its end on: what it is given then is lost.
 */
export function isEnding(subscriber: Subscriber<never>): boolean {
  let carrier = subscriber as unknown as Carrier | null | undefined;
  while (carrier) {
    if (carrier.isStopped) return true;
    carrier = carrier.destination;
  }
  return false;
}

/** Runs `subscribe`, and lends `context` meanwhile to subscribers whose chain is broken; `undefined` lends nothing. */
export function withFallbackContext<R>(context: FlowContext | undefined, subscribe: () => R): R {
  const former = ambient;
  ambient = context;
  try {
    return subscribe();
  } finally {
    ambient = former;
  }
}

/** Runs the user's code while a subscription is under way: what it subscribes by itself is a pipeline of its own. */
export function alone<R>(work: () => R): R {
  return ambient === undefined ? work() : withFallbackContext(undefined, work);
}
