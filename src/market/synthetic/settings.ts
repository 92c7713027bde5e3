import {
  duration,
  integer,
  number,
  type OptionsOf,
  type Read,
  reject,
  text,
  unchecked,
} from '../../primitives/options.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import { symbol as symbolField } from '../fields.js';

export interface SyntheticBarsConfig {
  /** The number of symbols, which are named `S0000`, `S0001`, …, or their names, as a vendor spells them and each once. Default 10. */
  readonly symbols?: number | readonly string[];
  /** The number of bars, without revisions and duplicates. Integer of at least 0, or `Infinity`, the default: the bars never end. */
  readonly count?: number;
  /** The source of all randomness: one seed gives the same bars on every machine. A safe integer, default 1. */
  readonly seed?: number;
  /** The start of the first bars in Unix epoch milliseconds. Default 2024-01-02T14:30:00Z. */
  readonly epoch?: number;
  /** The span of a bar: `30s`, `1m`, `5m`, `1h`, `1d`. Default `1m`. */
  readonly timeframe?: string;
  /** The vendor of all bars. Default `synthetic`. */
  readonly vendor?: string;
  /** The share of bars that come again later with other values and a higher `seq`. From 0 to 1, default 0. */
  readonly revisions?: number;
  /** The share of bars that come again later unchanged, with the same `seq`. From 0 to 1, default 0. */
  readonly duplicates?: number;
  /** A revision or duplicate comes at most this many new bars after its bar. From 1 to 1,000,000, default 100. */
  readonly lateness?: number;
}

export const SYNTHETIC_BARS_OPTIONS = {
  symbols: unchecked<number | object>().default(10),
  count: integer({ min: 0 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY),
  seed: integer().default(1),
  epoch: duration({ min: Number.MIN_SAFE_INTEGER }).default(Date.UTC(2024, 0, 2, 14, 30)),
  timeframe: text().default('1m'),
  vendor: text().default('synthetic'),
  revisions: number({ min: 0, max: 1 }).default(0),
  duplicates: number({ min: 0, max: 1 }).default(0),
  lateness: integer({ min: 1, max: 1_000_000 }).default(100),
} satisfies OptionsOf<SyntheticBarsConfig>;

export interface SyntheticBarsSettings extends Read<SyntheticBarsConfig, typeof SYNTHETIC_BARS_OPTIONS> {
  readonly symbols: readonly string[];
  readonly spanMs: number;
}

/** What the makers need of options that were read. */
export function syntheticSettings(
  owner: string,
  options: Read<SyntheticBarsConfig, typeof SYNTHETIC_BARS_OPTIONS>,
): SyntheticBarsSettings {
  return {
    ...options,
    symbols: symbolNames(owner, options.symbols),
    spanMs: timeframeMs(options.timeframe),
  };
}

const COUNT = integer({ min: 1, max: 1_000_000 }).required();

function symbolNames(owner: string, symbols: unknown): readonly string[] {
  if (!Array.isArray(symbols)) {
    const count = COUNT.read(owner, 'symbols (a number, or an array of names)', symbols);
    return Array.from({ length: count }, (_, i) => `S${String(i).padStart(4, '0')}`);
  }
  if (symbols.length === 0) reject(owner, 'symbols', 'an array of at least one name', symbols);
  const seen = new Set<string>();
  for (const symbol of symbols as readonly unknown[]) {
    if (!symbolField.is(symbol) || seen.has(symbol)) {
      reject(owner, 'symbols', 'names without control characters or outer blanks, each once', symbol);
    }
    seen.add(symbol);
  }
  return [...seen];
}
