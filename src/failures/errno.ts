/** What a failure of the operating system means, and what can be done about it. */
export interface ErrnoSentence {
  readonly meaning: string;
  readonly remedy: string;
}

const SPACE = 'free some space';
const FOLDER_IS_FILE: ErrnoSentence = { meaning: 'a file stands where a folder should be', remedy: 'correct the path' };

/** The table of them for files and folders. */
const SENTENCES: Readonly<Record<string, ErrnoSentence>> = {
  EACCES: { meaning: 'permission denied', remedy: 'grant this user access' },
  EPERM: { meaning: 'permission denied', remedy: 'grant this user access' },
  EROFS: { meaning: 'its file system is read-only', remedy: 'mount it writable' },
  ENOSPC: { meaning: 'the disk is full', remedy: SPACE },
  EDQUOT: { meaning: 'the disk quota is used up', remedy: `${SPACE}, or raise the quota` },
  EFBIG: { meaning: 'the file is larger than its file system allows', remedy: 'begin a new file' },
  EIO: { meaning: 'the disk reports an input/output error', remedy: 'check the disk' },
  ENOENT: { meaning: 'it does not exist', remedy: 'correct the path' },
  EISDIR: { meaning: 'it is a folder', remedy: 'name a file in it' },
  ENOTDIR: FOLDER_IS_FILE,
  EEXIST: FOLDER_IS_FILE,
  ENAMETOOLONG: { meaning: 'its path is too long', remedy: 'choose a shorter one' },
  ELOOP: { meaning: 'its path has too many symbolic links', remedy: 'correct the path' },
  EMFILE: { meaning: 'this process has too many open files', remedy: 'raise the limit (ulimit -n)' },
  ENFILE: { meaning: 'the system has too many open files', remedy: 'raise its limit (fs.file-max)' },
  EBUSY: { meaning: 'it is in use', remedy: 'close what uses it' },
};

/** The same for what connects to a server, by the network or by a socket in a folder. */
const CONNECTING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOENT: 'no such socket',
  EACCES: 'no permission for the socket',
};

/** Why a server could not be reached; `undefined` if the error has no code that the table knows. */
export function socketFailure(error: unknown): string | undefined {
  return lookUp(CONNECTING, error);
}

/** The sentence for an error of Node's file system; `undefined` if the error has no code that the table knows. */
export function errnoSentence(error: unknown): ErrnoSentence | undefined {
  return lookUp(SENTENCES, error);
}

function lookUp<V>(table: Readonly<Record<string, V>>, error: unknown): V | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && Object.hasOwn(table, code) ? table[code] : undefined;
}

/** Meaning and remedy in one, for messages: `the disk is full; free some space`. Other errors say what they say. */
export function errnoText(error: unknown): string {
  const sentence = errnoSentence(error);
  return sentence ? `${sentence.meaning}; ${sentence.remedy}` : error instanceof Error ? error.message : String(error);
}
