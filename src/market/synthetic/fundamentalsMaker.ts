import type { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { epochDay } from '../calendarDate.js';
import type { Fundamentals } from '../fundamentals.js';
import { dateOf, endOfMonth } from './calendar.js';
import type { SyntheticBarsSettings } from './settings.js';
import type { Maker } from './walk.js';

type Unit = 'USD' | 'USD/share' | 'shares';

const METRICS: readonly (readonly [metric: string, unit: Unit])[] = [
  ['revenues', 'USD'],
  ['costOfRevenue', 'USD'],
  ['grossProfit', 'USD'],
  ['operatingIncome', 'USD'],
  ['interestExpense', 'USD'],
  ['incomeTax', 'USD'],
  ['netIncome', 'USD'],
  ['basicEarningsPerShare', 'USD/share'],
  ['dilutedEarningsPerShare', 'USD/share'],
  ['dividendsPerShare', 'USD/share'],
  ['basicShares', 'shares'],
  ['dilutedShares', 'shares'],
  ['cash', 'USD'],
  ['inventory', 'USD'],
  ['assets', 'USD'],
  ['liabilities', 'USD'],
  ['longTermDebt', 'USD'],
  ['equity', 'USD'],
  ['operatingCashFlow', 'USD'],
  ['capitalExpenditure', 'USD'],
];

/** Figures are filed at least this many days after the end of their period, and at most this many days later than that. */
const FILED_AFTER_DAYS = 20;
const FILED_WITHIN_DAYS = 64;

/** Reports quarter by quarter: in each, every metric of every symbol for every length of period. */
export class FundamentalsMaker implements Maker<Fundamentals> {
  readonly #settings: SyntheticBarsSettings;
  readonly #random: Xoshiro128;
  /** Quarters since the year 0. */
  #quarter: number;
  #timeframes: readonly Fundamentals['timeframe'][] = [];
  #periodEnd = '';
  #filingDates: readonly string[] = [];
  #symbol = 0;
  #timeframe = 0;
  #metric = 0;

  constructor(settings: SyntheticBarsSettings, random: Xoshiro128) {
    this.#settings = settings;
    this.#random = random;
    const first = new Date(settings.epoch);
    this.#quarter = 4 * first.getUTCFullYear() + Math.floor(first.getUTCMonth() / 3) - 1;
    this.#report();
  }

  make(seq: number): Fundamentals {
    const { vendor, symbols } = this.#settings;
    const [metric, unit] = METRICS[this.#metric]!;
    const filed = this.#random.uint32();
    const figure: Fundamentals = {
      kind: 'fundamental',
      vendor,
      symbol: symbols[this.#symbol]!,
      periodEnd: this.#periodEnd,
      timeframe: this.#timeframes[this.#timeframe]!,
      metric,
      value: this.#value(unit),
      unit,
      filingDate: (filed & 0xf) === 0 ? null : this.#filingDates[(filed >>> 4) % FILED_WITHIN_DAYS]!,
      seq,
    };
    this.#advance();
    return figure;
  }

  /** Restates the figure: another value, filed later. */
  revise(figure: Fundamentals, seq: number): Fundamentals {
    const { periodEnd, unit } = figure;
    const more = 1 + this.#random.below(1_000);
    const value = unit === 'USD/share' ? (Math.round(figure.value * 100) + more) / 100 : figure.value + 1_000 * more;
    const filed = epochDay(periodEnd) + FILED_AFTER_DAYS + FILED_WITHIN_DAYS + this.#random.below(FILED_WITHIN_DAYS);
    return { ...figure, value, filingDate: dateOf(filed), seq };
  }

  #advance(): void {
    this.#metric += 1;
    if (this.#metric < METRICS.length) return;
    this.#metric = 0;
    this.#timeframe += 1;
    if (this.#timeframe < this.#timeframes.length) return;
    this.#timeframe = 0;
    this.#symbol += 1;
    if (this.#symbol < this.#settings.symbols.length) return;
    this.#symbol = 0;
    this.#quarter += 1;
    this.#report();
  }

  #report(): void {
    const quarter = this.#quarter % 4;
    const end = endOfMonth(Math.floor(this.#quarter / 4), 3 * quarter + 2);
    this.#timeframes = quarter === 3 ? ['quarterly', 'ttm', 'annual'] : ['quarterly', 'ttm'];
    this.#periodEnd = dateOf(end);
    this.#filingDates = Array.from({ length: FILED_WITHIN_DAYS }, (_, i) => dateOf(end + FILED_AFTER_DAYS + i));
  }

  #value(unit: Unit): number {
    const random = this.#random;
    switch (unit) {
      case 'USD':
        // A loss now and then.
        return 1_000 * (random.below(2_000_000) - 200_000);
      case 'USD/share':
        return (random.below(2_000) - 200) / 100;
      case 'shares':
        return 1_000 * (1 + random.below(5_000_000));
    }
  }
}
