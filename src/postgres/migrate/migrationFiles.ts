import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { MigrationError } from './migrationError.js';

/** One numbered change of the store, as its file has it. */
export interface Migration {
  readonly version: number;
  /** The name of the file without its ending: `001_bars`. */
  readonly name: string;
  readonly sql: string;
  /** Of the text with plain line ends, so that a checkout with others is no change. */
  readonly checksum: string;
}

/** The build copies the files to the same place beside the compiled program. */
const FOLDER = new URL('./migrations/', import.meta.url);

const FILE = /^(\d{3})_[a-z0-9_]+\.sql$/;

/** The migrations that this program knows, by their numbers, which run from 1 without a gap. */
export function readMigrations(folder: URL = FOLDER): readonly Migration[] {
  const refuse = (message: string, cause?: unknown) =>
    new MigrationError('SLUICE_MIGRATION_FILES', message, cause === undefined ? {} : { cause });
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  } catch (error) {
    throw refuse(`the migrations are not where they belong, ${folder.pathname}: install the package anew`, error);
  }
  if (names.length === 0) throw refuse(`there are no migrations in ${folder.pathname}: install the package anew`);
  return names.sort().map((file, i) => {
    const number = FILE.exec(file)?.[1];
    if (Number(number) !== i + 1) {
      throw refuse(`migration ${i + 1} is missing or misnamed in ${folder.pathname}: found ${file} in its place`);
    }
    const sql = readFileSync(new URL(file, folder), 'utf8').replaceAll('\r\n', '\n');
    return {
      version: i + 1,
      name: file.slice(0, -'.sql'.length),
      sql,
      checksum: createHash('sha256').update(sql).digest('hex'),
    };
  });
}
