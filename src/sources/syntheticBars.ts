import type { Bar } from '../model/bar.js';
import { timeframeMs } from '../model/timeframe.js';
import { requireDuration, requireInteger, requireKnownOptions, requireNumber } from '../policies/validate.js';
import { Xoshiro128 } from '../policies/xoshiro128.js';

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

/** Prices are whole cents inside, so that no rounding differs from machine to machine. */
const CENTS = 100;

interface Late {
  readonly bar: Bar;
  readonly symbol: number;
  readonly revised: boolean;
}

/**
 * The bars that {@link synthetic} emits, as an iterable: a random walk for each symbol, symbol after symbol and span after
 * span. What it yields depends on its configuration alone; each iteration begins anew.
 *
 * Late bars cross newer ones of other spans and symbols, and a duplicate may come after the revision of its bar, as an
 * older version that must not win. `seq` grows with each new version by one, from 1.
 *
 * @example
 * ```ts
 * import { syntheticBars } from 'sluice/sources';
 *
 * const bars = [...syntheticBars({ symbols: ['AAPL', 'MSFT'], count: 1_000, seed: 7, revisions: 0.05 })];
 * console.log(bars.length);
 * ```
 */
export function syntheticBars(config: SyntheticBarsConfig = {}): Iterable<Bar> {
  requireKnownOptions('syntheticBars', config, SYNTHETIC_BARS_OPTIONS);
  const settings = requireSyntheticBars('syntheticBars', config);
  return {
    *[Symbol.iterator]() {
      const walk = new BarWalk(settings);
      for (let bar = walk.next(); bar !== undefined; bar = walk.next()) yield bar;
    },
  };
}

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

function symbolNames(owner: string, symbols: unknown): readonly string[] {
  if (!Array.isArray(symbols)) {
    const count = requireInteger(owner, 'symbols (a number, or a list of names)', symbols, 1, 1_000_000);
    return Array.from({ length: count }, (_, i) => `S${String(i).padStart(4, '0')}`);
  }
  if (symbols.length === 0) throw new RangeError(`${owner}: symbols must name one symbol at least, got an empty list`);
  const seen = new Set<string>();
  for (const symbol of symbols as readonly unknown[]) {
    if (typeof symbol !== 'string' || symbol === '' || symbol !== symbol.toUpperCase() || seen.has(symbol)) {
      throw new RangeError(`${owner}: symbols must be upper case and each named once, got ${JSON.stringify(symbol)}`);
    }
    seen.add(symbol);
  }
  return [...seen];
}

/** The generator behind {@link syntheticBars}, without the cost of an iterator. */
export class BarWalk {
  readonly #settings: SyntheticBarsSettings;
  readonly #random: Xoshiro128;
  readonly #isLate: boolean;
  /** What comes again, by the number of the bar after which it does, modulo the length. */
  readonly #late: (Late[] | undefined)[];
  /** The last close of each symbol, and where its price is drawn back to, in cents. */
  readonly #closes: Int32Array;
  readonly #anchors: Int32Array;
  #made = 0;
  #symbol = 0;
  #ts: number;
  #seq = 0;
  #lateLeft = 0;
  /** The late bars due before the next new one. */
  #due: Late[] | undefined;
  #dueAt = 0;

  constructor(settings: SyntheticBarsSettings) {
    const { symbols, seed, epoch, lateness } = settings;
    this.#settings = settings;
    this.#random = Xoshiro128.fromSeed(seed);
    this.#isLate = settings.revisions > 0 || settings.duplicates > 0;
    this.#late = new Array<Late[] | undefined>(this.#isLate ? lateness + 1 : 1).fill(undefined);
    this.#ts = epoch;
    this.#closes = new Int32Array(symbols.length);
    this.#anchors = new Int32Array(symbols.length);
    for (let i = 0; i < symbols.length; i++) {
      const price = 10 * CENTS + this.#random.below(490 * CENTS);
      this.#closes[i] = price;
      this.#anchors[i] = price;
    }
  }

  /** The next bar; `undefined` after the last. */
  next(): Bar | undefined {
    if (this.#isLate) {
      if (this.#due !== undefined) return this.#nextDue();
      if (this.#made >= this.#settings.count) return this.#nextLeft();
    } else if (this.#made >= this.#settings.count) {
      return undefined;
    }
    const symbol = this.#symbol;
    const bar = this.#trade(symbol);
    this.#made += 1;
    if (this.#isLate) {
      this.#due = this.#late[this.#made % this.#late.length];
      this.#dueAt = 0;
      const { revisions, duplicates } = this.#settings;
      const random = this.#random;
      if (revisions > 0 && random.unit() < revisions) this.#comeAgain({ bar, symbol, revised: true });
      if (duplicates > 0 && random.unit() < duplicates) this.#comeAgain({ bar, symbol, revised: false });
    }
    if (symbol + 1 < this.#closes.length) {
      this.#symbol = symbol + 1;
    } else {
      this.#symbol = 0;
      this.#ts += this.#settings.spanMs;
    }
    return bar;
  }

  #comeAgain(late: Late): void {
    const slot = (this.#made + 1 + this.#random.below(this.#settings.lateness)) % this.#late.length;
    const slots = this.#late;
    const others = slots[slot];
    if (others) others.push(late);
    else slots[slot] = [late];
    this.#lateLeft += 1;
  }

  #nextDue(): Bar {
    const due = this.#due as Late[];
    const { bar, symbol, revised } = due[this.#dueAt++]!;
    if (this.#dueAt >= due.length) {
      this.#due = undefined;
      this.#late[this.#made % this.#late.length] = undefined;
    }
    this.#lateLeft -= 1;
    return revised ? this.#revise(bar, symbol) : bar;
  }

  /** After the last new bar, the late ones that are left, in the order in which they would have come. */
  #nextLeft(): Bar | undefined {
    if (this.#lateLeft === 0) return undefined;
    do {
      this.#made += 1;
      this.#due = this.#late[this.#made % this.#late.length];
    } while (this.#due === undefined);
    this.#dueAt = 0;
    return this.#nextDue();
  }

  #trade(symbol: number): Bar {
    const random = this.#random;
    const former = this.#closes[symbol]!;
    // The sum of two even draws, from -1 to 1, and a pull back, so that no price runs away. No logarithm or sine, whose
    // last digits differ from engine to engine.
    const range = 1 + (former >> 8);
    const bits = random.uint32();
    const step = ((bits & 0xff) + ((bits >>> 8) & 0xff) - 255) / 255;
    const pull = (this.#anchors[symbol]! - former) / 512;
    const open = Math.max(1, former + ((((bits >>> 16) & 3) - 1) >> 1));
    const close = Math.max(1, open + Math.round(step * range + pull));
    this.#closes[symbol] = close;
    return this.#bar(symbol, this.#ts, open, close, range, ++this.#seq);
  }

  /** Another version of a bar: its close corrected, and its extremes and volume with it. */
  #revise(bar: Bar, symbol: number): Bar {
    const open = Math.round(bar.open * CENTS);
    const range = 1 + (open >> 8);
    const close = Math.max(1, Math.round(bar.close * CENTS) + 1 + this.#random.below(range));
    return this.#bar(symbol, bar.ts, open, close, range, ++this.#seq);
  }

  #bar(symbol: number, ts: number, open: number, close: number, range: number, seq: number): Bar {
    const bits = this.#random.uint32();
    const high = Math.max(open, close) + Math.floor(((bits & 0xff) * range) / 256);
    const low = Math.max(1, Math.min(open, close) - Math.floor((((bits >>> 8) & 0xff) * range) / 256));
    const { vendor, symbols, timeframe } = this.#settings;
    return {
      kind: 'bar',
      vendor,
      symbol: symbols[symbol]!,
      timeframe,
      ts,
      open: open / CENTS,
      high: high / CENTS,
      low: low / CENTS,
      close: close / CENTS,
      volume: 100 + 100 * ((bits >>> 16) % 1_000),
      seq,
    };
  }
}
