import type { ProviderPacing } from '../provider.js';

/**
 * - Messages: eight per second and address without a key (https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits),
 *   of which six are used.
 * - Requests of public market data: ten per second and address (https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api), of which eight
 *   are used.
 */
export const COINBASE_PACING = {
  messages: { windows: [{ limit: 6, perMs: 1_000 }] },
  requests: { windows: [{ limit: 8, perMs: 1_000 }] },
} satisfies ProviderPacing;
