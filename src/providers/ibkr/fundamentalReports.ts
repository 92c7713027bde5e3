import type { Fundamentals } from '../../market/fundamentals.js';
import { epochDay } from '../../primitives/calendarDate.js';
import { NAME } from './gatewayErrors.js';
import { readXml } from './xml.js';

type Attributes = Readonly<Record<string, string>>;

/** The figures of ReportsFinSummary, and whether they are per share. */
const SUMMARY: Readonly<Record<string, boolean>> = { EPS: true, DividendPerShare: true, TotalRevenue: false };

/** Of two figures of one period: actual ones are better than preliminary ones, and restated ones are better still. */
const RANKS: Readonly<Record<string, number>> = { P: 0, A: 1, TTM: 1, R: 2 };

/** What ratios have that are not known. */
const UNKNOWN_RATIO = -99_999;

/**
 * The figures of a report: of `ReportsFinSummary` earnings and dividends per share and revenue by period, of `ReportSnapshot` the
 * ratios of the latest date. Other reports have none that is read. Returns in words why the text is no report.
 */
export function readReport(symbol: string, currency: string, xml: string): readonly Fundamentals[] | string {
  const figures = new Map<string, { readonly rank: number; readonly figure: Fundamentals }>();
  const trail: { readonly name: string; readonly attributes: Attributes }[] = [];
  const add = (rank: number, figure: Omit<Fundamentals, 'kind' | 'vendor' | 'symbol'>) => {
    if (Number.isNaN(epochDay(figure.periodEnd)) || !Number.isFinite(figure.value)) return;
    const key = `${figure.metric} ${figure.timeframe} ${figure.periodEnd}`;
    const known = figures.get(key);
    if (known && known.rank > rank) return;
    figures.set(key, { rank, figure: { kind: 'fundamental', vendor: NAME, symbol, ...figure } });
  };
  let root = '';
  const problem = readXml(xml, {
    open(name, attributes) {
      root ||= name;
      trail.push({ name, attributes });
    },
    close(name, text) {
      const { attributes } = trail.pop()!;
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Object.hasOwn(SUMMARY, name) && attributes.asofDate !== undefined) {
        const money = trail.at(-1)?.attributes.currency || currency;
        const { asofDate, reportType = '', period = '' } = attributes;
        const unit = SUMMARY[name] ? `${money}/share` : money;
        add(RANKS[reportType] ?? 0, {
          periodEnd: asofDate,
          timeframe: timeframeOf(reportType, period),
          metric: name,
          value,
          unit,
        });
      } else if (name === 'Ratio' && attributes.FieldName && attributes.Type === 'N' && value > UNKNOWN_RATIO) {
        const ratios = trail.find((one) => one.name === 'Ratios')?.attributes;
        const timeframe = attributes.FieldName.startsWith('TTM') ? 'ttm' : 'latest';
        const periodEnd = ratios?.LatestAvailableDate ?? '';
        add(0, { periodEnd, timeframe, metric: attributes.FieldName, value, unit: 'as reported' });
      }
    },
  });
  if (problem !== undefined) return `a report that is not XML: ${problem}`;
  const all = [...figures.values()].map(({ figure }) => figure);
  return all.length > 0 ? all : `a report without figures that can be read: ${root}`;
}

function timeframeOf(reportType: string, period: string): Fundamentals['timeframe'] {
  if (reportType === 'TTM') return 'ttm';
  if (period === '12M') return 'annual';
  return period === '3M' ? 'quarterly' : period || 'unknown';
}
