/** Spot market data of Binance. */
export { type BinanceConfig, binance } from './binance.js';
export { binancePacing } from './pacing.js';
export type { BinanceTrades } from './streamNames.js';
