import { statSync } from 'node:fs';
import { lockFolder } from '../disk/folderLock.js';
import { isFolderLockedError } from '../disk/folderLockedError.js';
import { errnoText } from '../failures/errno.js';
import { DeadLetterError } from './deadLetterError.js';
import { Counter, type SharedStore } from './deadLetterQueue.js';
import { type LetterProblem, LetterStore, type StoreSettings } from './letterStore.js';

/** One of those who have a folder open. */
export interface FolderUser {
  readonly onHold: () => void;
  readonly onProblem: (problem: LetterProblem) => void;
}

/** A folder that is open in this process, for all who have opened it. */
export interface SharedFolder extends SharedStore {
  readonly key: string;
  readonly users: Set<FolderUser>;
  readonly unlock: () => Promise<void>;
}

/** By device and inode: a folder has many names. */
const folders = new Map<string, SharedFolder>();
/** Who opens or closes a folder waits for those who are at it. */
const turns = new Map<string, Promise<unknown>>();

function inTurn<R>(key: string, work: () => Promise<R>): Promise<R> {
  const turn = (turns.get(key) ?? Promise.resolve()).then(work, work);
  turns.set(key, turn);
  const end = () => {
    if (turns.get(key) === turn) turns.delete(key);
  };
  turn.then(end, end);
  return turn;
}

/** Opens a folder that is there, or joins those who have it open. */
export function joinFolder(
  settings: Omit<StoreSettings, 'onHold' | 'onProblem'>,
  user: FolderUser,
): Promise<SharedFolder> {
  const { folder } = settings;
  const { dev, ino } = statSync(folder);
  const key = `${dev}-${ino}`;
  return inTurn(key, async () => {
    const open = folders.get(key);
    if (open) {
      open.users.add(user);
      return open;
    }
    const unlock = await lockFolder(folder);
    try {
      const users = new Set([user]);
      const store = new LetterStore({
        ...settings,
        onHold: () => users.forEach((one) => void one.onHold()),
        onProblem: (problem) => users.forEach((one) => void one.onProblem(problem)),
      });
      await store.load();
      const counters = { appended: new Counter(), replayed: new Counter(), purged: new Counter() };
      const opened = { key, users, unlock, store, counters };
      folders.set(key, opened);
      return opened;
    } catch (error) {
      await unlock();
      throw error;
    }
  });
}

/** The last one to leave closes the folder; what is not durable by then fails. */
export function leaveFolder(folder: SharedFolder, user: FolderUser): Promise<void> {
  return inTurn(folder.key, async () => {
    if (folder.users.size > 1 || !folder.users.has(user)) {
      folder.users.delete(user);
      return;
    }
    const { store } = folder;
    await store.close(() => lateness(store));
    folder.users.delete(user);
    folders.delete(folder.key);
    await folder.unlock();
  });
}

function lateness({ waiting, hold, settings }: LetterStore): DeadLetterError {
  if (waiting.letters === 0) {
    return new DeadLetterError('SLUICE_DEAD_LETTERS_CLOSED', `the dead letters in ${settings.folder} are closed`);
  }
  const why = hold ? `: ${errnoText(hold.error)}` : '';
  return new DeadLetterError(
    'SLUICE_DEAD_LETTERS_CLOSED',
    `the dead letters in ${settings.folder} were closed before ${waiting.items} items were on the disk${why}`,
    hold ? { cause: hold.error } : {},
  );
}

/** What keeps a folder from being opened, said to a person. */
export function explainFolder(folder: string, error: unknown): unknown {
  if (isFolderLockedError(error)) {
    const remedy = error.remedy && ` (${error.remedy})`;
    return new DeadLetterError(
      'SLUICE_DEAD_LETTERS_LOCKED',
      `the dead letters in ${folder} are in use by ${error.holder}: stop that one first, or choose another folder${remedy}`,
      { cause: error },
    );
  }
  if (typeof (error as { code?: unknown } | null)?.code !== 'string') return error;
  return new DeadLetterError(
    'SLUICE_DEAD_LETTERS_FOLDER',
    `cannot keep dead letters in ${folder}: ${errnoText(error)}, or choose another folder`,
    { cause: error },
  );
}
