import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/postgres/openStore.js';
import { type PostgresServer, startPostgres } from '../postgres/server.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A server of its own, because TLS is a setting of a whole server. */
describe.skipIf(!hasOpenssl || process.env.TEST_DATABASE_URL)('a store over TLS with a private authority', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
  const certificate = join(folder, 'ca.pem');
  let server: PostgresServer;
  let direct: pg.Client;
  const url = (parameters: string, host = 'localhost') => {
    const place = new URL(server.url);
    place.hostname = host;
    return `${place}?${parameters}`;
  };

  beforeAll(async () => {
    server = await startPostgres();
    direct = new pg.Client({ connectionString: server.url });
    await direct.connect();
    const { rows } = await direct.query<{ data: string }>("SELECT current_setting('data_directory') AS data");
    const data = rows[0]!.data;
    const key = join(data, 'server.key');
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ]);
    expect(made.status).toBe(0);
    const { uid, gid } = statSync(data);
    chmodSync(key, 0o600);
    chownSync(key, uid, gid);
    chmodSync(folder, 0o755);
    chmodSync(certificate, 0o644);
    await direct.query(`ALTER SYSTEM SET ssl_cert_file = '${certificate}'`);
    await direct.query('ALTER SYSTEM SET ssl = on');
    await direct.query('SELECT pg_reload_conf()');
    let isOn = false;
    while (!isOn) isOn = (await direct.query<{ ssl: string }>('SHOW ssl')).rows[0]?.ssl === 'on';
  }, 120_000);
  afterAll(async () => {
    await direct.end();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it.each(['require', 'prefer', 'verify-ca', 'verify-full'])('is told with three ways: sslmode=%s', async (mode) => {
    await expect(openStore({ databaseUrl: url(`sslmode=${mode}`) })).rejects.toMatchObject({
      code: 'SLUICE_STORE_UNREACHABLE',
      message: expect.stringMatching(/over TLS .*sslrootcert=.*sslmode=no-verify.*sslmode=disable/),
    });
  });

  it('is reported where the name is another', async () => {
    const databaseUrl = url(`sslmode=verify-full&sslrootcert=${certificate}`, '127.0.0.1');
    await expect(openStore({ databaseUrl })).rejects.toThrow(/over TLS .*correct the host/);
  });

  it.each<[string, () => string, boolean]>([
    ['sslrootcert', () => url(`sslmode=verify-full&sslrootcert=${certificate}`), true],
    ['no-verify', () => url('sslmode=no-verify'), true],
    [
      'verify-ca as libpq means it',
      () => url(`uselibpqcompat=true&sslmode=verify-ca&sslrootcert=${certificate}`, '127.0.0.1'),
      true,
    ],
    ['disable', () => url('sslmode=disable'), false],
  ])('is opened in each of these ways, and cancels what nobody waits for: %s', async (_, of, isEncrypted) => {
    const store = await openStore({ databaseUrl: of(), closeTimeoutMs: 50 });
    const { rows } = await store.pool.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    expect(rows[0]?.ssl).toBe(isEncrypted);
    await store.check();
    const sleeping = store.pool.query('SELECT pg_sleep(600)').catch((error: unknown) => error);
    const running = async () =>
      (await direct.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'"))
        .rowCount;
    await expect.poll(running).toBe(1);
    await store.close();
    expect(await sleeping).toBeInstanceOf(Error);
    await expect.poll(running).toBe(0);
  });
});
