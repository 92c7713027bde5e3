import { type MonoTypeOperatorFunction, Observable, ReplaySubject } from 'rxjs';
import { contextOf } from '../flow/context.js';
import type { Gate } from '../flow/gate.js';

/** `o`: the gate is or becomes open. `c`: the gate is or becomes closed. */
export type GateMarble = 'o' | 'c';

/** The log of a gate during a subscription. */
export interface GateLogged {
  /**
   * The state at each subscription, followed by every change. It replays, so that a test may expect it before or after the
   * stream itself, and it never completes.
   */
  readonly gateLog$: Observable<GateMarble>;
}

/** An operator with the log of the gate that it found downstream. */
export interface GateProbe<T> extends MonoTypeOperatorFunction<T>, GateLogged {}

/** Records the states of a gate. */
export class GateLog implements GateLogged {
  readonly #log = new ReplaySubject<GateMarble>();
  readonly gateLog$: Observable<GateMarble> = this.#log.asObservable();

  /** Records until the returned subscription ends. */
  follow(gate: Gate) {
    return gate.state$.subscribe((state) => this.#log.next(state === 'open' ? 'o' : 'c'));
  }
}

/**
 * Logs the gate at its place in a chain, which is the one that the operator below it closes when full. Items, context and
 * topology pass through unchanged.
 *
 * @example
 * ```ts
 * import { boundedBuffer } from 'sluice/operators';
 * import { marbles, probeGate, withGate } from 'sluice/testing';
 *
 * export const test = marbles(({ hot, gate, expectObservable }) => {
 *   const items = hot('      abc------|');
 *   const downstream = gate('oc---o----');
 *   const expected = '       a----(bc)|';
 *   const upstream = '       o-c--o----';
 *   const buffer = boundedBuffer<string>({ capacity: 2, highWatermark: 1, lowWatermark: 0 });
 *   const probe = probeGate<string>();
 *   expectObservable(items.pipe(probe, buffer, withGate(downstream))).toBe(expected);
 *   expectObservable(probe.gateLog$).toBe(upstream);
 * });
 * ```
 */
export function probeGate<T>(): GateProbe<T> {
  const log = new GateLog();
  const operator: MonoTypeOperatorFunction<T> = (source) =>
    new Observable<T>((destination) => {
      destination.add(log.follow(contextOf(destination).gate));
      return source.subscribe(destination);
    });
  return Object.assign(operator, { gateLog$: log.gateLog$ });
}
