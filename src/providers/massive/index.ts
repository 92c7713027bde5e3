/** Massive, formerly Polygon.io: stocks, options, indices, currencies and crypto, live and of the past. */
export type { MassiveFundamentalsQuery, MassiveStatement } from './history/fundamentals.js';
export type { MassiveNewsQuery } from './history/news.js';
export type { MassiveChainQuery } from './history/optionChain.js';
export type { MassiveMarket } from './markets.js';
export { type MassiveConfig, type MassiveProvider, massive } from './massive.js';
export { MASSIVE_PACING, type MassivePlan } from './pacing.js';
