import type { Fundamentals } from '../../../market/fundamentals.js';
import { listOf, type OptionsOf, oneOf, readOptions, text } from '../../../primitives/options.js';
import { wrongField } from '../../decode/wrongField.js';
import type { RestRequest } from '../../rest/restClient.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { isPrice, type Raw, versionOf } from '../normalise/values.js';
import { calendarDate, isCalendarDate } from './dates.js';
import { type HistorySource, list, pathOf } from './source.js';

/** A statement, as metrics are named after it: `income_statement.revenue`. */
export type MassiveStatement = 'income_statement' | 'balance_sheet' | 'cash_flow_statement' | 'ratios';

/** Which figures of a company. */
export interface MassiveFundamentalsQuery {
  /** Its ticker. */
  readonly symbol: string;
  /**
   * `statements` (default): the endpoints of one statement each, with flat rows. `legacy`: the older one, whose reports have all
   * statements, and which the vendor will retire.
   */
  readonly source?: 'statements' | 'legacy';
  /** Of `statements`, which. Default: the income statement, the balance sheet and the cash flow statement. */
  readonly statements?: readonly MassiveStatement[];
  /** The length of the periods. Default: all. */
  readonly timeframe?: 'quarterly' | 'annual' | 'ttm';
  /** The first and the last end of a period, both included: `2026-03-31`. Default: all. */
  readonly periodFrom?: string;
  readonly periodTo?: string;
}

const ENDPOINTS: Readonly<Record<MassiveStatement, string>> = {
  income_statement: '/stocks/financials/v1/income-statements',
  balance_sheet: '/stocks/financials/v1/balance-sheets',
  cash_flow_statement: '/stocks/financials/v1/cash-flow-statements',
  ratios: '/stocks/financials/v1/ratios',
};
const STATEMENTS = Object.keys(ENDPOINTS) as readonly MassiveStatement[];

const QUERY = {
  symbol: text().required(),
  source: oneOf(['statements', 'legacy']).default('statements'),
  statements: listOf(oneOf(STATEMENTS), { min: 1 }).default([
    'income_statement',
    'balance_sheet',
    'cash_flow_statement',
  ]),
  timeframe: oneOf(['quarterly', 'annual', 'ttm']),
  periodFrom: calendarDate(),
  periodTo: calendarDate(),
} satisfies OptionsOf<MassiveFundamentalsQuery>;

/** Rows in one answer, at most (https://massive.com/docs/rest/stocks/fundamentals). */
const LEGACY_LIMIT = 100;
const FLAT_LIMIT = 1_000;

/**
 * Figures from the reports of a company, as one record each, from either kind of endpoint. A metric is named after its statement and
 * by the vendor's field: a field such as `noncontrolling_interest` is another figure in another statement.
 */
export function fundamentals(
  source: HistorySource,
  query: MassiveFundamentalsQuery,
): AsyncIterable<readonly Fundamentals[]> {
  const read = readOptions('massive: fundamentals', query, QUERY);
  const { symbol, timeframe, periodFrom, periodTo } = read;
  const now = source.now();
  const range = { of: 'fundamental', symbol, from: now, to: now } as const;
  if (read.source === 'legacy') {
    const query = {
      ticker: symbol,
      timeframe,
      'period_of_report_date.gte': periodFrom,
      'period_of_report_date.lte': periodTo,
      order: 'asc',
      sort: 'period_of_report_date',
      limit: LEGACY_LIMIT,
    };
    const first = { path: '/vX/reference/financials', query };
    return list<Fundamentals>(source, { range, first, row: (row, receivedAt) => ofReport(row, symbol, receivedAt) });
  }
  const flatTimeframe = timeframe === 'ttm' ? 'trailing_twelve_months' : timeframe;
  const requests = [...new Set(read.statements)].map((statement): RestRequest => {
    const query = {
      tickers: symbol,
      timeframe: flatTimeframe,
      'period_end.gte': periodFrom,
      'period_end.lte': periodTo,
      sort: 'period_end.asc',
      limit: FLAT_LIMIT,
    };
    // Ratios are of the last close, and of no period.
    return {
      path: ENDPOINTS[statement],
      query: statement === 'ratios' ? { ticker: symbol, limit: FLAT_LIMIT } : query,
    };
  });
  return list<Fundamentals>(source, {
    range,
    first: requests[0]!,
    after: (request) => requests[requests.findIndex(({ path }) => pathOf(request.path).endsWith(path)) + 1],
    row: (row, receivedAt, { path }) => {
      const statement = STATEMENTS.find((one) => pathOf(path).endsWith(ENDPOINTS[one])) ?? 'income_statement';
      return ofStatement(row, statement, symbol, receivedAt);
    },
  });
}

/** A report of the older endpoint: statements of `{ field: { value, unit } }`. */
function ofReport(row: Raw, symbol: string, receivedAt: number): readonly Fundamentals[] | Unreadable {
  const { end_date: periodEnd, financials } = row;
  if (!isCalendarDate(periodEnd)) return wrongField('end_date', 'a date', periodEnd);
  if (typeof financials !== 'object' || financials === null) return wrongField('financials', 'an object', financials);
  const timeframe = typeof row.timeframe === 'string' ? row.timeframe : fromPeriod(row.fiscal_period);
  if (timeframe === undefined) return wrongField('timeframe', 'a text', row.timeframe);
  const records: Fundamentals[] = [];
  for (const [statement, fields] of Object.entries(financials as Raw)) {
    if (typeof fields !== 'object' || fields === null) return wrongField(statement, 'an object', fields);
    for (const [field, figure] of Object.entries(fields as Raw)) {
      const { value, unit } = (figure ?? {}) as Raw;
      if (value === undefined || value === null) continue;
      if (!isPrice(value)) return wrongField(`${statement}.${field}`, 'a number', value);
      if (typeof unit !== 'string' || unit === '')
        return wrongField(`${statement}.${field}`, 'a figure with a unit', unit);
      records.push(record(symbol, periodEnd, timeframe, `${statement}.${field}`, value, unit, row, receivedAt));
    }
  }
  return records;
}

/** Reports that do not say their length say what they are of. */
function fromPeriod(period: unknown): string | undefined {
  if (period === 'FY') return 'annual';
  if (period === 'TTM') return 'ttm';
  return typeof period === 'string' && /^Q[1-4]$/.test(period) ? 'quarterly' : undefined;
}

/** Numbers of a flat row that are no figures. */
const NO_FIGURES: readonly string[] = ['fiscal_year', 'fiscal_quarter'];

/** A row of one statement, whose fields are numbers. */
function ofStatement(
  row: Raw,
  statement: MassiveStatement,
  symbol: string,
  receivedAt: number,
): readonly Fundamentals[] | Unreadable {
  const periodEnd = row.period_end ?? row.date;
  if (!isCalendarDate(periodEnd)) return wrongField('period_end', 'a date', periodEnd);
  // Ratios are over the trailing twelve months.
  const given = row.timeframe ?? 'trailing_twelve_months';
  if (typeof given !== 'string' || given === '') return wrongField('timeframe', 'a text', given);
  const timeframe = given === 'trailing_twelve_months' ? 'ttm' : given;
  const records: Fundamentals[] = [];
  for (const [field, value] of Object.entries(row)) {
    if (!isPrice(value) || NO_FIGURES.includes(field)) continue;
    const unit = unitOf(statement, field);
    records.push(record(symbol, periodEnd, timeframe, `${statement}.${field}`, value, unit, row, receivedAt));
  }
  return records;
}

/** Amounts among the ratios: the other ones have no unit. */
const AMOUNTS: readonly string[] = ['market_cap', 'enterprise_value', 'free_cash_flow'];

/** The flat rows name no unit: the vendor documents amounts in US dollars. */
function unitOf(statement: MassiveStatement, field: string): string {
  if (field.endsWith('_per_share') || field === 'price') return 'USD/share';
  if (field.endsWith('_shares_outstanding') || field === 'average_volume') return 'shares';
  return statement === 'ratios' && !AMOUNTS.includes(field) ? 'ratio' : 'USD';
}

function record(
  symbol: string,
  periodEnd: string,
  timeframe: string,
  metric: string,
  value: number,
  unit: string,
  row: Raw,
  receivedAt: number,
): Fundamentals {
  const filingDate = isCalendarDate(row.filing_date) ? row.filing_date : null;
  const seq = versionOf(receivedAt);
  return { kind: 'fundamental', vendor: VENDOR, symbol, periodEnd, timeframe, metric, value, unit, filingDate, seq };
}
