import { type ProviderError, QuotaExceeded, UnknownInstrument } from '../providerErrors.js';
import type { Series } from '../session.js';
import { MARKETS, type MassiveMarket, VENDOR } from './markets.js';

/** Contracts whose quotes one connection may have (https://massive.com/docs/websocket/options/quotes). */
export const MAX_OPTION_QUOTES = 1_000;

/**
 * What is subscribed to, as the vendor writes it: a channel, a dot and a ticker, such as `AM.BRK.B`. Undefined for what the market does
 * not stream.
 */
export function slotOf(market: MassiveMarket, { of, symbol, timeframe = '1m' }: Series): string | undefined {
  const { channels } = MARKETS[market];
  const channel =
    of === 'trade'
      ? channels.trade
      : of === 'quote'
        ? channels.quote
        : of === 'bar'
          ? (channels.bar as Readonly<Record<string, string | undefined>>)[timeframe]
          : undefined;
  return channel === undefined ? undefined : `${channel}.${symbol}`;
}

/** A slot as its answer may spell it: pairs of currencies come with a dash or a slash. */
export function normalSlot(market: MassiveMarket, slot: string): string {
  return market === 'forex' ? slot.replace('-', '/') : slot;
}

/** The channel of a slot: tickers may have dots. */
export function channelOf(slot: string): string {
  return slot.slice(0, slot.indexOf('.'));
}

/** What is wrong with a symbol before the vendor is asked, in words: it cannot be part of a list, or would never get an answer. */
export function symbolProblem(market: MassiveMarket, { of, symbol }: Series): string | undefined {
  if (/[\s,]/.test(symbol)) return 'a symbol must not contain blanks or commas';
  if (symbol === '*') {
    const isOptionQuote = market === 'options' && of === 'quote';
    return isOptionQuote
      ? `the quotes of options have no wildcard: name up to ${MAX_OPTION_QUOTES} contracts`
      : undefined;
  }
  if (market === 'forex' && !symbol.includes('/')) return 'the records of a pair are spelled with a slash, as EUR/USD';
  if (market === 'crypto' && !symbol.includes('-')) return 'the records of a pair are spelled with a dash, as BTC-USD';
  return undefined;
}

export function unknownSymbol({ of, symbol }: Series, problem: string): ProviderError {
  return new UnknownInstrument(VENDOR, `cannot subscribe to ${of} ${symbol}: ${problem}`);
}

export function tooManyOptionQuotes(): ProviderError {
  return new QuotaExceeded(
    VENDOR,
    `a connection has quotes of at most ${MAX_OPTION_QUOTES} option contracts: use another massive() for the rest`,
  );
}
