import type { PacingProfile } from '../../policies/pacingProfile.js';
import type { HistoryRange } from '../provider.js';

export type MassivePlan = 'free' | 'paid';

/**
 * Requests for history. Free plans have five per minute; paid ones have no limit, and the vendor asks to stay below 100 per second
 * (https://massive.com/knowledge-base/article/what-is-the-request-limit-for-massives-restful-apis).
 */
export const MASSIVE_PACING: Readonly<Record<MassivePlan, PacingProfile<HistoryRange>>> = {
  free: { windows: [{ limit: 5, perMs: 60_000 }] },
  paid: { windows: [{ limit: 90, perMs: 1_000 }] },
};

/** A window of the vendor's limit, in milliseconds: how long to wait after a 429 that names no time. */
export const WINDOW_MS = 60_000;
