import type { Bar } from '../../../market/bar.js';
import { timeframeMs } from '../../../primitives/timeframe.js';
import { wrongField } from '../../decode/wrongField.js';
import type { HistoryRange } from '../../provider.js';
import type { RestRequest } from '../../rest/restClient.js';
import { lowestPrice } from '../markets.js';
import { barAt } from '../normalise/bar.js';
import { isAmount, isMs, versionOf } from '../normalise/values.js';
import { type HistorySource, list, pathOf, tickerIn } from './source.js';

/**
 * The most that one request has, in *base* aggregates: minutes for bars of minutes and hours, so that it has 10,000 bars of five
 * minutes (https://massive.com/docs/rest/stocks/aggregates/custom-bars, `limit`).
 */
export const MAX_BASE = 50_000;

const SPANS: Readonly<Record<string, string>> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' };
const BASE_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 60_000, d: 86_400_000, w: 86_400_000 };
const HOUR_MS = 3_600_000;

/**
 * Bars of the past, oldest first. A window without trades has none. The last one is not final while its span lasts.
 *
 * A request asks for no more than {@link MAX_BASE} base aggregates at a time, where bars begin at multiples of their length; longer
 * ones follow the hours of the exchange, and what is beyond the limit comes by `next_url`.
 */
export function barHistory(source: HistorySource, range: HistoryRange): AsyncIterable<readonly Bar[]> {
  const { symbol, timeframe = '1m' } = range;
  const lengthMs = timeframeMs(timeframe);
  const unit = timeframe.slice(-1);
  const isAligned = HOUR_MS % lengthMs === 0;
  const stepMs = isAligned ? MAX_BASE * BASE_MS[unit]! : Number.POSITIVE_INFINITY;
  const from = Math.ceil(range.from);
  const to = Math.ceil(range.to);
  const ticker = tickerIn(source.market, symbol);
  const path = `/v2/aggs/ticker/${ticker}/range/${timeframe.slice(0, -1)}/${SPANS[unit]}`;
  const query = { adjusted: source.adjusted, sort: 'asc', limit: MAX_BASE };
  const chunk = (start: number): RestRequest => {
    const end = Math.min(Math.floor((start + stepMs) / lengthMs) * lengthMs, to);
    // Both ends are part of what is asked.
    return { path: `${path}/${start}/${end - 1}`, query };
  };
  return list<Bar>(source, {
    range,
    first: chunk(from),
    after: (request) => {
      const end = Number(pathOf(request.path).split('/').at(-1)) + 1;
      return end < to ? chunk(end) : undefined;
    },
    row: ({ t, o, h, l, c, v, vw, n }, receivedAt) => {
      if (!isMs(t)) return wrongField('t', 'a time in milliseconds', t);
      if (t < range.from || t >= range.to) return [];
      const volume = v === undefined && source.market === 'indices' ? 0 : v;
      if (!isAmount(volume)) return wrongField('v', 'a volume', v);
      const isFinal = t + lengthMs <= receivedAt;
      return barAt(
        symbol,
        timeframe,
        lowestPrice(source.market),
        t,
        o,
        h,
        l,
        c,
        volume,
        vw,
        n,
        isFinal,
        versionOf(receivedAt),
      );
    },
  });
}
