import { statSync } from 'node:fs';
import { lockFolder } from '../folderLock.js';

/** What is open in a folder, for all its users in this process. */
export interface SharedFolder<U, R> {
  readonly key: string;
  readonly resource: R;
  readonly users: ReadonlySet<U>;
  /** Gives up one user's part; the last one closes the resource and unlocks the folder. */
  readonly leave: (user: U) => Promise<void>;
}

/**
 * Folders that several users in one process share, as the lock of a folder lets in one process: the first user opens what is in
 * the folder. Folders are told apart by device and inode, because one has many names.
 */
export class SharedFolders<U, R extends { close(): Promise<void> }> {
  readonly #folders = new Map<string, { readonly shared: SharedFolder<U, R>; readonly users: Set<U> }>();
  /** Opening and closing a folder waits for the opening or closing in progress there. */
  readonly #turns = new Map<string, Promise<unknown>>();

  /** Joins those who have a folder open, or opens it, holding its lock. */
  join(folder: string, user: U, open: (users: ReadonlySet<U>) => Promise<R>): Promise<SharedFolder<U, R>> {
    const { dev, ino } = statSync(folder);
    const key = `${dev}-${ino}`;
    return this.#inTurn(key, async () => {
      const known = this.#folders.get(key);
      if (known) {
        known.users.add(user);
        return known.shared;
      }
      const unlock = await lockFolder(folder);
      try {
        const users = new Set([user]);
        const resource = await open(users);
        const leave = (one: U) => this.#inTurn(key, () => this.#leave(key, one, unlock));
        const shared = { key, resource, users, leave };
        this.#folders.set(key, { shared, users });
        return shared;
      } catch (error) {
        await unlock();
        throw error;
      }
    });
  }

  async #leave(key: string, user: U, unlock: () => Promise<void>): Promise<void> {
    const known = this.#folders.get(key);
    if (!known?.users.has(user)) return;
    if (known.users.size === 1) {
      await known.shared.resource.close();
      this.#folders.delete(key);
      await unlock();
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
