import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { connectionStringProblem, NO_CONNECTION_STRING } from './connectionString.js';

/** How the driver reads it. */
function read(text: string) {
  const { user, password, host, port, database } = new pg.Client({ connectionString: text });
  return { user, password, host, port, database };
}

describe('whatever the driver takes as an address is taken', () => {
  it.each([
    ['postgres://me:pw@db.example:5433/bars', { user: 'me', password: 'pw', host: 'db.example', port: 5433 }],
    ['postgresql://db.example/bars?sslmode=require', { host: 'db.example', database: 'bars' }],
    ['POSTGRES://me@db.example', { user: 'me', host: 'db.example' }],
    ['postgres://me:pw@10.0.0.7/bars', { host: '10.0.0.7' }],
    ['postgres://me:pw@[::1]:5433/bars', { host: '::1', port: 5433 }],
    ['postgres://db_1.example/bars', { host: 'db_1.example' }],
    // Sockets.
    ['postgres:///bars?host=/var/run/postgresql', { host: '/var/run/postgresql', database: 'bars' }],
    ['postgres://me:pw@/bars?host=/var/run/postgresql', { user: 'me', host: '/var/run/postgresql', database: 'bars' }],
    ['postgres://me:pw@localhost/bars?host=/run/x&port=5433', { host: '/run/x', port: 5433 }],
    ['postgres://me:pw@%2Fvar%2Frun%2Fpostgresql/bars', { host: '/var/run/postgresql', database: 'bars' }],
    ['socket:/var/run/postgresql?db=bars', { host: '/var/run/postgresql', database: 'bars' }],
    ['socket://me:pw@/var/run/postgresql?db=bars', { user: 'me', host: '/var/run/postgresql' }],
    ['/var/run/postgresql bars', { host: '/var/run/postgresql', database: 'bars' }],
    ['/var/run/postgresql', { host: '/var/run/postgresql' }],
    // An empty host is that of the environment, or this machine.
    ['postgres:///bars', { database: 'bars' }],
    ['postgres://me:pw@/bars', { user: 'me', password: 'pw', database: 'bars' }],
    ['postgres://', {}],
    // As parameters.
    ['postgres:///bars?user=me&password=p@ss&host=db.example', { user: 'me', password: 'p@ss', host: 'db.example' }],
    ['postgres://db.example/bars?user=me@tenant', { user: 'me@tenant' }],
    ['postgres:///bars?host=::1', { host: '::1' }],
    ['postgres:///bars?host=fe80::1%25eth0', { host: 'fe80::1%eth0' }],
    // Passwords that are not escaped, and cannot be misunderstood.
    ['postgres://me:p@ss@db.example/bars', { user: 'me', password: 'p@ss', host: 'db.example' }],
    ['postgres://me:p:ss@db.example/bars', { password: 'p:ss' }],
    ['postgres://me:50%off@db.example/bars', { password: '50%off', host: 'db.example' }],
    ['postgres://me:p ss@db.example/bars', { password: 'p ss', host: 'db.example' }],
    ['postgres://me:p%40%2F%3F%23%25ss@db.example/bars', { password: 'p@/?#%ss' }],
  ])('%s', (text, parts) => {
    expect(read(text)).toMatchObject(parts);
    expect(connectionStringProblem(text)).toBeUndefined();
  });
});

describe('an address that parses differently than it was meant is refused', () => {
  // The driver takes most of these, and would look for a host that is a piece of the password.
  const pieces = ['hunter2', '12', 'pa@ss', 'ss'];
  const strays = ['/', '?', '#'].flatMap((sign) =>
    pieces.flatMap((piece) => [
      `postgres://me:12${sign}${piece}@db.example/bars`,
      `postgres://me:${piece}${sign}12@db.example:5432/bars`,
      `postgres://me:p@${piece}${sign}w@db.example/bars`,
      `postgres://me:12${sign}${piece}=x@db.example/bars`,
      `postgres://me:12${sign}a=1&${piece}@db.example/bars?sslmode=require`,
      `socket://me:12${sign}${piece}@/run/postgresql`,
    ]),
  );
  it.each(strays)('%s', (text) => {
    expect(connectionStringProblem(text)).toMatch(/^has an @ behind its first \/, \? or #.*%2F for a \/.*%23 for a #/);
  });

  it('because its separators are escaped', () => {
    expect(connectionStringProblem('postgres://me%3Ahunter2@db.example/bars')).toMatch(/^has an escaped :/);
    expect(connectionStringProblem('postgres://me%3Ahunter2%40db.example/bars')).toBe(NO_CONNECTION_STRING);
    expect(connectionStringProblem('postgres:///bars?host=me:hunter2@db.example')).toBe(NO_CONNECTION_STRING);
  });

  it('because the driver escapes it a second time', () => {
    expect(read('postgres://me:50%off%2Fx@db.example/bars').password).not.toBe('50%off/x');
    expect(connectionStringProblem('postgres://me:50%off%2Fx@db.example/bars')).toBe(NO_CONNECTION_STRING);
  });
});

describe('an address of several hosts is reported as unsupported', () => {
  it.each([
    'postgres://me:pw@a.example,b.example/bars',
    'postgres://me:pw@a.example:5432,b.example:5433/bars',
    'postgres://a.example,b.example',
    'postgres:///bars?host=a.example,b.example',
    'postgres:///bars?host=/run/a,/run/b',
    'postgres://me:pw@a.example/bars?port=5432,5433',
  ])('%s', (text) => {
    expect(connectionStringProblem(text)).toMatch(/^names several hosts, which is not supported/);
  });
});

describe('what is no address of Postgres', () => {
  it.each(['"', "'", '`', '\u201c'])('is told to be in quotes: %s', (quote) => {
    expect(connectionStringProblem(`${quote}postgres://me:pw@h/d${quote}`)).toMatch(/^is in quotes.*remove them/);
  });

  it.each(['host=localhost dbname=bars password=hunter2', 'DATABASE_URL=postgres://me:hunter2@h/d'])(
    'is told to be a list of names: %s',
    (text) => expect(connectionStringProblem(text)).toMatch(/^is a list of names and values/),
  );

  it.each([
    '',
    'hunter2',
    'me:hunter2@host/db',
    '//me:hunter2@host/db',
    '/me:hunter2@host/db',
    'mysql://me:hunter2@host/db',
    'postgres:me:hunter2@host/db',
    'postgres://me:hunter2@ho st/db',
    'postgres://me:hunter2@host:port/db',
    'postgres://me:hunter2@host:99999/db',
    'postgres://me:hunter2%E0@host/db',
    'postgres://me:hunter2@:5432/db',
    'postgres://me:hunter2@ho%20st/db',
  ])('is told what to write: %s', (text) => expect(connectionStringProblem(text)).toBe(NO_CONNECTION_STRING));

  it('is reported without a piece of it, in time that grows with its length', () => {
    for (const text of [
      `postgres://${'a'.repeat(1e6)}`,
      `postgres://h/?${'a&'.repeat(5e5)}@`,
      '%'.repeat(1e6),
      '@/'.repeat(5e5),
    ]) {
      expect((connectionStringProblem(text) ?? '').length).toBeLessThan(300);
    }
  });
});
