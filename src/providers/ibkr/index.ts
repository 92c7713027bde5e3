/** Interactive Brokers, over the client `@stoqey/ib`, an optional peer. */
export type { WhatToShow } from './barSizes.js';
export type { IbkrConfig } from './config.js';
export type { IbkrContract, SecurityType } from './contracts.js';
export { ibkr } from './ibkr.js';
export { type IbkrRequestCost, ibkrPacer } from './pacing.js';
