import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type BigIntStats, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createServer, type Server, Socket } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { codeOf, isMissing } from './disk.js';
import { flockFolder } from './flockFolder.js';
import { FolderLockedError } from './folderLockedError.js';
import { belongsTo, listensAs } from './lockUsers.js';

/**
 * Keeps every other process out of a folder that exists, and a second user in this process. Resolves to how to unlock;
 * rejects with a {@link FolderLockedError}.
 *
 * The kernel holds the lock: it is a listening socket, which ends with its process, however that ends. Nothing is concluded
 * from a process id, which two containers can have in common and which is reused. There are two sockets, because neither
 * reaches everywhere:
 *
 * - One by the name of the machine's own (a Linux abstract socket, a Windows pipe), made of device and inode. Binding it is
 *   atomic and tells the holder at once. Containers do not share these names.
 *   Any user can bind it, too: only a process of a user that may hold the folder keeps others out by it.
 * - One in the folder itself, which every container sees that mounts the folder, as the kernel finds it by its inode. Those of
 *   users that must not use the folder do not count.
 *
 * A socket in the folder stays there as a dead file when its process is killed. Replacing dead files under one name would be
 * a race, so each candidate has a name of its own, and the order of two steps excludes a second holder: a candidate first
 * puts its socket into the folder, and then looks for the living ones of others. Of two candidates at least one sees the
 * other. One that sees a holder, or a candidate of a lower name, gives up; one that sees only higher names waits for them
 * to give up. Dead files are removed by whoever finds them: a dead socket never comes to life again.
 *
 * A file system without sockets is locked by `flock` instead, by the program of that name. A disk that has no room for a socket
 * is refused, because the other kind of socket alone would let in another container.
 *
 * Not covered: hosts that share a folder over a network, such as by NFS, because a socket is known to its kernel only.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const stats = statSync(folder, { bigint: true });
  const guard = { isHeld: true };
  const machine = machineName(stats);
  const users = new Set([Number(stats.uid), process.getuid?.() ?? 0, 0]);
  const outer = machine === undefined ? undefined : await listenTo(machine, guard, folder, users);
  try {
    const inner = process.platform === 'win32' ? undefined : await hold(folder, users);
    return async () => {
      await inner?.();
      if (outer) await closed(outer);
    };
  } catch (error) {
    if (outer) await closed(outer);
    throw error;
  }
}

/** Tells this process from one of the same id; other copies of this module in it share the answer. */
function processKey(): string {
  const shared = globalThis as { [PROCESS_KEY]?: string };
  shared[PROCESS_KEY] ??= randomUUID();
  return shared[PROCESS_KEY];
}

const PROCESS_KEY = Symbol.for('sluice.disk.process');

/** How long a candidate waits for others to give up, and how long for an answer, in milliseconds. */
const MAX_WAIT_MS = 2_000;
const MAX_ANSWER_MS = 1_000;
const RETRY_MS = 10;

/** More than an answer takes: whoever goes on is no holder of ours. */
const MAX_ANSWER_LENGTH = 1_000;

/** What a holder or candidate says to whoever connects. */
interface Identity {
  readonly pid: number;
  readonly host: string | undefined;
  /** Tells two processes of one id apart. */
  readonly key: string | undefined;
  readonly isHeld: boolean;
}

function machineName({ dev, ino }: BigIntStats): string | undefined {
  if (process.platform === 'linux') return `\0sluice/folder/${dev}-${ino}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\sluice\\folder\\${dev}-${ino}` : undefined;
}

/** Resolves to `undefined` if the name is taken by someone who does not hold the folder by it. */
async function listenTo(
  name: string,
  state: Pick<Identity, 'isHeld'>,
  folder: string,
  users: ReadonlySet<number>,
): Promise<Server | undefined> {
  const deadline = performance.now() + MAX_WAIT_MS;
  for (;;) {
    try {
      return await listen(name, state);
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
    }
    const answer = await ask(name);
    const isEnding = answer === 'dead' || answer === 'gone' || answer === 'ending';
    if (!isEnding || performance.now() > deadline) {
      const isHeld = typeof answer === 'object' && (await listensAs(name, answer.pid, users));
      if (process.platform === 'win32' || isHeld) throw lockedBy(folder, answer);
      return undefined;
    }
    await setTimeout(RETRY_MS);
  }
}

/** What says that a file system has no sockets. */
const NO_SOCKETS = new Set<unknown>(['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EPERM']);

/** Holds the folder by a socket in it; resolves to how to release it. */
async function hold(folder: string, users: ReadonlySet<number>): Promise<() => Promise<void>> {
  const short = await shortPathOf(folder);
  const state = { isHeld: false };
  try {
    const { name, server } = await register(short.path, state);
    const release = async (): Promise<void> => {
      await rm(join(folder, name), { force: true });
      await closed(server);
    };
    try {
      await outlast(folder, short.path, name, users);
      state.isHeld = true;
      return release;
    } catch (error) {
      await release();
      throw error;
    }
  } catch (error) {
    if (!NO_SOCKETS.has(codeOf(error))) throw error;
    return flockFolder(folder);
  } finally {
    await short.release();
  }
}

const NAME = /^\.lock-[0-9a-f-]+$/;
const DRAFT = /^\.lock-[0-9a-f-]+\.new$/;

/** Puts a socket into the folder that listens from the moment it can be seen. */
async function register(folder: string, state: Pick<Identity, 'isHeld'>): Promise<{ name: string; server: Server }> {
  for (;;) {
    const name = `.lock-${randomUUID()}`;
    const draft = join(folder, `${name}.new`);
    const server = await listen(draft, state);
    try {
      await rename(draft, join(folder, name));
      return { name, server };
    } catch (error) {
      await closed(server);
      // Another one looked between bind and listen, and took it for dead.
      if (!isMissing(error)) throw error;
    }
  }
}

/** Resolves when no other socket in the folder lives. */
async function outlast(folder: string, short: string, own: string, users: ReadonlySet<number>): Promise<void> {
  const deadline = performance.now() + MAX_WAIT_MS;
  for (;;) {
    const files = await readdir(folder);
    if (!files.includes(own)) throw Object.assign(new Error(`${own} was removed from ${folder}`), { code: 'ENOENT' });
    let isAlone = true;
    for (const file of files) {
      if (file === own || !(NAME.test(file) || DRAFT.test(file))) continue;
      if (!(await belongsTo(users, join(folder, file)))) continue;
      const answer = await ask(join(short, file));
      if (answer === 'dead') await rm(join(folder, file), { force: true });
      if (answer === 'dead' || answer === 'gone' || DRAFT.test(file)) continue;
      isAlone = false;
      const mustYield = answer !== 'ending' && (answer === 'silent' || answer.isHeld || file < own);
      if (mustYield || performance.now() > deadline) throw lockedBy(folder, answer, join(folder, file));
    }
    if (isAlone) return;
    await setTimeout(RETRY_MS);
  }
}

async function listen(path: string, state: Pick<Identity, 'isHeld'>): Promise<Server> {
  const server = createServer((socket) => {
    // A peer that hangs up at once must not end this process, and one that stays must not keep it from ending.
    socket.on('error', () => {});
    socket.unref();
    const identity = [process.pid, hostname(), processKey(), state.isHeld ? 'holds' : 'tries'];
    socket.end(`${identity.join(' ')}\n`, () => socket.destroy());
  });
  // A connection that cannot be taken (no descriptors left) takes nothing from the lock.
  server.on('error', () => {});
  // A file is writable by all, so that every user can find out whether it lives.
  const mode = isAbsolute(path) && process.platform !== 'win32' ? { readableAll: true, writableAll: true } : {};
  // Exclusive, as the workers of a cluster would otherwise share it.
  server.listen({ path, exclusive: true, ...mode });
  await once(server, 'listening');
  server.unref();
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** `ending` is a listener that closes; `silent` one that does not answer, or that may not be asked. */
type Answer = Identity | 'dead' | 'gone' | 'ending' | 'silent';

const FAILURES: Readonly<Record<string, Answer>> = {
  ECONNREFUSED: 'dead',
  ENOENT: 'gone',
  ECONNRESET: 'ending',
  EPIPE: 'ending',
  ERR_STREAM_PREMATURE_CLOSE: 'ending',
};

/** Asks who listens there. */
async function ask(path: string): Promise<Answer> {
  let answer = '';
  try {
    const socket = new Socket({ signal: AbortSignal.timeout(MAX_ANSWER_MS) });
    for await (const text of socket.connect({ path }).setEncoding('utf8')) {
      answer += text;
      if (answer.length > MAX_ANSWER_LENGTH) break;
    }
    return identityIn(answer) ?? 'ending';
  } catch (error) {
    return FAILURES[String(codeOf(error))] ?? 'silent';
  }
}

/** Former versions say their process id only. */
function identityIn(answer: string): Identity | undefined {
  const [pid, host, key, state] = answer.trim().split(' ');
  return Number(pid) > 0 ? { pid: Number(pid), host, key, isHeld: state !== 'tries' } : undefined;
}

function lockedBy(folder: string, answer: Answer, file?: string): FolderLockedError {
  const identity = typeof answer === 'object' ? answer : undefined;
  const { pid, host = hostname(), key } = identity ?? {};
  const where = host === hostname() ? '' : ` on host ${host}`;
  const holder =
    pid === undefined ? 'another process' : key === processKey() ? 'this process' : `process ${pid}${where}`;
  const remedy = identity || file === undefined ? '' : `if no process uses it any more, delete ${file}`;
  return new FolderLockedError(folder, { pid, holder, remedy });
}

/** The longest path of a folder with room for a socket's name: systems allow about 104 bytes for both. */
const MAX_FOLDER_BYTES = 50;

/** The folder by a path that is short enough for a socket. */
async function shortPathOf(folder: string): Promise<{ readonly path: string; readonly release: () => Promise<void> }> {
  if (Buffer.byteLength(folder) <= MAX_FOLDER_BYTES) return { path: folder, release: async () => {} };
  if (existsSync('/proc/self/fd')) {
    const fd = openSync(folder, 'r');
    return { path: `/proc/self/fd/${fd}`, release: async () => closeSync(fd) };
  }
  const holder = await mkdtemp(join(Buffer.byteLength(tmpdir()) <= MAX_FOLDER_BYTES ? tmpdir() : '/tmp', 'sl-'));
  const path = join(holder, 'f');
  await symlink(folder, path);
  return { path, release: () => rm(holder, { recursive: true, force: true }) };
}
