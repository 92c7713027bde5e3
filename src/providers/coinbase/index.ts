/** Public market data of Coinbase's Advanced Trade. */
export { type CoinbaseConfig, coinbase } from './coinbase.js';
export { COINBASE_PACING } from './pacing.js';
