/** Alpaca: trades, quotes and bars of US stocks and crypto, behind a key. */
export { type AlpacaConfig, alpaca } from './alpaca.js';
export type { AlpacaFeed } from './channels.js';
export type { AlpacaEncoding } from './frames.js';
export { alpacaPacing } from './pacing.js';
