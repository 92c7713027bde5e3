import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { answers, ended, freePort, keepNobodyAlive, otherUser, stopWatcher } from './program.js';

/** How to get it, where it is missing. */
export const PGBOUNCER_REMEDY = 'apt-get install -y --no-install-recommends pgbouncer';

export type PoolMode = 'session' | 'transaction' | 'statement';

export interface PgBouncerConfig {
  /** The connection string of a database on the server; its user and password are those that the pooler knows. */
  readonly databaseUrl: string;
  readonly mode: PoolMode;
  /** The most connections to the server. Default 4. */
  readonly poolSize?: number;
  /** Further settings of the section `[pgbouncer]`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The section `[databases]`. Default: every database of the server. */
  readonly databases?: string;
}

/** A PgBouncer on a free loopback port. It ends with this process, however that ends. */
export interface PgBouncer {
  /** The connection string with the address of the pooler. */
  url(databaseUrl: string): string;
  /** Ends it as a crash does, and starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the program is, or `undefined` if it is missing. Debian puts it where only root looks. */
export function pgBouncerProgram(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].filter((folder) => folder !== '');
  return folders
    .map((folder) => join(folder, 'pgbouncer'))
    .find((program) => spawnSync(program, ['--version'], { ...otherUser(), cwd: '/', stdio: 'ignore' }).status === 0);
}

/** Starts it again at each line of standard input, and ends it when that ends. */
const WATCH =
  '"$@" & pooler=$!; while read -r line; do kill -KILL $pooler; wait $pooler 2>/dev/null; "$@" & pooler=$!; done; ' +
  'kill -KILL $pooler 2>/dev/null; wait $pooler 2>/dev/null';

export async function startPgBouncer(config: PgBouncerConfig): Promise<PgBouncer> {
  const program = pgBouncerProgram();
  if (program === undefined) throw new Error(`No pgbouncer to test against: ${PGBOUNCER_REMEDY}`);
  const runAs = otherUser();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-'));
  chmodSync(folder, 0o755);
  const { username, password, hostname, port: serverPort } = new URL(config.databaseUrl);
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (runAs.uid !== undefined && runAs.gid !== undefined) chownSync(file, runAs.uid, runAs.gid);
    return file;
  };
  const quote = (text: string) => `"${decodeURIComponent(text).replaceAll('"', '""')}"`;
  const users = write('users', `${quote(username)} ${quote(password)}\n`);
  const port = await freePort();
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: password === '' ? 'trust' : 'scram-sha-256',
    auth_file: users,
    admin_users: decodeURIComponent(username),
    pool_mode: config.mode,
    default_pool_size: config.poolSize ?? 4,
    // A server that restarts is found again at once rather than after 15 s.
    server_login_retry: 0.1,
    log_connections: 0,
    log_disconnections: 0,
    ...config.settings,
  };
  const databases = config.databases ?? `* = host=${hostname} port=${serverPort}`;
  const ini = write(
    'pgbouncer.ini',
    `[databases]\n${databases}\n[pgbouncer]\n${Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join('')}`,
  );
  const watcher = spawn('sh', ['-c', WATCH, 'sh', program, '-q', ini], {
    ...runAs,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
    // An interrupt at the terminal is for this process, which then stops the pooler itself.
    detached: true,
  });
  let log = '';
  watcher.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4_000);
  });
  watcher.stdin.on('error', () => {});
  const url = (databaseUrl: string) => {
    const address = new URL(databaseUrl);
    address.hostname = '127.0.0.1';
    address.port = String(port);
    return address.toString();
  };
  const stop = async () => {
    await stopWatcher(watcher);
    rmSync(folder, { recursive: true, force: true });
  };
  // The pooler's own database, which needs no server.
  const console = new URL(url(config.databaseUrl));
  console.pathname = '/pgbouncer';
  const untilReady = async () => {
    if (await answers(console.toString(), () => watcher.exitCode !== null)) return;
    await stop();
    throw new Error(`PgBouncer does not answer:\n${log.trim()}`);
  };
  await untilReady();
  keepNobodyAlive(watcher);
  return {
    url,
    stop,
    async restart() {
      await ended(console.toString(), () => watcher.stdin.write('again\n'));
      await untilReady();
    },
  };
}
