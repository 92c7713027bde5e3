import { printable } from '../primitives/printable.js';

/** Another process, or another user in this one, has the folder. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
  readonly code = 'SLUICE_FOLDER_LOCKED';
  readonly folder: string;
  /** The id of the process that has it, if it told; another container may have a process of the same id. */
  readonly pid: number | undefined;
  /** For messages: `process 4711`, `process 1 on host worker-2`, `this process`. */
  readonly holder: string;
  /** What to do if the holder cannot be identified; otherwise empty. */
  readonly remedy: string;

  constructor(folder: string, { pid, holder, remedy }: Pick<FolderLockedError, 'pid' | 'holder' | 'remedy'>) {
    super(printable(`the folder ${folder} is in use by ${holder}${remedy && ` (${remedy})`}`));
    this.folder = folder;
    this.pid = pid;
    this.holder = holder;
    this.remedy = remedy;
  }
}

export function isFolderLockedError(error: unknown): error is FolderLockedError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FOLDER_LOCKED';
}
