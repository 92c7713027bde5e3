import type { Sink } from '../../contracts/sink.js';
import type { RuleSubject } from './testsOf.js';

/** A store to write to. It is empty when it is opened. */
export interface SinkStore<T> {
  /** Makes a sink on this store, as a program does at its start. What an earlier sink committed is still there. */
  sink(): Sink<T>;
  /** The stored items, which must equal the written ones. Order does not matter. */
  stored(): readonly T[] | Promise<readonly T[]>;
  /**
   * Begins an outage, during which writes fail with a transient error, and returns a function that ends it. Absent if the
   * sink cannot fail.
   */
  outage?(): (() => void | Promise<void>) | Promise<() => void | Promise<void>>;
  /** Releases everything. Called at the end of each rule. */
  close?(): void | Promise<void>;
}

/** A sink that is checked against the rules. */
export interface SinkSubject<T, R extends string = string> extends RuleSubject<R> {
  /** Opens an empty store. Called for each rule. */
  readonly open: () => SinkStore<T> | Promise<SinkStore<T>>;
  /**
   * Makes the item with this number, from 0, in this version, from 1. All versions of a number have the same key, and a
   * higher version is newer.
   */
  readonly item: (index: number, version: number) => T;
  /** Makes an item that the sink always rejects. Absent if it accepts anything. */
  readonly poison?: (index: number) => T;
  /** How long a write may take before the rule counts as broken, in milliseconds. From 1, default 15,000. */
  readonly timeoutMs?: number;
}
