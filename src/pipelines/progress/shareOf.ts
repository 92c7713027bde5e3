import type { Account } from '../../flow/account.js';
import type { Stage } from '../../flow/stage.js';

/** What is shown at most while a source has not ended. */
const ALMOST = 0.99;

/**
 * How much of all there is has been settled, from 0 to 1; `undefined` where a source does not know how much there is, or there is
 * none of Sluice's. Sources that count in one unit are added up; those that count in several weigh the same.
 *
 * A source knows what it has handed on. What is still held of that is not done.
 */
export function shareOf(stages: readonly Stage[], { received, held }: Account): number | undefined {
  const done: Record<string, number> = {};
  const total: Record<string, number> = {};
  for (const stage of stages) {
    if (stage.role !== 'source') continue;
    const { progress } = stage;
    if (!progress || !(progress.total >= 0) || !(progress.done >= 0)) return undefined;
    const { unit } = progress;
    done[unit] = (done[unit] ?? 0) + Math.min(progress.done, progress.total);
    total[unit] = (total[unit] ?? 0) + progress.total;
  }
  const units = Object.keys(total);
  if (units.length === 0) return undefined;
  // Nothing of nothing is all of it.
  const shares = units.map((unit) => (total[unit] === 0 ? 1 : done[unit]! / total[unit]!));
  const share = shares.reduce((sum, one) => sum + one, 0) / units.length;
  const settled = received > 0 ? share * ((received - held) / received) : share;
  // A file may have been read to its end before its last rows are emitted.
  return stages.some(({ role, isLive }) => role === 'source' && isLive) ? Math.min(settled, ALMOST) : settled;
}
