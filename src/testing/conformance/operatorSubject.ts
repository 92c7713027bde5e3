import type { OperatorFunction } from 'rxjs';

/** A callback of the operator, and how to make the operator with one that throws. */
export interface ThrowingCallback<I, O> {
  /** What the option or argument is called. */
  readonly callback: string;
  /** Makes the operator with `thrower` for that callback. It takes any arguments. */
  readonly make: (thrower: () => never) => OperatorFunction<I, O>;
}

/** An operator to be held to the rules. */
export interface OperatorSubject<I, O, R extends string = string> {
  /** The name of the operator, for messages. */
  readonly name: string;
  /**
   * Makes the operator, small: a buffer of a few items, a batch of two. Its timers must run on RxJS's schedulers, which
   * are virtual during a rule, and what it calls must be Observables and not promises.
   */
  readonly make: () => OperatorFunction<I, O>;
  /**
   * The item with this number, from 0. Of items that the operator would drop or merge, give none: each one must come out,
   * in order, as equal to itself. An operator that keeps the last of each key is given keys that are all different.
   */
  readonly item: (index: number) => I;
  /** The items that an output stands for: of a batch, its members. Default: the output itself. */
  readonly itemsOf?: (output: O) => readonly unknown[];
  /**
   * What order holds within: the key of an item, where the operator keeps the order of each key only. Default: all items are
   * one line.
   */
  readonly orderBy?: (item: unknown) => unknown;
  /** Every callback that the operator takes. An operator that takes none says so: `notApplicable: { 'OP-4.1': … }`. */
  readonly throwing?: readonly ThrowingCallback<I, O>[];
  /** Rules that do not hold for this operator, each with the reason. One that is named and holds is a failure too. */
  readonly notApplicable?: Readonly<Partial<Record<R, string>>>;
}
