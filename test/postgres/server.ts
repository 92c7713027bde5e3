import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Binaries, findBinaries, type RunAs } from './binaries.js';
import { answers, ended, freePort, keepNobodyAlive, otherUser, stopWatcher } from './program.js';

export interface StartOptions {
  /**
   * Run the server with its own defaults (`fsync` and `synchronous_commit` on): for measurements. Default false: it
   * never waits for the disk, and a crash of the machine would lose its data, which nobody keeps anyway.
   */
  readonly durable?: boolean;
}

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  drop(): Promise<void>;
}

export interface PostgresServer {
  /** Where the server comes from and its version, for the head of a measurement. */
  readonly description: string;
  /** The maintenance database. */
  readonly url: string;
  /** Creates an empty database. */
  database(): Promise<TestDatabase>;
  /**
   * Ends the server, in good order (`fast`) or as a crash does (`immediate`), and starts it again on the same port with the
   * same data. What was committed without `synchronous_commit` may be gone. Absent for one that `TEST_DATABASE_URL` names.
   */
  restart?(how: 'fast' | 'immediate'): Promise<void>;
  /** Stops the server and removes its files; one that `TEST_DATABASE_URL` names is left alone. */
  stop(): Promise<void>;
}

/**
 * A real Postgres server on a free loopback port, with its data in a temporary folder; or the one that
 * `TEST_DATABASE_URL` names. It ends with this process, however that ends.
 */
export async function startPostgres(options: StartOptions = {}): Promise<PostgresServer> {
  const external = process.env.TEST_DATABASE_URL;
  if (external) {
    return serverAt(external, 'TEST_DATABASE_URL', async () => {});
  }
  if (process.platform === 'win32') {
    throw new Error('On Windows the tests do not start a Postgres server: set TEST_DATABASE_URL to one.');
  }
  const runAs = otherUser();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-'));
  chmodSync(folder, 0o755);
  try {
    const binaries = findBinaries(runAs, folder);
    return await launch({ binaries, runAs, folder, durable: options.durable ?? false });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function initialise({ folder: bin }: Binaries, runAs: RunAs, folder: string, password: string): string {
  const data = mkdtempSync(join(folder, 'data-'));
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (runAs.uid !== undefined && runAs.gid !== undefined) {
    chownSync(data, runAs.uid, runAs.gid);
    chownSync(passwordFile, runAs.uid, runAs.gid);
  }
  const initdb = spawnSync(
    join(bin, 'initdb'),
    [
      ...['-D', data, '-U', 'sluice', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions'],
    ],
    { ...runAs, cwd: '/', encoding: 'utf8' },
  );
  rmSync(passwordFile, { force: true });
  if (initdb.status !== 0) {
    throw new Error(`initdb of ${bin} failed: ${initdb.error?.message ?? initdb.stderr.trim()}`);
  }
  return data;
}

interface Launch {
  readonly binaries: Binaries;
  readonly runAs: RunAs;
  readonly folder: string;
  readonly durable: boolean;
}

/**
 * Ends the server, and removes its data, when standard input ends: when it is told to stop, or when this process has
 * gone. Each line of input names a signal to end the server with, and to start it again. The first argument is the folder
 * of the data.
 */
const WATCH =
  'data=$1; shift; "$@" & server=$!; ' +
  'while read -r signal; do kill -"$signal" $server 2>/dev/null; wait $server; "$@" & server=$!; done; ' +
  'kill -QUIT $server 2>/dev/null; wait $server; rm -rf "$data" 2>/dev/null';

const SIGNALS = { fast: 'INT', immediate: 'QUIT' } as const;

/** What the server says as its last; that it is still starting up it says to those who come too early. */
const DEAD = /FATAL: {2}(?!the database system is starting up)/;

const NOT_DURABLE = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];

async function launch({ binaries, runAs, folder, durable }: Launch): Promise<PostgresServer> {
  // Between finding a free port and taking it someone else may take it.
  for (let tries = 1; ; tries++) {
    const password = randomBytes(12).toString('hex');
    const data = initialise(binaries, runAs, folder, password);
    const port = await freePort();
    const args = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    const program = join(binaries.folder, 'postgres');
    const watcher = spawn('sh', ['-c', WATCH, 'sh', data, program, ...args, ...(durable ? [] : NOT_DURABLE)], {
      ...runAs,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
      // An interrupt at the terminal is for this process, which then stops the server itself.
      detached: true,
    });
    let log = '';
    watcher.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4000);
    });
    watcher.stdin.on('error', () => {});
    const url = `postgres://sluice:${password}@127.0.0.1:${port}/postgres`;
    const stop = async () => {
      await stopWatcher(watcher);
      rmSync(folder, { recursive: true, force: true });
    };
    if (await answers(url, () => watcher.exitCode !== null || DEAD.test(log))) {
      keepNobodyAlive(watcher);
      const server = await serverAt(url, binaries.origin, stop);
      return {
        ...server,
        async restart(how) {
          await ended(url, () => watcher.stdin.write(`${SIGNALS[how]}\n`));
          if (!(await answers(url, () => watcher.exitCode !== null))) {
            throw new Error(`The Postgres server did not come back:\n${log.trim()}`);
          }
        },
      };
    }
    await stopWatcher(watcher);
    if (tries === 5 || !/could not bind|could not create any TCP/.test(log)) {
      throw new Error(`The Postgres server of ${binaries.folder} did not start:\n${log.trim()}`);
    }
  }
}

async function serverAt(url: string, origin: string, stop: () => Promise<void>): Promise<PostgresServer> {
  const run = async (text: string): Promise<string> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<Record<string, string>>(text);
      return Object.values(rows[0] ?? {})[0] ?? '';
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message || (cause as { code?: string }).code : String(cause);
      throw new Error(`The test server of ${origin} failed at ${JSON.stringify(text)}: ${reason}`, { cause });
    } finally {
      await client.end().catch(() => {});
    }
  };
  const version = await run('SHOW server_version');
  return {
    description: `Postgres ${version} (${origin})`,
    url,
    async database() {
      const name = `sluice_test_${randomBytes(6).toString('hex')}`;
      await run(`CREATE DATABASE ${name} TEMPLATE template0`);
      const address = new URL(url);
      address.pathname = `/${name}`;
      const drop = async () => {
        await run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      };
      return { name, url: address.toString(), drop };
    },
    stop,
  };
}
