/** Public market data of Coinbase's Advanced Trade. */
export { type CoinbaseConfig, coinbase } from './coinbase.js';
