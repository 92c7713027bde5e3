/** What the compiler holds between a config and its spec. There is nothing to run: `tsc` checks it. */
import type { SchedulerLike } from 'rxjs';
import {
  boolean,
  duration,
  func,
  having,
  integer,
  listOf,
  nested,
  number,
  type OptionsOf,
  oneOf,
  readOptions,
  text,
  unchecked,
} from '../../src/primitives/options.js';
import { expectType } from './equal.js';

interface Retry {
  readonly maxAttempts?: number;
  readonly jitter?: 'full' | 'none';
}
interface Config<T> {
  readonly size: number;
  readonly lingerMs?: number | undefined;
  readonly eager?: boolean;
  readonly sizeOf?: (item: T) => number;
  readonly symbols?: readonly string[];
  readonly retry?: Retry | false;
  readonly policies?: Retry;
  readonly speed?: number | 'max';
  readonly scheduler?: SchedulerLike;
  readonly other?: Map<string, T>;
}

const RETRY = {
  maxAttempts: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(5),
  jitter: oneOf(['full', 'none']),
} satisfies OptionsOf<Retry>;

const OPTIONS = {
  size: integer({ min: 1 }).required(),
  lingerMs: duration(),
  eager: boolean().default(false),
  sizeOf: func(),
  symbols: listOf(text().required(), { min: 1 }),
  retry: nested(RETRY).or(false).default(false),
  policies: nested(RETRY).default({}),
  speed: number({ above: 0 }).or('max').default('max'),
  scheduler: having('now', 'schedule'),
  other: unchecked(),
} satisfies OptionsOf<Config<unknown>>;

interface ReadRetry {
  readonly maxAttempts: number;
  readonly jitter: 'full' | 'none' | undefined;
}
export function example<T>(config: Config<T>): void {
  const read = readOptions('example', config, OPTIONS);
  expectType<number>()(read.size);
  expectType<number | undefined>()(read.lingerMs);
  expectType<boolean>()(read.eager);
  expectType<((item: T) => number) | undefined>()(read.sizeOf);
  expectType<readonly string[] | undefined>()(read.symbols);
  const retry: false | ReadRetry = read.retry;
  const policies: ReadRetry = read.policies;
  expectType<number>()(policies.maxAttempts);
  expectType<number | false>()(retry === false ? retry : retry.maxAttempts);
  expectType<'full' | 'none' | undefined>()(policies.jitter);
  expectType<number | 'max'>()(read.speed);
  expectType<SchedulerLike | undefined>()(read.scheduler);
  expectType<Map<string, T> | undefined>()(read.other);
  // @ts-expect-error no such option
  read.sise;
  // @ts-expect-error the spec describes another config
  readOptions('example', { depth: 1 }, OPTIONS);
}

// A config that is derived from another keeps its generics.
interface Derived<T> {
  readonly policies?: Omit<Config<T>, 'policies' | 'size'>;
}
const { policies: _policies, size: _size, ...POLICIES } = OPTIONS;
const DERIVED = { policies: nested(POLICIES).default({}) } satisfies OptionsOf<Derived<unknown>>;
export function derived<T>(config: Derived<T>): void {
  const { policies } = readOptions('derived', config, DERIVED);
  expectType<((item: T) => number) | undefined>()(policies.sizeOf);
  expectType<boolean>()(policies.eager);
}

interface Small {
  readonly size: number;
  readonly mode?: 'a' | 'b';
}
const size = integer().required();
const mode = oneOf(['a', 'b']);
export const RIGHT = { size, mode } satisfies OptionsOf<Small>;
// @ts-expect-error an option is missing
export const MISSING = { size } satisfies OptionsOf<Small>;
// @ts-expect-error an option is misspelt
export const MISSPELT = { size, mode, mod: mode } satisfies OptionsOf<Small>;
// @ts-expect-error a required option would be read as if it could be left out
export const LEFT_OUT = { size: integer(), mode } satisfies OptionsOf<Small>;
// @ts-expect-error an option that may be left out would be required
export const REQUIRED = { size, mode: oneOf(['a', 'b']).required() } satisfies OptionsOf<Small>;
// @ts-expect-error a size is a number
export const WRONG_TYPE = { size: text().required(), mode } satisfies OptionsOf<Small>;
// @ts-expect-error 'b' would be refused
export const TOO_NARROW = { size, mode: oneOf(['a']) } satisfies OptionsOf<Small>;
// @ts-expect-error 'c' would be let through
export const TOO_WIDE = { size, mode: oneOf(['a', 'b', 'c']) } satisfies OptionsOf<Small>;
// @ts-expect-error the default is none of the values
export const WRONG_DEFAULT = { size, mode: oneOf(['a', 'b']).default('c') } satisfies OptionsOf<Small>;
