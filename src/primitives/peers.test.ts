import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isMissingPackageError, loadPeers, PEER_VERSIONS } from './peers.js';

/** What Node says of a package that it does not find. */
function notFound(name: string, code = 'ERR_MODULE_NOT_FOUND'): () => Promise<never> {
  return () =>
    Promise.reject(
      Object.assign(new Error(`Cannot find package '${name}' imported from /app/node_modules/pg/x.js`), { code }),
    );
}

const use = { user: 'the store', remedy: 'give a databaseUrl' };

describe('loadPeers', () => {
  it('gives each module under its name', async () => {
    const loaded = await loadPeers(use, { pg: async () => ({ Pool: 1 }), '@electric-sql/pglite/fs': async () => 'fs' });
    expect(loaded).toEqual({ pg: { Pool: 1 }, '@electric-sql/pglite/fs': 'fs' });
  });

  it('says what to install and what else can be done, in one sentence', async () => {
    const loading = loadPeers(use, { pg: notFound('pg') });
    await expect(loading).rejects.toMatchObject({
      name: 'MissingPackageError',
      code: 'SLUICE_PACKAGE_MISSING',
      failureClass: 'fatal',
      packages: ['pg'],
      cause: { code: 'ERR_MODULE_NOT_FOUND' },
      message: 'the store needs the package pg, which is not installed: run "npm install pg@8", or give a databaseUrl',
    });
    await expect(loading).rejects.toSatisfy(isMissingPackageError);
  });

  it('names all that are missing at once, each of them once', async () => {
    const loading = loadPeers(
      { user: 'the store' },
      {
        '@electric-sql/pglite': notFound('@electric-sql/pglite'),
        '@electric-sql/pglite/node-postgres': notFound('@electric-sql/pglite'),
        '@stoqey/ib': async () => ({}),
        pg: notFound('pg', 'MODULE_NOT_FOUND'),
      },
    );
    await expect(loading).rejects.toThrow(
      /^the store needs the packages @electric-sql\/pglite and pg, which are not installed: run "npm install @electric-sql\/pglite@0\.5 pg@8"$/,
    );
  });

  it.each([
    ['what a package itself lacks', notFound('pg-types')],
    ['a package that fails to load', () => Promise.reject(new SyntaxError("Cannot find package 'pg'"))],
    ['what is no error', () => Promise.reject('pg')],
  ])('leaves as it is %s', async (_, load) => {
    const error = await load().catch((reason: unknown) => reason);
    await expect(loadPeers(use, { pg: load })).rejects.toStrictEqual(error);
  });
});

it('the versions are those of the manifest, which a shell takes without quotes', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    peerDependencies: Record<string, string>;
    peerDependenciesMeta: Record<string, { optional?: boolean }>;
  };
  const optional = Object.entries(manifest.peerDependencies).filter(([name]) => manifest.peerDependenciesMeta[name]);
  expect(Object.keys(PEER_VERSIONS).sort()).toEqual(optional.map(([name]) => name).sort());
  for (const [name, range] of optional) {
    expect(`${range.replace(/^\^/, '')}.`).toContain(`${PEER_VERSIONS[name as keyof typeof PEER_VERSIONS]}.`);
  }
});
