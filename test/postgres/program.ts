import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { RunAs } from './binaries.js';

/** Postgres refuses to run as root: then as `postgres`, or as `nobody`. */
export function otherUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const passwd = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = passwd.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Postgres does not run as root, and there is no user postgres or nobody: run the tests as a user.');
}

/** Ends the shell that watches a server, and with it the server. */
export async function stopWatcher(watcher: ChildProcess): Promise<void> {
  if (watcher.exitCode !== null || watcher.signalCode !== null) return;
  watcher.ref();
  const exited = once(watcher, 'exit');
  watcher.stdin?.end();
  await exited;
}

/** A port of this machine that nobody listened on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}

/** Whether a server lets us in, as soon as it does. */
export async function answers(url: string, hasFailed: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 1200 && !hasFailed(); tries++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch {
      await sleep(25);
    } finally {
      await client.end().catch(() => {});
    }
  }
  return false;
}

/** A process that waits for nothing but this child may end. */
export function keepNobodyAlive(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stderr]) (stream as unknown as { unref(): void }).unref();
}

/** Resolves once the server has ended a connection that was open when it was told to end. */
export async function ended(url: string, tell: () => void): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  // Not once() of node:events: the error that comes before the end would be its result.
  const end = new Promise<void>((resolve) => client.once('end', () => resolve()));
  tell();
  await end;
}
