import type { Sink } from '../../contracts/sink.js';

/** A store to write to, empty when it is opened. */
export interface SinkStore<T> {
  /** Makes a sink on this store, as a program does when it starts: what an earlier one has committed is there. */
  sink(): Sink<T>;
  /** What a reader of the store finds, as items that equal those that were written. The order is of no interest. */
  stored(): readonly T[] | Promise<readonly T[]>;
  /**
   * Takes the store away, so that writes fail with an error that passes, and returns what brings it back. Absent where a
   * sink cannot fail.
   */
  outage?(): (() => void | Promise<void>) | Promise<() => void | Promise<void>>;
  /** Lets go of everything. Called at the end of each rule. */
  close?(): void | Promise<void>;
}

/** A sink to be held to the rules. */
export interface SinkSubject<T, R extends string = string> {
  /** The name of the sink, for messages. */
  readonly name: string;
  /** Opens an empty store. Called for each rule. */
  readonly open: () => SinkStore<T> | Promise<SinkStore<T>>;
  /**
   * The item with this number, from 0, in this version, from 1. Of one number each version has the same key, and a higher one is
   * newer.
   */
  readonly item: (index: number, version: number) => T;
  /** An item that the sink refuses, however often it is asked. Absent where it takes anything. */
  readonly poison?: (index: number) => T;
  /** How long a write may take before the rule is broken, in milliseconds. Above 0, default 15,000. */
  readonly timeoutMs?: number;
  /** Rules that do not hold for this sink, each with the reason. One that is named and holds is a failure too. */
  readonly notApplicable?: Readonly<Partial<Record<R, string>>>;
}
