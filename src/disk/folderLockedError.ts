/** Another process, or another user in this one, has a folder. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
  readonly code = 'SLUICE_FOLDER_LOCKED';
  readonly folder: string;
  /** The process that has it, where that is known. */
  readonly pid: number | undefined;
  /** `process 4711`, for messages. */
  readonly holder: string;
  /** What to do where there is no such process; empty where that cannot be. */
  readonly remedy: string;

  constructor(folder: string, pid: number | undefined, remedy = '') {
    const holder = pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `process ${pid}`;
    super(`the folder ${folder} is in use by ${holder}${remedy && ` (${remedy})`}`);
    this.folder = folder;
    this.pid = pid;
    this.holder = holder;
    this.remedy = remedy;
  }
}

export function isFolderLockedError(error: unknown): error is FolderLockedError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_FOLDER_LOCKED';
}
