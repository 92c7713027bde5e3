import { statSync } from 'node:fs';
import { lockFolder } from '../folderLock.js';

/** One user's part in an open folder. */
export interface SharedFolder<R> {
  readonly resource: R;
  /** Gives up this part; the last one closes the resource and unlocks the folder. */
  readonly leave: () => Promise<void>;
}

/**
 * Folders that several users in one process share, as the lock of a folder lets in one process: the first user opens what is in
 * the folder. Folders are told apart by device and inode, because one has many names.
 */
export class SharedFolders<U, R extends { close(): Promise<void> }> {
  readonly #folders = new Map<string, { readonly resource: R; readonly users: Set<U>; unlock(): Promise<void> }>();
  /** Opening and closing a folder waits for the opening or closing in progress there. */
  readonly #turns = new Map<string, Promise<unknown>>();

  /** Joins those who have a folder open, or opens it, holding its lock. */
  join(folder: string, user: U, open: (users: ReadonlySet<U>) => Promise<R>): Promise<SharedFolder<R>> {
    const { dev, ino } = statSync(folder);
    const key = `${dev}-${ino}`;
    return this.#inTurn(key, async () => {
      let known = this.#folders.get(key);
      if (!known) {
        const unlock = await lockFolder(folder);
        const users = new Set([user]);
        try {
          known = { resource: await open(users), users, unlock };
        } catch (error) {
          await unlock();
          throw error;
        }
        this.#folders.set(key, known);
      }
      known.users.add(user);
      return { resource: known.resource, leave: () => this.#inTurn(key, () => this.#leave(key, user)) };
    });
  }

  async #leave(key: string, user: U): Promise<void> {
    const known = this.#folders.get(key);
    if (!known?.users.has(user)) return;
    if (known.users.size === 1) {
      await known.resource.close();
      this.#folders.delete(key);
      await known.unlock();
    }
    known.users.delete(user);
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work, work);
    this.#turns.set(key, turn);
    const end = (): void => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    };
    turn.then(end, end);
    return turn;
  }
}
