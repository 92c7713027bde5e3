import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import type { Branch } from '../flow/branch.js';
import { fanningOut } from '../flow/fanOut.js';
import { func, readArgument } from '../primitives/options.js';
import { UnroutedError } from './errors/unroutedError.js';

/** The properties of `T` that can tell its kinds apart. */
type KindProperty<T> = [T] extends [object]
  ? { [P in keyof T]-?: T[P] extends string ? P : never }[keyof T] & string
  : never;

/** The members of `T` that are of kind `K` according to property `P`. */
type OfKind<T, P extends PropertyKey, K> = T extends { readonly [Q in P]: infer V } ? (K extends V ? T : never) : never;

/** The same where the kind is what a function returns: the property that has just these kinds. */
type PropertyWith<T, Kind> = { [P in KindProperty<T>]: [T[P], Kind] extends [Kind, T[P]] ? P : never }[KindProperty<T>];

/** What comes down the branch `K`. */
type ItemOf<T, By, K> = K extends 'otherwise'
  ? T
  : By extends string
    ? OfKind<T, By, K>
    : By extends (item: never) => infer Kind
      ? [PropertyWith<T, Kind>] extends [never]
        ? T
        : OfKind<T, PropertyWith<T, Kind>, K>
      : never;

type KindOf<T, By> = By extends keyof T
  ? T[By] & string
  : By extends (item: never) => infer Kind
    ? Kind & string
    : never;

/** A chain for each kind; anything else in `R` is a mistake. */
export type RouteBranches<T, By, R> = {
  readonly [K in keyof R]: K extends KindOf<T, By> | 'otherwise'
    ? (branch$: Observable<ItemOf<T, By, K>>) => ObservableInput<R[K]>
    : never;
};

/**
 * Sends each item down the chain of its kind, and merges what the chains emit. The types hold that every kind has a chain.
 *
 * ```text
 * source      b-n-b-|               b of kind bar, n of kind news
 *             route('kind', { bar: (bar$) => …, news: (news$) => … })
 * bar$        b---b-|
 * news$       --n---|
 * ```
 *
 * **Emits when**: a chain emits, at once.
 * **Backpressure**: installs a gate. It is closed while an item waits for its chain, and whatever is behind that item waits
 * with it. Each chain is held up by its own gate only.
 * **Completes when**: the source has completed and so have all chains; or all chains have, by themselves.
 * **Errors when**: the source has failed, after the chains have completed; at once when a chain fails, `by` or a function
 * that makes a chain throws, or, with `UnroutedError`, an item is of a kind without a chain and there is no `otherwise`.
 * **On unsubscribe**: all chains are unsubscribed; what waits for its chain is abandoned.
 *
 * **Delivery**: each item goes down one chain, once; order holds within a chain. A chain that has ended before its source
 * (`EMPTY`, `take(1)`) takes nothing more: items of its kind are dropped, with the reason `branchEnded`.
 *
 * **Gotchas**:
 * - A slow chain slows all of them once it is full: give it a `boundedBuffer`, or `conflate`.
 * - A kind called `otherwise` goes where kinds without a chain go.
 * - Kinds are looked up only among the branches that were given: `constructor` and `__proto__` are kinds like any other.
 *
 * @example
 * ```ts
 * import { map } from 'rxjs/operators';
 * import { batch, route } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * type Event = { kind: 'bar'; close: number } | { kind: 'news'; headline: string };
 * const events: Event[] = [
 *   { kind: 'bar', close: 470.1 },
 *   { kind: 'news', headline: 'Fed holds' },
 * ];
 * fromIterable(events)
 *   .pipe(
 *     route('kind', {
 *       bar: (bar$) => bar$.pipe(batch({ size: 100 }), map((bars) => `${bars.length} bars`)),
 *       news: (news$) => news$.pipe(map((item) => item.headline)),
 *     }),
 *   )
 *   .subscribe((line) => console.log(line));
 * ```
 */
export function route<
  T,
  By extends KindProperty<T> | ((item: T) => string),
  R extends Record<KindOf<T, By>, unknown> | { readonly otherwise: unknown },
>(by: By, branches: RouteBranches<T, By, R>): OperatorFunction<T, R[keyof R]> {
  const owner = 'route';
  const kindOf = kindReader<T>(owner, by);
  const chains = new Map<string, Chain<T, R[keyof R]>>();
  if (typeof branches !== 'object' || branches === null || Object.keys(branches).length === 0) {
    throw new RangeError(`${owner}: branches must be an object with a function for each kind, got ${String(branches)}`);
  }
  for (const [kind, chain] of Object.entries<unknown>(branches)) {
    readArgument(owner, `branches.${kind}`, chain, func());
    chains.set(kind, chain as Chain<T, R[keyof R]>);
  }

  return fanningOut<T, R[keyof R]>({ kind: owner }, (fan) => {
    const branchOf = new Map<string, Branch<T>>();
    for (const [kind, chain] of chains) branchOf.set(kind, fan.add('branch', `${fan.name}.${kind}`, chain));
    return (item) => {
      const kind = kindOf(item);
      const branch = branchOf.get(kind) ?? branchOf.get('otherwise');
      if (!branch) throw new UnroutedError(fan.name, kind, [...chains.keys()]);
      return branch;
    };
  });
}

type Chain<T, R> = (branch$: Observable<T>) => ObservableInput<R>;

function kindReader<T>(owner: string, by: unknown): (item: T) => string {
  if (typeof by === 'function') return by as (item: T) => string;
  if (typeof by !== 'string' || by === '') {
    throw new RangeError(`${owner}: by must be the name of a property or a function, got ${JSON.stringify(by)}`);
  }
  // Optional, so that a value that is no object is unrouted rather than a TypeError about a property of null.
  return (item) => (item as { readonly [property: string]: string } | null | undefined)?.[by] as string;
}
