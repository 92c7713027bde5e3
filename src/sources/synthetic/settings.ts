import { symbol as symbolCodec } from '../../market/fieldCodecs.js';
import { timeframeMs } from '../../market/timeframe.js';
import { requireDuration, requireInteger, requireNumber } from '../../primitives/validate.js';

export interface SyntheticBarsConfig {
  /** How many symbols, named `S0000`, `S0001`, …, or their names, upper case and each once. Default 10. */
  readonly symbols?: number | readonly string[];
  /** How many bars, revisions and duplicates not counted. Integer of at least 0; without it the bars never end. */
  readonly count?: number;
  /** Where all chance comes from: the same seed gives the same bars on every machine. A safe integer, default 1. */
  readonly seed?: number;
  /** The start of the first bars in Unix epoch milliseconds. Default 2024-01-02T14:30:00Z. */
  readonly epoch?: number;
  /** The span of a bar: `30s`, `1m`, `5m`, `1h`, `1d`. Default `1m`. */
  readonly timeframe?: string;
  /** Default `synthetic`. */
  readonly vendor?: string;
  /** The share of bars that come again later with other values and a higher `seq`. From 0 to 1, default 0. */
  readonly revisions?: number;
  /** The share of bars that come again later as they were, `seq` and all. From 0 to 1, default 0. */
  readonly duplicates?: number;
  /** A revision or duplicate comes at most so many new bars after its bar. From 1 to 1,000,000, default 100. */
  readonly lateness?: number;
}

export const SYNTHETIC_BARS_OPTIONS = [
  'symbols',
  'count',
  'seed',
  'epoch',
  'timeframe',
  'vendor',
  'revisions',
  'duplicates',
  'lateness',
] as const;

const FIRST_EPOCH = Date.UTC(2024, 0, 2, 14, 30);

/** What {@link requireSyntheticBars} makes of a configuration. */
export interface SyntheticBarsSettings {
  readonly symbols: readonly string[];
  readonly count: number;
  readonly seed: number;
  readonly epoch: number;
  readonly timeframe: string;
  readonly spanMs: number;
  readonly vendor: string;
  readonly revisions: number;
  readonly duplicates: number;
  readonly lateness: number;
}

/** Checks the configuration, and puts the defaults in. */
export function requireSyntheticBars(owner: string, config: SyntheticBarsConfig): SyntheticBarsSettings {
  const timeframe = config.timeframe ?? '1m';
  const vendor = config.vendor ?? 'synthetic';
  if (typeof vendor !== 'string' || vendor === '') {
    throw new RangeError(`${owner}: vendor must be a name, got ${JSON.stringify(vendor)}`);
  }
  return {
    symbols: symbolNames(owner, config.symbols ?? 10),
    count: config.count === undefined ? Infinity : requireInteger(owner, 'count', config.count, 0),
    seed: requireInteger(owner, 'seed', config.seed ?? 1, Number.MIN_SAFE_INTEGER),
    epoch: requireDuration(owner, 'epoch', config.epoch ?? FIRST_EPOCH, Number.MIN_SAFE_INTEGER),
    timeframe,
    spanMs: timeframeMs(timeframe),
    vendor,
    revisions: requireNumber(owner, 'revisions', config.revisions ?? 0, 0, 1),
    duplicates: requireNumber(owner, 'duplicates', config.duplicates ?? 0, 0, 1),
    lateness: requireInteger(owner, 'lateness', config.lateness ?? 100, 1, 1_000_000),
  };
}

const { is: isSymbol } = symbolCodec;

function symbolNames(owner: string, symbols: unknown): readonly string[] {
  if (!Array.isArray(symbols)) {
    const count = requireInteger(owner, 'symbols (a number, or a list of names)', symbols, 1, 1_000_000);
    return Array.from({ length: count }, (_, i) => `S${String(i).padStart(4, '0')}`);
  }
  if (symbols.length === 0) throw new RangeError(`${owner}: symbols must name one symbol at least, got an empty list`);
  const seen = new Set<string>();
  for (const symbol of symbols as readonly unknown[]) {
    if (!isSymbol(symbol) || seen.has(symbol)) {
      throw new RangeError(
        `${owner}: symbols must be upper case, without spaces, and each named once, got ${JSON.stringify(symbol)}`,
      );
    }
    seen.add(symbol);
  }
  return [...seen];
}
