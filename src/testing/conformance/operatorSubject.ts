import type { OperatorFunction } from 'rxjs';
import type { RuleSubject } from './testsOf.js';

/** A callback of the operator, and how to make the operator with a callback that throws. */
export interface ThrowingCallback<I, O> {
  /** The name of the option or argument. */
  readonly callback: string;
  /** Makes the operator with `thrower` as that callback. It accepts any arguments. */
  readonly make: (thrower: () => never) => OperatorFunction<I, O>;
}

/** An operator that is checked against the rules. */
export interface OperatorSubject<I, O, R extends string = string> extends RuleSubject<R> {
  /**
   * Makes a small operator: a buffer of a few items, a batch of two. Its timers must run on RxJS's schedulers, which are
   * virtual during a rule, and its callbacks must return Observables rather than promises.
   */
  readonly make: () => OperatorFunction<I, O>;
  /**
   * Makes the item with this number, from 0. The operator must not drop or merge any of them: each one must be emitted
   * unchanged and in order. For an operator that keeps the last item per key, all keys must differ.
   */
  readonly item: (index: number) => I;
  /**
   * Makes items of the kind that the operator merges into one, splits into several or leaves out, for the rule of the account.
   * Items that are alike are tried in any case; this is for an operator that goes by something else, such as the minute of a
   * trade. Default: none.
   */
  readonly merging?: (index: number) => I;
  /** The items in an output, such as the members of a batch. Default: the output itself. */
  readonly itemsOf?: (output: O) => readonly unknown[];
  /**
   * The key within which order holds, for an operator that keeps order per key only. Default: all items share one order.
   */
  readonly orderBy?: (item: unknown) => unknown;
  /** Every callback of the operator. One without callbacks says so: `notApplicable: { 'OP-4.1': … }`. */
  readonly throwing?: readonly ThrowingCallback<I, O>[];
}
