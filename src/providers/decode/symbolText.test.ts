import { expect, it } from 'vitest';
import { isSymbolText } from './symbolText.js';

it.each(['BTCUSDT', 'BTC-USD', 'BRK.B', '1000SATSUSDT', '币安人生USDT', 'A'.repeat(64)])('takes %j', (text) => {
  expect(isSymbolText(text)).toBe(true);
});

it.each([
  '',
  ' ',
  'BTC USDT',
  'BTC\u0000',
  'BTC\n',
  'BTC\u007f',
  'BTC\u00a0',
  'é\u0085',
  '\uFFFD',
  'A'.repeat(65),
  5,
  null,
  undefined,
])('refuses %j', (text) => {
  expect(isSymbolText(text)).toBe(false);
});
