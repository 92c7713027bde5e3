/** The bars of IBKR by our timeframe. */
const BAR_SIZES: Readonly<Record<string, string>> = {
  '1s': '1 secs',
  '5s': '5 secs',
  '10s': '10 secs',
  '15s': '15 secs',
  '30s': '30 secs',
  '1m': '1 min',
  '2m': '2 mins',
  '3m': '3 mins',
  '5m': '5 mins',
  '10m': '10 mins',
  '15m': '15 mins',
  '20m': '20 mins',
  '30m': '30 mins',
  '1h': '1 hour',
  '2h': '2 hours',
  '3h': '3 hours',
  '4h': '4 hours',
  '8h': '8 hours',
  '1d': '1 day',
  '1w': '1 week',
};

/** Live: bars of one second are history only. The first is the default. */
export const LIVE_TIMEFRAMES: readonly string[] = [
  '1m',
  ...Object.keys(BAR_SIZES).filter((one) => one !== '1s' && one !== '1m'),
];

/** These come as real-time bars; the others as history that is kept up to date. */
export const REAL_TIME_BARS = '5s';

export function barSizeOf(timeframe: string): string | undefined {
  return Object.hasOwn(BAR_SIZES, timeframe) ? BAR_SIZES[timeframe] : undefined;
}

export const HISTORY_TIMEFRAMES: readonly string[] = Object.keys(BAR_SIZES);

/** What bars are made of. */
export type WhatToShow = 'TRADES' | 'MIDPOINT' | 'BID' | 'ASK' | 'AGGTRADES' | 'ADJUSTED_LAST';

export const WHAT_TO_SHOW: readonly WhatToShow[] = ['TRADES', 'MIDPOINT', 'BID', 'ASK', 'AGGTRADES', 'ADJUSTED_LAST'];

/** What bars of a kind of contract are made of where nothing else is asked for: currencies have no trades. */
export function usualWhatToShow(secType: string): WhatToShow {
  if (secType === 'CASH' || secType === 'CMDTY' || secType === 'CFD') return 'MIDPOINT';
  return secType === 'CRYPTO' ? 'AGGTRADES' : 'TRADES';
}
