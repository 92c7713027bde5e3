import { isObservable } from 'rxjs';
import type { RecordKind } from '../../market/recordKinds.js';
import {
  checked,
  func,
  listOf,
  type OptionsOf,
  oneOf,
  readArgument,
  readOptions,
  reject,
  text,
} from '../../primitives/options.js';
import type { ProviderParts, SubscriptionRequest } from '../provider.js';

const SYMBOLS = checked(
  'an array of symbols, or an Observable of such arrays',
  (value): value is object => Array.isArray(value) || isObservable(value),
);

const SYMBOL_SET = listOf(text());

export interface ReadRequest {
  readonly kinds: readonly RecordKind[];
  readonly symbols: SubscriptionRequest['symbols'];
  readonly timeframe: string;
  readonly resumeFrom: SubscriptionRequest['resumeFrom'];
}

/** Checks a request against what the provider has. */
export function readRequest({ name, kinds, timeframes }: ProviderParts, request: SubscriptionRequest): ReadRequest {
  const owner = `${name}: stream`;
  const spec = {
    kinds: listOf(oneOf(kinds), { min: 1 }).required(),
    symbols: SYMBOLS.required(),
    timeframe: timeframes ? oneOf(timeframes) : text(),
    resumeFrom: func(),
  } satisfies OptionsOf<SubscriptionRequest>;
  const read = readOptions(owner, request, spec);
  const timeframe = read.timeframe ?? timeframes?.[0] ?? '1m';
  const { resumeFrom } = read;
  if (isObservable(read.symbols)) return { kinds: unique(read.kinds), symbols: read.symbols, timeframe, resumeFrom };
  const symbols = readSymbols(owner, read.symbols);
  if (symbols.length === 0) reject(owner, 'symbols', 'an array that is not empty', symbols);
  return { kinds: unique(read.kinds), symbols, timeframe, resumeFrom };
}

/** Checks a set of symbols. */
export function readSymbols(owner: string, symbols: unknown): readonly string[] {
  return unique(readArgument(owner, 'symbols', symbols, SYMBOL_SET) as readonly string[]);
}

function unique<T>(all: readonly T[]): readonly T[] {
  return [...new Set(all)];
}
