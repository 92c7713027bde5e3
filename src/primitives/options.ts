import { nearestName } from './nearestName.js';
import { printable } from './printable.js';

/**
 * The options of a config, described once: each is checked when an operator, source or sink is made, and a wrong one is a
 * `RangeError` that names its owner and the option, says what is allowed and quotes the value.
 *
 * TypeScript holds the spec against the interface: an option that is missing from it, misspelt or of another type does not
 * compile, nor does a required one that the spec leaves optional.
 *
 * ```text
 * const OPTIONS = {
 *   size: integer({ min: 1 }).required(),
 *   lingerMs: duration(),
 *   eager: boolean().default(false),
 *   maxBytes: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
 *   sizeOf: func(),
 *   scheduler: having('now', 'schedule'),
 *   name: text(),
 * } satisfies OptionsOf<BatchConfig<unknown>>;
 *
 * export function batch<T>(config: BatchConfig<T>): OperatorFunction<T, readonly T[]> {
 *   const { size, lingerMs, eager, sizeOf } = readOptions('batch', config, OPTIONS);
 *   //      number, number | undefined, boolean, ((item: T) => number) | undefined
 * ```
 *
 * An option is optional unless it is `required()` or has a `default()`; one that is given as `undefined` is not given.
 * `or()` allows one more value: `duration().or(Number.POSITIVE_INFINITY)`, `nested(RETRY).or(false)`. Specs are plain
 * objects, so one extends another by spreading it. What depends on two options is checked after reading, with
 * {@link reject}.
 *
 * `readArgument()` checks a value that is no option. What a callback returns is checked by an option that was made once:
 * `WEIGHT.read('pace', 'weight', weight(item))` allocates nothing.
 */
export class Option<in out V, out P extends Presence = 'optional', out S = undefined> {
  /** Only for the compiler: the spec of a nested config. */
  declare readonly spec?: S;
  readonly #expected: string;
  readonly #accept: Accept<V>;
  readonly #presence: Presence;
  readonly #fallback: unknown;

  constructor(expected: string, accept: Accept<V>, presence: Presence = 'optional', fallback?: unknown) {
    this.#expected = expected;
    this.#accept = accept;
    this.#presence = presence;
    this.#fallback = fallback;
  }

  required(): Option<V, 'required', S> {
    return new Option<V, 'required', S>(this.#expected, this.#accept, 'required');
  }

  /** A caller may write `value` out too: where no limit is the default, `or()` allows it first. */
  default(value: V): Option<V, 'default', S> {
    this.#accept(value, 'the spec', 'its default', this.#expected);
    return new Option<V, 'default', S>(this.#expected, this.#accept, 'default', value);
  }

  /** Allows `value` too, and says so. Comes before `required()` and `default()`. */
  or<const L>(value: L): Option<V | L, 'optional', S> {
    const accept: Accept<V | L> = (given, owner, option, expected) =>
      Object.is(given, value) ? value : this.#accept(given, owner, option, expected);
    return new Option<V | L, 'optional', S>(`${this.#expected}, or ${quote(value)}`, accept);
  }

  read(owner: string, option: string, value: unknown): P extends 'optional' ? V | undefined : V;
  read(owner: string, option: string, value: unknown): V | undefined {
    if (value === undefined && this.#presence !== 'required') {
      const fallback = this.#fallback;
      // The default of a nested config has defaults of its own.
      return isObject(fallback) ? this.#accept(fallback, owner, option, this.#expected) : (fallback as V);
    }
    return this.#accept(value, owner, option, this.#expected);
  }
}

type Presence = 'optional' | 'required' | 'default';
/** Returns the value, checked, or throws by way of {@link reject}. */
type Accept<V> = (value: unknown, owner: string, option: string, expected: string) => V;
type AnyFunction = (...args: never[]) => unknown;
/** What a spec knows of a type. Callbacks and objects keep the exact type that the interface gives them. */
type Known<V> = V extends AnyFunction ? AnyFunction : V extends object ? object : V;

/** The spec that describes each option of a config, and no other. */
export type OptionsOf<C> = {
  readonly [K in keyof C]-?: Option<Known<Exclude<C[K], undefined>>, Allowed<C, K>, unknown> | Unchecked<Allowed<C, K>>;
};
type Allowed<C, K extends keyof C> =
  Record<never, never> extends Pick<C, K> ? 'optional' | 'default' : 'required' | 'default';
type Unchecked<P extends Presence> = Option<unknown, P, unknown>;

type Spec = Readonly<Record<string, { read(owner: string, option: string, value: unknown): unknown }>>;

/** A config as it was read: what has a default or is required is there. */
export type Read<C, S> = {
  readonly [K in keyof C & keyof S]-?: S[K] extends Option<infer _V, infer P, infer N>
    ? ReadValue<Exclude<C[K], undefined>, N> | (P extends 'optional' ? undefined : never)
    : never;
};
type ReadValue<V, N> = N extends undefined ? V : V extends object ? Read<V, N> : V;

/** Checks `config` against its spec and fills in the defaults. */
export function readOptions<C extends object, const S extends Readonly<Record<keyof C, unknown>> & Spec>(
  owner: string,
  config: C,
  spec: S,
): Read<C, S> {
  if (!isObject(config)) reject(owner, 'its configuration', 'an object', config);
  const known = Object.keys(spec);
  for (const option of Object.keys(config)) {
    if (known.includes(option)) continue;
    const near = nearestName(option, known);
    throw new RangeError(
      `${owner}: unknown option ${printable(JSON.stringify(option))} ` +
        `(${near ? `did you mean ${JSON.stringify(near)}? ` : ''}expected one of: ${known.join(', ')})`,
    );
  }
  const given = config as Readonly<Record<string, unknown>>;
  const read = known.map((option) => [option, spec[option]?.read(owner, option, given[option])]);
  return Object.fromEntries(read) as Read<C, S>;
}

/** Checks what is no option, such as a sink or a path that is an argument of its own. It must be given. */
export function readArgument<V>(owner: string, name: string, value: unknown, option: Option<V, Presence, unknown>): V {
  return option.required().read(owner, name, value);
}

export function reject(owner: string, option: string, expected: string, value: unknown): never {
  throw new RangeError(`${owner}: ${option} must be ${expected}, got ${quote(value)}`);
}

/** The numbers that are allowed; `above` is a lower bound that is not allowed itself. */
interface Range {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
}

export function integer(range: Range = {}): Option<number> {
  const { min, max } = range;
  const words = min !== undefined && max !== undefined ? ` from ${min} to ${max}` : wordsOf(range);
  return numeric(`an integer${words}`, Number.isSafeInteger, range);
}

export function number(range: Range = {}): Option<number> {
  return numeric(`a number${wordsOf(range)}`, (value) => !Number.isNaN(value), range);
}

/** A time span: finite, in milliseconds, of at least 0 unless the range says otherwise. */
export function duration({ min = 0, ...limits }: Range = {}): Option<number> {
  const range = { min, ...limits };
  return numeric(`a finite number of milliseconds${wordsOf(range)}`, Number.isFinite, range);
}

function wordsOf({ min, above, max }: Range): string {
  const from = above !== undefined ? ` above ${above}` : min !== undefined ? ` of at least ${min}` : '';
  if (max === undefined) return from;
  return from ? `${from} and at most ${max}` : ` of at most ${max}`;
}

function numeric(expected: string, isKind: (value: number) => boolean, range: Range): Option<number> {
  const { min = Number.NEGATIVE_INFINITY, above, max = Number.POSITIVE_INFINITY } = range;
  return checked(expected, (value): value is number => {
    if (typeof value !== 'number' || !isKind(value) || value < min || value > max) return false;
    return above === undefined || value > above;
  });
}

export function boolean(): Option<boolean> {
  return checked('true or false', (value) => typeof value === 'boolean');
}

/** A string that is not empty. */
export function text(): Option<string> {
  return checked('a string that is not empty', (value): value is string => typeof value === 'string' && value !== '');
}

export function oneOf<const V extends string | number>(allowed: readonly V[]): Option<V> {
  return checked(`one of ${allowed.map(quote).join(', ')}`, (value): value is V => allowed.includes(value as V));
}

export function func(): Option<AnyFunction> {
  return checked('a function', (value): value is AnyFunction => typeof value === 'function');
}

/** An object of which only these methods are used: a breaker, a clock, a scheduler. */
export function having(...methods: readonly string[]): Option<object> {
  return new Option<object>('an object', (value, owner, option) => {
    for (const method of methods) {
      const member = (value as Readonly<Record<string, unknown>> | null | undefined)?.[method];
      if (typeof member !== 'function') reject(owner, `the ${method} of its ${option}`, 'a function', member);
    }
    return value as object;
  });
}

/** A config within the config. Its own options are read with `owner: option` as their owner. */
export function nested<const S extends Spec>(spec: S): Option<object, 'optional', S> {
  return new Option<object, 'optional', S>('an object', (value, owner, option, expected) => {
    if (!isObject(value)) reject(owner, option, expected, value);
    return readOptions(`${owner}: ${option}`, value, spec as Readonly<Record<never, unknown>> & Spec);
  });
}

/** An array, each of whose elements is what `element` says. */
export function listOf<V>(
  element: Option<V, Presence, unknown>,
  { min = 0 }: { readonly min?: 0 | 1 } = {},
): Option<object> {
  const expected = min > 0 ? 'an array that is not empty' : 'an array';
  const each = element.required();
  return new Option<object>(expected, (value, owner, option) => {
    if (!Array.isArray(value) || value.length < min) reject(owner, option, expected, value);
    return value.map((one, i) => each.read(owner, `${option}[${i}]`, one));
  });
}

/** Whatever `test` accepts: `checked('a day of the week', isDay)`. */
export function checked<V>(expected: string, test: (value: unknown) => value is V): Option<V> {
  return new Option<V>(expected, (value, owner, option, allowed) =>
    test(value) ? value : reject(owner, option, allowed, value),
  );
}

/** An option of any type that its user checks. */
export function unchecked<V = unknown>(): Option<V> {
  return new Option<V>('anything', (value) => value as V);
}

/** Several such options: an operator that hands them on to another one leaves their check to that. */
export function allUnchecked<K extends string>(...names: readonly K[]) {
  return Object.fromEntries(names.map((name) => [name, unchecked()])) as Record<K, Option<unknown>>;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  if (typeof value === 'string') return printable(JSON.stringify(value));
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
