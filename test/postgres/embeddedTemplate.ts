import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A new database of PGlite in a folder, made by a process of its own, because that blocks the event loop for seconds. */
export interface EmbeddedTemplate {
  readonly folder: string;
  remove(): void;
}

const CREATE = `
  import { PGlite } from '@electric-sql/pglite';
  const database = await PGlite.create({ dataDir: process.argv[1] });
  await database.close();
`;

/** Creating a database takes ten times as long as copying one: tests that need any copy this one. */
export async function createEmbeddedTemplate(): Promise<EmbeddedTemplate> {
  const root = mkdtempSync(join(tmpdir(), 'sluice-embedded-'));
  const folder = join(root, 'template');
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', CREATE, folder]);
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}
