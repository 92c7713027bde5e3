import type { ObservableInput } from 'rxjs';
import type { SinkTarget } from './sinkTarget.js';

/**
 * Why items were given up: `poison`, the sink refuses the item itself; `exhausted`, all attempts failed; `fatal`, the sink cannot
 * be written to at all; `drain`, time ran out; `decode`, a codec refused it; `badRow`, a record of a file could not be read. Your own
 * stages may have other reasons.
 */
export type DivertReason = 'poison' | 'exhausted' | 'fatal' | 'drain' | 'decode' | 'badRow' | (string & {});

/** Items that a stage gives up, and why. */
export interface Diversion<T> {
  /** Never empty. */
  readonly items: readonly T[];
  /** The stage that gives them up. */
  readonly stage: string;
  readonly reason: DivertReason;
  /** The error that caused it; `undefined` if there was none. */
  readonly error: unknown;
  /** How often a sink was asked to take them; 0 if none was. */
  readonly attempts: number;
  /** The sink that gave them up. Without it, a replay has to be told where the items belong. */
  readonly sink?: SinkTarget;
}

/** Where diverted items go. */
export interface DeadLetters<T> {
  /** Stores items. They count as diverted when the result completes, which is when they are durable. */
  append(diversion: Diversion<T>): ObservableInput<unknown>;
}
