import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openStore, type Store } from '../../src/postgres/openStore.js';
import { createEmbeddedTemplate } from './embeddedTemplate.js';

/** Fills a folder, which does not exist yet, with a new database of PGlite. */
export async function embeddedFolder(folder: string): Promise<void> {
  const broker = process.env.SLUICE_TEST_BROKER;
  if (broker) {
    const response = await fetch(`${broker}/embedded`);
    const body = await response.text();
    if (!response.ok) throw new Error(body);
    cpSync((JSON.parse(body) as { folder: string }).folder, folder, { recursive: true });
    return;
  }
  const template = await createEmbeddedTemplate();
  cpSync(template.folder, folder, { recursive: true });
  template.remove();
}

/** An empty embedded store for the test file or `describe` that calls this, closed and removed after its last test. */
export function embeddedStore(): () => Store {
  let root: string;
  let store: Store | undefined;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sluice-pglite-'));
    await embeddedFolder(join(root, 'data'));
    store = await openStore({ folder: join(root, 'data') });
  }, 120_000);
  afterAll(async () => {
    await store?.close();
    rmSync(root, { recursive: true, force: true });
  }, 60_000);
  return () => {
    if (!store) throw new Error('embeddedStore() has its store from beforeAll on');
    return store;
  };
}
