import { epochDay } from '../../primitives/calendarDate.js';
import type { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { Fundamentals } from '../fundamentals.js';
import { dateOf, endOfMonth } from './calendar.js';
import type { MakerOf } from './walk.js';

/** A figure in each unit; a loss now and then. */
const DRAW = {
  USD: (random: Xoshiro128) => 1_000 * (random.below(2_000_000) - 200_000),
  'USD/share': (random: Xoshiro128) => (random.below(2_000) - 200) / 100,
  shares: (random: Xoshiro128) => 1_000 * (1 + random.below(5_000_000)),
};

const METRICS: readonly (readonly [metric: string, unit: keyof typeof DRAW])[] = [
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
export const fundamentalsMaker: MakerOf<Fundamentals> = ({ symbols, vendor, epoch }, random) => {
  const first = new Date(epoch);
  let report = reportOf(4 * first.getUTCFullYear() + Math.floor(first.getUTCMonth() / 3) - 1);
  let symbol = 0;
  let timeframe = 0;
  let metric = 0;

  const advance = () => {
    metric = (metric + 1) % METRICS.length;
    if (metric > 0) return;
    timeframe = (timeframe + 1) % report.timeframes.length;
    if (timeframe > 0) return;
    symbol = (symbol + 1) % symbols.length;
    if (symbol === 0) report = reportOf(report.quarter + 1);
  };

  return {
    make(seq) {
      const [name, unit] = METRICS[metric]!;
      const filed = random.uint32();
      const figure: Fundamentals = {
        kind: 'fundamental',
        vendor,
        symbol: symbols[symbol]!,
        periodEnd: report.periodEnd,
        timeframe: report.timeframes[timeframe]!,
        metric: name,
        value: DRAW[unit](random),
        unit,
        filingDate: (filed & 0xf) === 0 ? null : report.filingDates[(filed >>> 4) % FILED_WITHIN_DAYS]!,
        seq,
      };
      advance();
      return figure;
    },
    /** Restates the figure: another value, filed later. */
    revise(figure, seq) {
      const { periodEnd, unit } = figure;
      const more = 1 + random.below(1_000);
      const value = unit === 'USD/share' ? (Math.round(figure.value * 100) + more) / 100 : figure.value + 1_000 * more;
      const filed = epochDay(periodEnd) + FILED_AFTER_DAYS + FILED_WITHIN_DAYS + random.below(FILED_WITHIN_DAYS);
      return { ...figure, value, filingDate: dateOf(filed), seq };
    },
  };
};

/** What the figures of a quarter, counted from the year 0, have in common. */
function reportOf(quarter: number) {
  const end = endOfMonth(Math.floor(quarter / 4), 3 * (quarter % 4) + 2);
  return {
    quarter,
    timeframes: quarter % 4 === 3 ? ['quarterly', 'ttm', 'annual'] : ['quarterly', 'ttm'],
    periodEnd: dateOf(end),
    filingDates: Array.from({ length: FILED_WITHIN_DAYS }, (_, i) => dateOf(end + FILED_AFTER_DAYS + i)),
  };
}
