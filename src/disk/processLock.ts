import { statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { lockFolder } from './folderLock.js';
import { FolderLockedError } from './folderLockedError.js';

/** How long the process that has the lock may take to say who it is, in milliseconds. */
const ANSWER_MS = 1_000;

/**
 * Keeps a second process out of a folder that is there. On Linux the lock is a socket in the abstract namespace, named after
 * device and inode: nobody but the kernel holds it, so that a process that is killed leaves nothing behind. Elsewhere it
 * is a file beside the folder. Resolves to how to unlock; rejects with a `FolderLockedError`.
 */
export async function lockForProcess(folder: string): Promise<() => Promise<void>> {
  if (process.platform !== 'linux') {
    const unlock = lockFolder(folder);
    return async () => unlock();
  }
  const { dev, ino } = statSync(folder);
  const name = `\0sluice/folder/${dev}-${ino}`;
  const server = createServer((socket) => {
    // Who hangs up at once is told nothing, and must not end this process; who stays must not keep it from ending.
    socket.on('error', () => {});
    socket.unref();
    socket.end(`${process.pid}\n`, () => socket.destroy());
  });
  try {
    await listen(server, name);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error;
    throw new FolderLockedError(folder, await holderOf(name));
  }
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: the workers of a cluster would otherwise share it.
    server.listen({ path: name, exclusive: true }, () => {
      server.off('error', reject);
      // A connection that cannot be taken (no descriptors left) takes nothing from the lock.
      server.on('error', () => {});
      resolve();
    });
  });
}

/** Asks the process that has the lock for its id. */
function holderOf(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket: Socket = connect(name);
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      const pid = Number(answer);
      resolve(Number.isSafeInteger(pid) && pid > 0 ? pid : undefined);
    };
    const timer = setTimeout(done, ANSWER_MS);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > 32) done();
    });
    socket.on('error', done);
    socket.on('close', done);
  });
}
