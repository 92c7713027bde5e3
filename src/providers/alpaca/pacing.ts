import type { PacingProfile } from '../../policies/pacingProfile.js';
import type { HistoryRange } from '../provider.js';

/** Requests for history of free plans, per minute and account. */
export const FREE_REQUESTS = 200;

/**
 * Requests for history: 200 per minute of a free plan, 1,000 or more of a paid one
 * (https://docs.alpaca.markets/docs/about-market-data-api, read 2026-01).
 */
export function alpacaPacing(requestsPerMinute = FREE_REQUESTS): PacingProfile<HistoryRange> {
  return { windows: [{ limit: requestsPerMinute, perMs: 60_000 }] };
}
