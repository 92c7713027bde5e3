import type { ObservableInput } from 'rxjs';

/**
 * Why items were given up: `poison`, the sink refuses the item itself; `exhausted`, all attempts have failed; `fatal`, the
 * sink cannot be written to at all; `drain`, time ran out; `decode`, a codec refused it. Stages of yours have their own.
 */
export type DivertReason = 'poison' | 'exhausted' | 'fatal' | 'drain' | 'decode' | (string & {});

/** Items that a stage gives up, and what is known about it. */
export interface Diversion<T> {
  /** Never empty. */
  readonly items: readonly T[];
  /** The stage that gives them up. */
  readonly stage: string;
  readonly reason: DivertReason;
  /** What was the matter; `undefined` where nothing was. */
  readonly error: unknown;
  /** How often a sink was asked to take them; 0 where none was. */
  readonly attempts: number;
}

/** Where diverted items go. */
export interface DeadLetters<T> {
  /** Takes items in. They count as diverted when the result completes, which is when they are durable. */
  append(diversion: Diversion<T>): ObservableInput<unknown>;
}
