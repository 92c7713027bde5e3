import type { Bar } from '../../../market/bar.js';
import type { Fundamentals } from '../../../market/fundamentals.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { barTime, errorMessage, type Message, messagesOf, timeframeOf } from './gatewayMessages.js';
import type { ContractRequest } from './gatewayRequest.js';
import type { Instrument } from './instruments.js';

const UNITS_MS: Readonly<Record<string, number>> = {
  S: 1_000,
  D: 86_400_000,
  W: 604_800_000,
  M: 2_592_000_000,
  Y: 31_536_000_000,
};

/** Milliseconds of `20260105-14:30:00`, in UTC; `otherwise` for an empty text. */
export function askedTime(text: string, otherwise: number): number {
  const match = /^(\d{4})(\d{2})(\d{2})-(\d{2}:\d{2}:\d{2})$/.exec(text);
  return match ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}Z`) : otherwise;
}

function durationMs(duration: string): number {
  const [count = '0', unit = 'S'] = duration.split(' ');
  return Number(count) * (UNITS_MS[unit] ?? 1_000);
}

const NO_DATA = 'Historical Market Data Service error message:HMDS query returned no data';

/** What the gateway has of the past, as it answers requests for it. */
export class GatewayHistory {
  #records: readonly MarketEvent[] = [];

  set(records: readonly MarketEvent[]): void {
    this.#records = records;
  }

  answer(request: ContractRequest, instrument: Instrument, now: number): readonly Message[] {
    switch (request.is) {
      case 'history':
        return this.#bars(request, instrument, now);
      case 'pastTicks':
        return this.#ticks(request, instrument);
      case 'news':
        return this.#news(request, instrument);
      case 'fundamentals':
        return this.#fundamentals(request, instrument);
      case 'marketData':
        // Only a snapshot says what is known already.
        if (request.args[2] !== '1') return [];
        return this.#records
          .filter(({ kind }) => kind === 'option')
          .flatMap((one) => messagesOf(one, request, instrument));
      default:
        return [];
    }
  }

  #of<K extends MarketEvent['kind']>(kind: K, names: ReadonlySet<string>): (MarketEvent & { readonly kind: K })[] {
    return this.#records.filter(
      (record): record is MarketEvent & { readonly kind: K } =>
        record.kind === kind && 'symbol' in record && names.has(record.symbol),
    );
  }

  #bars({ id, args }: ContractRequest, { names }: Instrument, now: number): readonly Message[] {
    const [, endText = '', barSize = '', duration = '', , , , keepUpToDate] = args;
    const end = askedTime(endText, now);
    const timeframe = timeframeOf(barSize);
    const from = end - durationMs(duration);
    const isIn = (bar: Bar) => bar.timeframe === timeframe && bar.ts >= from && bar.ts < end;
    const bars = this.#of('bar', names).filter(isIn);
    if (bars.length === 0 && keepUpToDate !== '1') return [errorMessage(id, 162, NO_DATA)];
    const rows = bars.flatMap(({ ts, open, high, low, close, volume, vwap, trades }) => [
      barTime(ts, timeframe),
      ...[open, high, low, close, volume, vwap ?? -1, trades ?? -1],
    ]);
    const span = [from, end].map((at) => new Date(at).toISOString().slice(0, 19).replace('T', ' '));
    return [[17, id, ...span, bars.length, ...rows]];
  }

  #ticks({ id, args }: ContractRequest, { names }: Instrument): readonly Message[] {
    const [, startText = '', endText = '', count = '1000', what] = args;
    const limit = Number(count);
    const start = askedTime(startText, Number.NEGATIVE_INFINITY);
    const end = askedTime(endText, Number.POSITIVE_INFINITY);
    const isQuotes = what === 'BID_ASK';
    const all = isQuotes ? this.#of('quote', names) : this.#of('trade', names);
    const asked = all.filter(({ ts }) => ts >= start && ts < end);
    // As many as were asked for, and the rest of the last second, so that the next request begins with the next second.
    const second = (ts: number) => Math.floor(ts / 1_000);
    const last = asked[limit - 1];
    const some = asked.filter((tick, index) => index < limit || second(tick.ts) === second(last!.ts));
    const rows = some.flatMap((tick) =>
      tick.kind === 'quote'
        ? [second(tick.ts), 0, tick.bid ?? 0, tick.ask ?? 0, tick.bidSize ?? 0, tick.askSize ?? 0]
        : [second(tick.ts), 0, tick.price, tick.size, tick.venue ?? '', tick.conditions?.join(' ') ?? ''],
    );
    return [[isQuotes ? 97 : 98, id, some.length, ...rows, some.length === asked.length]];
  }

  #news({ id, args }: ContractRequest, { names }: Instrument): readonly Message[] {
    const [, startText = '', endText = '', count = '300'] = args;
    const time = (text: string, otherwise: number) =>
      text === '' ? otherwise : Date.parse(`${text.replace(' ', 'T')}Z`);
    const from = time(startText, Number.NEGATIVE_INFINITY);
    const to = time(endText, Number.POSITIVE_INFINITY);
    const asked = this.#records.flatMap((record) =>
      record.kind === 'news' && record.symbols.some((symbol) => names.has(symbol)) ? [record] : [],
    );
    // The newest first.
    const found = asked.filter(({ publishedAt }) => publishedAt >= from && publishedAt <= to).reverse();
    const some = found.slice(0, Number(count));
    const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}.0`;
    const items = some.map(
      ({ publishedAt, id: article, title }): Message => [86, id, stamp(publishedAt), 'FAKE', article, title],
    );
    return [...items, [87, id, some.length < found.length]];
  }

  #fundamentals({ id }: ContractRequest, { names, currency }: Instrument): readonly Message[] {
    const figures = this.#of('fundamental', names);
    if (figures.length === 0)
      return [
        errorMessage(id, 430, 'We are sorry, but fundamentals data for the security specified is not available.'),
      ];
    return [[51, 1, id, reportOf(figures, currency)]];
  }
}

const PERIODS: Readonly<Record<string, readonly [reportType: string, period: string]>> = {
  ttm: ['TTM', '12M'],
  annual: ['A', '12M'],
  quarterly: ['A', '3M'],
};

function reportOf(figures: readonly Fundamentals[], currency: string): string {
  const groups = ['EPS', 'DividendPerShare', 'TotalRevenue'].map((metric) => {
    const rows = figures
      .filter((figure) => figure.metric === metric)
      .map(({ periodEnd, timeframe, value }) => {
        const [reportType, period] = PERIODS[timeframe] ?? ['A', timeframe];
        return `<${metric} asofDate="${periodEnd}" reportType="${reportType}" period="${period}">${value}</${metric}>`;
      });
    return `<${metric}s currency="${currency}">${rows.join('')}</${metric}s>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?><FinancialSummary>${groups.join('')}</FinancialSummary>`;
}
