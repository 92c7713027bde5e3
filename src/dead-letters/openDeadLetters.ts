import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { asyncScheduler, type SchedulerLike, throwError } from 'rxjs';
import { type Disk, nodeDisk } from '../disk/disk.js';
import {
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireText,
} from '../primitives/validate.js';
import { within } from '../primitives/within.js';
import { type DeadLetterHold, type DeadLetterQueue, holdOf, StoredQueue } from './deadLetterQueue.js';
import type { LetterProblem } from './letterStore.js';
import { explainFolder, type FolderUser, joinFolder, leaveFolder, type SharedFolder } from './sharedFolder.js';

export interface OpenDeadLettersConfig {
  /** The pipeline whose items these are, as letters name it. Not empty; there is no default. */
  readonly pipeline: string;
  /** From what size on a new segment is begun, in bytes. From 1,024, default 64 MiB. */
  readonly segmentBytes?: number;
  /** The longest letter, in bytes: longer ones are split when written, and damage when read. From 1,024, default 16 MiB. */
  readonly maxLetterBytes?: number;
  /** How often `onHold` is told at most, in milliseconds. From 0, default 10,000. */
  readonly holdLogEveryMs?: number;
  /** How long `close()` waits for letters under way, in milliseconds. From 0, default 5,000. */
  readonly closeTimeoutMs?: number;
  /** Told that the disk takes nothing and the items wait: at once, and then once a period. Default: nobody is. */
  readonly onHold?: (hold: DeadLetterHold) => void;
  /** Told of damage and of letters of an unknown version, once each. Default: nobody is; `stats()` counts them. */
  readonly onProblem?: (problem: LetterProblem) => void;
  /** The time that letters bear, in Unix epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** The clock and timers of waits for the disk. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The file system, for tests. Default that of Node. */
  readonly disk?: Disk;
}

const OWNER = 'openDeadLetters';

/**
 * Opens a folder of dead letters: where a pipeline puts the items that it has to give up, on disk, for a later replay.
 *
 * A folder belongs to one process at a time, which a lock holds that a crash leaves nothing of. Opened again in the same
 * process it is shared, as it was opened first; each one closes its own. Rejects with a `DeadLetterError` where another
 * process has it, or it cannot be written.
 *
 * @example
 * ```ts
 * import { openDeadLetters } from 'sluice/dead-letters';
 * import { batch, writeTo } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const deadLetters = await openDeadLetters<number>('.dlq', { pipeline: 'numbers' });
 * fromIterable([1, 2, 3])
 *   .pipe(batch({ size: 2 }), writeTo(memorySink<number>(), { deadLetters }))
 *   .subscribe({ complete: () => void deadLetters.close() });
 * ```
 */
export async function openDeadLetters<T>(folder: string, config: OpenDeadLettersConfig): Promise<DeadLetterQueue<T>> {
  requireText(OWNER, 'folder', folder);
  requireKnownOptions(OWNER, config, [
    'pipeline',
    'segmentBytes',
    'maxLetterBytes',
    'holdLogEveryMs',
    'closeTimeoutMs',
    'onHold',
    'onProblem',
    'now',
    'scheduler',
    'disk',
  ]);
  const { disk = nodeDisk, scheduler = asyncScheduler } = config;
  const pipeline = requireText(OWNER, 'pipeline', config.pipeline);
  const segmentBytes = requireInteger(OWNER, 'segmentBytes', config.segmentBytes ?? 64 << 20, 1_024);
  // A line is read into one piece of memory, and into one string, which ends before half a gigabyte.
  const maxLetterBytes = requireInteger(OWNER, 'maxLetterBytes', config.maxLetterBytes ?? 16 << 20, 1_024, 256 << 20);
  const holdLogEveryMs = requireDuration(OWNER, 'holdLogEveryMs', config.holdLogEveryMs ?? 10_000);
  const closeTimeoutMs = requireDuration(OWNER, 'closeTimeoutMs', config.closeTimeoutMs ?? 5_000);
  const now = requireFunction(OWNER, 'now', config.now ?? Date.now);
  const onHold = config.onHold && requireFunction(OWNER, 'onHold', config.onHold);
  const onProblem = config.onProblem && requireFunction(OWNER, 'onProblem', config.onProblem);

  let shared: SharedFolder | undefined;
  let lastTold = Number.NEGATIVE_INFINITY;
  const user: FolderUser = {
    onHold() {
      const hold = shared && holdOf(shared.store);
      const at = scheduler.now();
      if (!onHold || !hold || at - lastTold < holdLogEveryMs) return;
      lastTold = at;
      tell(() => onHold(hold));
    },
    onProblem(problem) {
      if (onProblem) tell(() => onProblem(problem));
    },
  };
  const wanted = resolve(folder);
  try {
    await disk.makeFolder(wanted);
    const settings = { disk, folder: realpathSync(wanted), segmentBytes, maxLetterBytes, scheduler, now };
    shared = await joinFolder(settings, user);
  } catch (error) {
    throw explainFolder(wanted, error);
  }
  const joined = shared;
  const close = async (pending: Iterable<Promise<unknown>>) => {
    await within(closeTimeoutMs, Promise.allSettled(pending), undefined, scheduler);
    await leaveFolder(joined, user);
  };
  return new StoredQueue<T>({ folder: joined.store.settings.folder, pipeline, shared: joined, now, close });
}

/** A listener that throws must not keep letters from the disk: its error goes where RxJS takes unhandled ones. */
function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    throwError(() => error).subscribe();
  }
}
