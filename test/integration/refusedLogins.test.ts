import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/postgres/openStore.js';
import { isStoreError } from '../../src/postgres/storeError.js';
import { type PostgresServer, startPostgres } from '../postgres/server.js';

/** Users of the server, each with the lines of pg_hba.conf that are for it. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  only_tls: ['hostssl all only_tls 127.0.0.1/32 scram-sha-256'],
  rejected: ['host all rejected 127.0.0.1/32 reject'],
  no_login: ['host all no_login 127.0.0.1/32 scram-sha-256'],
  no_connect: ['host all no_connect 127.0.0.1/32 scram-sha-256'],
  limited: ['host all limited 127.0.0.1/32 scram-sha-256'],
  by_password: ['host all by_password 127.0.0.1/32 scram-sha-256'],
};

describe.skipIf(process.env.TEST_DATABASE_URL !== undefined)('a login that a server refuses', () => {
  // Its own, for its pg_hba.conf is written anew.
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    for (const name of Object.keys(LINES)) await client.query(`CREATE ROLE ${name} LOGIN PASSWORD 'right'`);
    await client.query('ALTER ROLE no_login NOLOGIN; ALTER ROLE limited CONNECTION LIMIT 0');
    await client.query(
      'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO limited',
    );
    const lines = [...Object.values(LINES).flat(), 'host all sluice 127.0.0.1/32 scram-sha-256'];
    const { rows } = await client.query<{ hba_file: string }>('SHOW hba_file');
    await client.query(`COPY (SELECT unnest(ARRAY[${lines.map((line) => `'${line}'`).join(', ')}]))
      TO '${rows[0]!.hba_file}'`);
    await client.query('SELECT pg_reload_conf()');
    await client.end();
  }, 120_000);
  afterAll(() => server.stop(), 60_000);

  const refusal = async (user: string, password: string) => {
    const url = new URL(server.url);
    url.username = user;
    url.password = password;
    return openStore({ databaseUrl: url.toString() }).then(
      async (store) => {
        await store.close();
        throw new Error('the login was not refused');
      },
      (error: unknown) => error,
    );
  };

  it.each([
    ['without TLS, which pg_hba.conf wants', 'only_tls', 'SLUICE_STORE_LOGIN', 'sslmode=verify-full'],
    ['from this host', 'rejected', 'SLUICE_STORE_LOGIN', 'sslmode=verify-full'],
    ['of a user who may not log in', 'no_login', 'SLUICE_STORE_LOGIN', 'ALTER ROLE'],
    ['of a user whom pg_hba.conf does not have', 'nobody', 'SLUICE_STORE_LOGIN', 'pg_hba.conf'],
    ['of a user who may not use the database', 'no_connect', 'SLUICE_STORE_PERMISSION', 'GRANT CONNECT ON DATABASE'],
    ['with a wrong password', 'by_password', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
  ])('says why and what to do: %s', async (_what, user, code, remedy) => {
    const error = await refusal(user, code === 'SLUICE_STORE_PASSWORD' ? 'wrong' : 'right');
    expect(error).toMatchObject({ code, failureClass: 'fatal', message: expect.stringContaining(remedy) });
    expect(isStoreError(error) && error.message).not.toContain('right');
    if (code !== 'SLUICE_STORE_PASSWORD') expect(isStoreError(error) && error.message).not.toContain('and password');
  });

  it('is an outage where the user has as many connections as it may', async () => {
    expect(await refusal('limited', 'right')).toMatchObject({
      sqlState: '53300',
      failureClass: 'transient',
      message: expect.stringContaining('CONNECTION LIMIT'),
    });
  });
});
