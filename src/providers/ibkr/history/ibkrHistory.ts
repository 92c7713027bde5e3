import { type MarketEvent, RECORD_KINDS } from '../../../market/recordKinds.js';
import { reject } from '../../../primitives/options.js';
import { timeframeMs } from '../../../primitives/timeframe.js';
import type { HistoryRange } from '../../provider.js';
import { ConnectionLost } from '../../providerErrors.js';
import { cancellable } from '../../rest/cancellable.js';
import { type Normalise, Unreadable } from '../../session.js';
import { barSizeOf, HISTORY_TIMEFRAMES } from '../barSizes.js';
import type { KnownContract } from '../contracts.js';
import { NAME } from '../gatewayErrors.js';
import type { LiveConfig } from '../liveRequests.js';
import { TickNumbers } from '../tickNumbers.js';
import { barJob } from './barHistory.js';
import { longestSpan } from './barSpans.js';
import type { HistoryDesk } from './historyDesk.js';
import type { HistoryLink } from './historyLink.js';
import { newsJob, newsProvidersJob, reportJob } from './newsHistory.js';
import { tickJob } from './tickHistory.js';

export interface IbkrHistoryConfig {
  readonly desk: HistoryDesk;
  readonly live: LiveConfig;
  readonly normalise: Normalise;
  readonly now: () => number;
}

type Page = readonly MarketEvent[];
type Pages = (link: HistoryLink, contract: KnownContract, signal: AbortSignal) => AsyncIterable<Page>;

const OWNER = `${NAME}: history`;
const KINDS = ['bar', 'trade', 'quote', 'news', 'fundamental'] as const;
const SECOND_MS = 1_000;

/** Pages of the past, oldest first, but for news, of which the newest page comes first. */
export function ibkrHistory(range: HistoryRange, config: IbkrHistoryConfig): AsyncIterable<Page> {
  const { of, symbol, timeframe = '1m', from, to } = range;
  if (!(KINDS as readonly string[]).includes(of)) reject(OWNER, 'of', `one of ${KINDS.join(', ')}`, of);
  if (of === 'bar' && barSizeOf(timeframe) === undefined) {
    reject(OWNER, 'timeframe', `one of ${HISTORY_TIMEFRAMES.join(', ')}`, timeframe);
  }
  if (!Number.isFinite(from) || !Number.isFinite(to)) reject(OWNER, 'from and to', 'times in epoch milliseconds', from);
  const history = new Reader(range, timeframe, config);
  const pages = history.pagesOf(of as (typeof KINDS)[number]);
  return cancellable((signal) =>
    config.desk.use(async function* (link) {
      if (from >= to) return;
      const contract = await link.contract(symbol, signal);
      for await (const page of pages(link, contract, signal)) if (page.length > 0) yield page;
    }),
  );
}

class Reader {
  readonly #range: HistoryRange;
  readonly #timeframe: string;
  readonly #config: IbkrHistoryConfig;

  constructor(range: HistoryRange, timeframe: string, config: IbkrHistoryConfig) {
    this.#range = range;
    this.#timeframe = timeframe;
    this.#config = config;
  }

  pagesOf(kind: (typeof KINDS)[number]): Pages {
    switch (kind) {
      case 'bar':
        return (...all) => this.#bars(...all);
      case 'trade':
      case 'quote':
        return (link, contract, signal) => this.#ticks(kind, link, contract, signal);
      case 'news':
        return (...all) => this.#news(...all);
      case 'fundamental':
        return (...all) => this.#report(...all);
    }
  }

  async *#bars(link: HistoryLink, contract: KnownContract, signal: AbortSignal): AsyncGenerator<Page> {
    const { symbol, from, to } = this.#range;
    const timeframe = this.#timeframe;
    const spanMs = longestSpan(timeframe);
    // Bars belong to the request in whose span they start; a request reaches back by whole seconds, and days by whole days.
    for (let start = from; start < to; start += spanMs) {
      const now = this.#config.now();
      const end = Math.min(start + spanMs, to);
      const job = barJob(contract, symbol, timeframe, { from: start, to: end }, this.#config.live);
      const bars = this.#read(await link.run(job, signal), start, end);
      const ms = timeframeMs(timeframe);
      // The newest one may not be over yet.
      yield bars.map((bar) => (bar.kind === 'bar' ? { ...bar, isFinal: bar.ts + ms <= now } : bar));
    }
  }

  async *#ticks(
    kind: 'trade' | 'quote',
    link: HistoryLink,
    contract: KnownContract,
    signal: AbortSignal,
  ): AsyncGenerator<Page> {
    const { symbol, from, to } = this.#range;
    const { useRTH, trades } = this.#config.live;
    const numbers = new TickNumbers();
    let start = Math.floor(from / SECOND_MS) * SECOND_MS;
    while (start < to) {
      const ticks = await link.run(tickJob(contract, symbol, kind, start, useRTH), signal);
      const isWanted = (tick: (typeof ticks)[number]) =>
        kind === 'quote' || trades === 'AllLast' || !isUnreported(tick);
      const elements = ticks
        .filter(isWanted)
        .map((tick) => elementOf(kind, symbol, tick, numbers.next(String(tick.time))));
      yield this.#read(elements, from, to);
      const last = Math.max(Number.NEGATIVE_INFINITY, ...ticks.map(({ time }) => Number(time)));
      if (!(last * SECOND_MS >= start)) return;
      start = (last + 1) * SECOND_MS;
    }
  }

  async *#news(link: HistoryLink, contract: KnownContract, signal: AbortSignal): AsyncGenerator<Page> {
    const { symbol, from, to } = this.#range;
    const { newsProviders } = this.#config.live;
    const codes = newsProviders.length > 0 ? newsProviders : await link.run(newsProvidersJob(), signal);
    const seen = new Set<string>();
    // The end of a request is included, and its start is not.
    for (let end = to; codes.length > 0; ) {
      const { elements, hasMore } = await link.run(newsJob(contract, symbol, codes, from - SECOND_MS, end), signal);
      const page = this.#read([...elements].reverse(), from, to);
      const times = page.flatMap((item) => (item.kind === 'news' ? [item.publishedAt] : []));
      yield page.filter((item) => item.kind === 'news' && !seen.has(item.id));
      seen.clear();
      for (const item of page) if (item.kind === 'news') seen.add(item.id);
      const oldest = Math.min(...times);
      if (!hasMore || times.length === 0 || oldest <= from) return;
      // More than a page in one second cannot be asked for.
      end = oldest < end ? oldest : end - SECOND_MS;
    }
  }

  async *#report(link: HistoryLink, contract: KnownContract, signal: AbortSignal): AsyncGenerator<Page> {
    const { symbol, from, to } = this.#range;
    const element = await link.run(reportJob(contract, symbol, this.#config.live.fundamentalReport), signal);
    yield this.#read([element], from, to);
  }

  #read(elements: readonly unknown[], from: number, to: number): MarketEvent[] {
    const { normalise, now } = this.#config;
    const at = now();
    return elements.flatMap((element) => {
      const made = normalise(element, at);
      if (made instanceof Unreadable) {
        // A history with a hole that nobody sees would be worse.
        throw new ConnectionLost(NAME, `${this.#range.symbol}: an answer cannot be read: ${made.reason}`, {
          cause: element,
        });
      }
      const records = Array.isArray(made) ? (made as readonly MarketEvent[]) : [made as MarketEvent];
      return records.filter((record) => {
        const time = RECORD_KINDS[record.kind].eventTime(record as never);
        return time >= from && time < to;
      });
    });
  }
}

type Tick = Readonly<Record<string, unknown>>;

function isUnreported({ tickAttribLast }: Tick): boolean {
  return (tickAttribLast as { readonly unreported?: unknown } | undefined)?.unreported === true;
}

function elementOf(kind: 'trade' | 'quote', symbol: string, tick: Tick, number: number): readonly unknown[] {
  const head = [kind, symbol, number, String(tick.time)];
  if (kind === 'quote') return [...head, tick.priceBid, tick.priceAsk, tick.sizeBid, tick.sizeAsk];
  return [...head, tick.price, tick.size, tick.tickAttribLast, tick.exchange, tick.specialConditions];
}
