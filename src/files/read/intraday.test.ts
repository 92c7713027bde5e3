import { expect, it } from 'vitest';
import { isIntraday } from './intraday.js';

it.each([
  ...['1m', '5m', '30s', '1h', '4h', '23h', '15min', '5 mins', '1 hour', '1Min', '1Hour', 'minute', 'hourly', 'tick'],
  ...['1t', '100ms', '5', '60', '720', 'M1', 'M30', 'H1', 'H4', '30 secs', '1H', '1S'],
])('%s is less than a day', (timeframe) => {
  expect(isIntraday(timeframe)).toBe(true);
});

it.each([
  ...['1d', '1D', 'D', 'day', 'daily', '1 day', '1w', 'W', 'weekly', '1M', '3M', 'M', '1mo', 'MN1', 'D1', 'W1', '1y'],
  ...['24h', '1440m', '1440', '86400s', '10080', 'quarterly', '', 'x'.repeat(10_000), '1'.repeat(10_000)],
])('%s is not', (timeframe) => {
  expect(isIntraday(timeframe)).toBe(false);
});
