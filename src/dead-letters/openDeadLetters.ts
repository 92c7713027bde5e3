import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asyncScheduler, type SchedulerLike, throwError } from 'rxjs';
import { codeOf, type Disk, nodeDisk, requireNoLink, withUnsyncedFolders } from '../disk/disk.js';
import { isFolderLockedError } from '../disk/folderLockedError.js';
import { SharedFolders } from '../disk/log/sharedFolders.js';
import { errnoText } from '../failures/errno.js';
import {
  duration,
  func,
  having,
  integer,
  type OptionsOf,
  type Read,
  readArgument,
  readOptions,
  text,
} from '../primitives/options.js';
import { folderPath } from '../primitives/unexpandedPath.js';
import { DeadLetterError } from './deadLetterError.js';
import { type DeadLetterHold, type DeadLetterQueue, holdOf, StoredQueue } from './deadLetterQueue.js';
import { folderOf, LetterLog, type LetterLogConfig, type LetterProblem } from './letterLog.js';
import { MAX_LETTER_BYTES } from './readDeadLetters.js';

export interface OpenDeadLettersConfig {
  /** The pipeline whose items these are, as letters name it. Not empty; there is no default. */
  readonly pipeline: string;
  /** The size from which on a new segment is begun, in bytes. Integer of at least 1,024, default 64 MiB. */
  readonly segmentBytes?: number;
  /**
   * The longest letter, in bytes: a longer one is split when written, and damage when read. Integer from 1,024 to 256 MiB,
   * default 16 MiB.
   */
  readonly maxLetterBytes?: number;
  /** The shortest time between two calls of `onHold`, in milliseconds. At least 0, default 10,000. */
  readonly holdLogEveryMs?: number;
  /** How long `close()` waits for letters in flight, in milliseconds. At least 0, default 5,000. */
  readonly closeTimeoutMs?: number;
  /** Called while the disk accepts no data and items wait: immediately, and then once per `holdLogEveryMs`. */
  readonly onHold?: (hold: DeadLetterHold) => void;
  /** Called once for each damaged part and each segment with letters of an unknown version. Without it, `stats()` counts them. */
  readonly onProblem?: (problem: LetterProblem) => void;
  /** The wall clock for the time of letters, in Unix epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** The clock and timers for waits for the disk. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The file system, for tests. Default: Node's. */
  readonly disk?: Disk;
}

const OWNER = 'openDeadLetters';

const OPTIONS = {
  pipeline: text().required(),
  segmentBytes: integer({ min: 1_024 }).default(64 << 20),
  // A line is read into one string, which ends before half a gigabyte.
  maxLetterBytes: integer({ min: 1_024, max: MAX_LETTER_BYTES }).default(16 << 20),
  holdLogEveryMs: duration().default(10_000),
  closeTimeoutMs: duration().default(5_000),
  onHold: func(),
  onProblem: func(),
  now: func().default(Date.now),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  disk: having('open', 'makeFolder').default(nodeDisk),
} satisfies OptionsOf<OpenDeadLettersConfig>;

/** What a user of a folder is called for. */
type FolderUser = Pick<LetterLogConfig, 'onHold' | 'onProblem'>;

/** For all that have a folder open in this process. */
const folders = new SharedFolders<FolderUser, LetterLog>();

/**
 * Opens a folder of dead letters: a pipeline puts the items there that it has to give up, on disk, for a later replay.
 *
 * A folder belongs to one process at a time. The kernel holds its lock, so that a crash leaves nothing locked. Opened again in
 * the same process it is shared, with the settings of the first time; each user closes its own. Rejects with a
 * `DeadLetterError` if another process has the folder, or it cannot be written.
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
  const wanted = resolve(readArgument(OWNER, 'folder', folder, folderPath()));
  const settings = readOptions(OWNER, config, OPTIONS);
  const { pipeline, closeTimeoutMs, disk, scheduler, now } = settings;
  let open: LetterLog | undefined;
  const user = userOf(settings, () => open && holdOf(open));
  try {
    await disk.makeFolder(wanted);
    const real = realpathSync(wanted);
    const { segmentBytes, maxLetterBytes: maxEntryBytes } = settings;
    const shared = await folders.join(real, user, (users) =>
      openLog({ disk, folder: real, segmentBytes, maxEntryBytes, scheduler, now }, users),
    );
    open = shared.resource;
    return new StoredQueue<T>({ pipeline, shared, now, closeTimeoutMs });
  } catch (error) {
    throw explainFolder(wanted, error);
  }
}

async function openLog(
  config: Omit<LetterLogConfig, 'format' | 'onHold' | 'onProblem'>,
  users: ReadonlySet<FolderUser>,
): Promise<LetterLog> {
  // Loaded only where letters are read, as it checks them with Effect's Schema, which is large.
  const { LetterFormat } = await import('./letterFormat.js');
  const log = new LetterLog({
    ...config,
    disk: withUnsyncedFolders(config.disk, (folder, code) => {
      for (const user of users) user.onProblem({ kind: 'unsyncedFolder', folder, code });
    }),
    format: new LetterFormat(),
    onHold: () => users.forEach((user) => void user.onHold?.()),
    onProblem: (problem) => users.forEach((user) => void user.onProblem(problem)),
  });
  for (const inner of [folderOf(config.folder, 'parked'), join(config.folder, 'quarantine')])
    await requireNoLink(inner);
  await log.load();
  return log;
}

function userOf(
  settings: Read<OpenDeadLettersConfig, typeof OPTIONS>,
  holding: () => DeadLetterHold | undefined,
): FolderUser {
  const { onHold, onProblem, holdLogEveryMs, scheduler } = settings;
  let lastTold = Number.NEGATIVE_INFINITY;
  return {
    onHold() {
      const hold = holding();
      const at = scheduler.now();
      if (!onHold || !hold || at - lastTold < holdLogEveryMs) return;
      lastTold = at;
      call(() => onHold(hold));
    },
    onProblem(problem) {
      if (onProblem) call(() => onProblem(problem));
      else if (problem.kind === 'unsyncedFolder') process.emitWarning(unsyncedText(problem.folder, problem.code));
    },
  };
}

/** For people: what it means that a folder cannot be synced. */
export function unsyncedText(folder: string, code: string): string {
  return (
    `the file system of ${folder} cannot sync folders (${code}): new files may be gone after a crash of the machine; ` +
    'a crash of the process loses nothing'
  );
}

/** A listener that throws must not keep letters from the disk: RxJS reports its error as unhandled. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    throwError(() => error).subscribe();
  }
}

/** Says what keeps a folder from being opened, and what to do. */
function explainFolder(folder: string, error: unknown): unknown {
  if (isFolderLockedError(error)) {
    const remedy = error.remedy && ` (${error.remedy})`;
    return new DeadLetterError(
      'SLUICE_DEAD_LETTERS_LOCKED',
      `the dead letters in ${folder} are in use by ${error.holder}: stop that one first, or choose another folder${remedy}`,
      { cause: error },
    );
  }
  if (typeof codeOf(error) !== 'string') return error;
  return new DeadLetterError(
    'SLUICE_DEAD_LETTERS_FOLDER',
    `cannot keep dead letters in ${folder}: ${errnoText(error)}, or choose another folder`,
    { cause: error },
  );
}
