import { describe, expect, it } from 'vitest';
import { classifyFailure, type FailureClass, failureType } from '../failures/classifyFailure.js';
import { isLostConnection } from '../failures/failureHints.js';
import { WriteError } from '../operators/errors/writeError.js';
import { classifyPostgresFailure } from './failures.js';
import { endsSession } from './session.js';
import { StoreError, type StoreErrorCode } from './storeError.js';
import { toStoreError } from './toStoreError.js';

const coded = (code: string, message = 'what the driver says') => Object.assign(new Error(message), { code });

/** SQLSTATEs, by what can be done about them. */
const STATES: Readonly<Record<FailureClass, readonly string[]>> = {
  transient: [
    ...['08000', '08001', '08003', '08004', '08006', '08007', '08P01'],
    ...['40000', '40001', '40003', '40P01'],
    ...['53000', '53100', '53200', '53300'],
    ...['55000', '55006', '55P03'],
    ...['57000', '57014', '57P01', '57P02', '57P03', '57P04', '57P05'],
    ...['58000', '58030', '58P01', '58P02'],
    ...['25001', '25006', '25P01', '25P02', '25P03', '26000', '42P05', 'XX000'],
    // Unknown: of an extension, or of a trigger with its own.
    ...['72000', 'HV00N', 'TS101', 'ZZ999'],
  ],
  poison: [
    ...['22000', '22001', '22003', '22007', '22008', '22012', '22021', '22P02', '22P04', '22P05'],
    ...['23000', '23502', '23503', '23505', '23514', '23P01'],
    ...['21000', '40002', '44000', '53400', '54000', '54001', 'P0001', 'P0004'],
  ],
  fatal: [
    ...['28000', '28P01', '3D000', '3F000', '0A000', '0LP01', '0P000', 'F0000'],
    ...['42000', '42501', '42601', '42703', '42804', '42P01', '42P10', '42883'],
    ...['54011', '54023', 'XX001', 'XX002'],
  ],
};

const rows = (['transient', 'poison', 'fatal'] as const).flatMap((expected) =>
  STATES[expected].map((code): [string, FailureClass] => [code, expected]),
);

describe('classifyPostgresFailure', () => {
  it.each(rows)('classifies SQLSTATE %s as %s, from the driver and as a StoreError', (state, expected) => {
    const explained = toStoreError(coded(state));
    for (const form of [
      coded(state),
      { sqlState: state },
      explained,
      new WriteError('bars', [], 1, { cause: explained }),
    ]) {
      expect(classifyPostgresFailure(form)).toBe(expected);
      expect(failureType(form)).toBe(state);
    }
    // As a StoreError it carries its class, for those who know nothing of Postgres.
    expect(classifyFailure(explained)).toBe(expected);
    expect(classifyFailure(new WriteError('bars', [1], 1, { cause: explained }))).toBe(expected);
  });

  it.each<[StoreErrorCode, FailureClass]>([
    ['SLUICE_STORE_UNREACHABLE', 'transient'],
    ['SLUICE_STORE_CONNECTION_LOST', 'transient'],
    ['SLUICE_STORE_FAILED', 'transient'],
    ['SLUICE_STORE_VALUE', 'poison'],
    ['SLUICE_STORE_PASSWORD', 'fatal'],
    ['SLUICE_STORE_LOGIN', 'fatal'],
    ['SLUICE_STORE_DATABASE', 'fatal'],
    ['SLUICE_STORE_TABLE', 'fatal'],
    ['SLUICE_STORE_PERMISSION', 'fatal'],
    ['SLUICE_STORE_URL', 'fatal'],
    ['SLUICE_STORE_FOLDER', 'fatal'],
    ['SLUICE_STORE_LOCKED', 'fatal'],
    ['SLUICE_STORE_UNSUPPORTED', 'fatal'],
    ['SLUICE_STORE_PACKAGE', 'fatal'],
  ])('classifies %s without more as %s', (code, expected) => {
    const error = new StoreError(code, 'x', { cause: new TypeError('y') });
    for (const classify of [classifyPostgresFailure, classifyFailure]) {
      expect(classify(new StoreError(code, 'x'))).toBe(expected);
      expect(classify(error)).toBe(expected);
    }
    expect(failureType(error)).toBe(code);
  });

  it.each<[string, FailureClass, lost: boolean]>([
    ['Connection terminated', 'transient', true],
    ['Connection terminated unexpectedly', 'transient', true],
    ['Client has encountered a connection error and is not queryable', 'transient', true],
    ['Client was closed and is not queryable', 'transient', true],
    ['timeout expired', 'transient', true],
    ['timeout exceeded when trying to connect', 'transient', false],
    ['Query read timeout', 'transient', true],
    ['Cannot use a pool after calling end on the pool', 'fatal', false],
  ])('knows what the driver says: %s', (message, expected, lost) => {
    expect(classifyPostgresFailure(new Error(message))).toBe(expected);
    expect(classifyPostgresFailure(message)).toBe(expected);
    expect(classifyPostgresFailure(new Error('cannot write', { cause: new Error(message) }))).toBe(expected);
    expect(classifyFailure(toStoreError(new Error(message)))).toBe(expected);
    expect(isLostConnection(toStoreError(new Error(message)))).toBe(lost);
  });

  it('goes by a code before it goes by a text, and by no text that is quoted', () => {
    expect(classifyPostgresFailure(coded('23505', 'Cannot use a pool after calling end on the pool'))).toBe('poison');
    expect(classifyPostgresFailure(new Error('he said: Cannot use a pool after calling end'))).toBe('transient');
    // The text counts although a cause has a code.
    const ended = new Error('Cannot use a pool after calling end on the pool', { cause: coded('ECONNRESET') });
    expect(classifyPostgresFailure(ended)).toBe('fatal');
  });

  // As PgBouncer 1.18 to 1.24 says them.
  it.each<[message: string, FailureClass, code: StoreErrorCode, remedy: string]>([
    ['server conn crashed?', 'transient', 'SLUICE_STORE_CONNECTION_LOST', 'retrying is safe'],
    ['idle transaction timeout', 'transient', 'SLUICE_STORE_CONNECTION_LOST', 'retrying is safe'],
    ['client_idle_timeout', 'transient', 'SLUICE_STORE_CONNECTION_LOST', 'retrying is safe'],
    [
      'server login has been failing, try again later (server_login_retry)',
      'transient',
      'SLUICE_STORE_UNREACHABLE',
      'start the server',
    ],
    [
      'server login has been failing, cached error: connect failed (server_login_retry)',
      'transient',
      'SLUICE_STORE_UNREACHABLE',
      'start the server',
    ],
    [
      'server login has been failing, cached error: password authentication failed for user "x" (server_login_retry)',
      'fatal',
      'SLUICE_STORE_PASSWORD',
      'correct user and password',
    ],
    ['client_login_timeout (server down)', 'transient', 'SLUICE_STORE_UNREACHABLE', 'start the server'],
    ['pgbouncer cannot connect to server', 'transient', 'SLUICE_STORE_UNREACHABLE', 'start the server'],
    ['no more connections allowed (max_client_conn)', 'transient', 'SLUICE_STORE_FAILED', 'raise max_client_conn'],
    ['query_wait_timeout', 'transient', 'SLUICE_STORE_FAILED', 'raise its default_pool_size'],
    ['query timeout', 'transient', 'SLUICE_STORE_FAILED', 'query_timeout of the pooler'],
    ['database "shop" is disabled', 'transient', 'SLUICE_STORE_FAILED', 'ENABLE'],
    ['password authentication failed', 'fatal', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
    ['SASL authentication failed', 'fatal', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
    ['no such user: bob', 'fatal', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
    ['no such database: shop', 'fatal', 'SLUICE_STORE_DATABASE', 'correct its name'],
    ['database "shop" does not exist', 'fatal', 'SLUICE_STORE_DATABASE', 'correct its name'],
    ['unsupported startup parameter: options', 'fatal', 'SLUICE_STORE_FAILED', 'ignore_startup_parameters'],
    ['unsupported startup parameter in options: x', 'fatal', 'SLUICE_STORE_FAILED', 'ignore_startup_parameters'],
    ['transaction blocks not allowed in statement pooling mode', 'fatal', 'SLUICE_STORE_FAILED', 'pool_mode'],
    ['PQexec disallowed', 'fatal', 'SLUICE_STORE_FAILED', 'disable_pqexec'],
    ['SSL required', 'fatal', 'SLUICE_STORE_LOGIN', 'sslmode=verify-full'],
    ['TLS client certificate required', 'fatal', 'SLUICE_STORE_LOGIN', 'sslcert'],
    ['certificate authentication failed', 'fatal', 'SLUICE_STORE_LOGIN', 'sslcert'],
    ['login rejected', 'fatal', 'SLUICE_STORE_LOGIN', 'auth_hba_file'],
    // What its server told the pooler.
    ['permission denied for database "shop"', 'fatal', 'SLUICE_STORE_PERMISSION', 'GRANT CONNECT'],
    ['role "bob" is not permitted to log in', 'fatal', 'SLUICE_STORE_LOGIN', 'ALTER ROLE'],
    ['role "bob" does not exist', 'fatal', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
    [
      'no pg_hba.conf entry for host "10.0.0.7", user "bob", database "shop", no encryption',
      'fatal',
      'SLUICE_STORE_LOGIN',
      'server_tls_sslmode',
    ],
    ['too many connections for role "bob"', 'transient', 'SLUICE_STORE_FAILED', 'CONNECTION LIMIT'],
    ['sorry, too many clients already', 'transient', 'SLUICE_STORE_FAILED', 'max_connections'],
    ['the database system is starting up', 'transient', 'SLUICE_STORE_UNREACHABLE', 'start the server'],
    // Of a pooler that is out of step, or of one that nobody has heard of.
    ['invalid message format', 'transient', 'SLUICE_STORE_FAILED', 'invalid message format'],
  ])('tells by its text what a pooler means by 08P01: %s', (message, expected, code, remedy) => {
    const error = toStoreError(coded('08P01', message));
    expect(error).toMatchObject({ code, message: expect.stringContaining(remedy) });
    expect(error.message).toContain(message);
    expect(classifyPostgresFailure(coded('08P01', message))).toBe(expected);
    expect(classifyFailure(error)).toBe(expected);
    expect(endsSession(coded('08P01', message))).toBe(true);
  });

  it.each<[state: string, message: string, FailureClass, code: StoreErrorCode]>([
    ['XX000', 'Tenant or user not found', 'fatal', 'SLUICE_STORE_PASSWORD'],
    ['XX000', 'Max client connections reached', 'transient', 'SLUICE_STORE_FAILED'],
    ['58000', 'No pool configured for database: shop, user: bob', 'fatal', 'SLUICE_STORE_DATABASE'],
    ['XX000', 'could not open relation with OID 1', 'transient', 'SLUICE_STORE_FAILED'],
  ])('knows poolers of other makes: %s %s', (state, message, expected, code) => {
    expect(classifyPostgresFailure(coded(state, message))).toBe(expected);
    expect(toStoreError(coded(state, message)).code).toBe(code);
  });

  // Each as a server says it.
  it.each<[message: string, code: StoreErrorCode, remedy: string]>([
    [
      'no pg_hba.conf entry for host "10.0.0.7", user "bob", database "shop", no encryption',
      'SLUICE_STORE_LOGIN',
      'sslmode=verify-full',
    ],
    [
      'no pg_hba.conf entry for host "10.0.0.7", user "bob", database "shop", SSL off',
      'SLUICE_STORE_LOGIN',
      'sslmode=verify-full',
    ],
    [
      'pg_hba.conf rejects connection for host "10.0.0.7", user "bob", database "shop", no encryption',
      'SLUICE_STORE_LOGIN',
      'sslmode=verify-full',
    ],
    [
      'no pg_hba.conf entry for host "10.0.0.7", user "bob", database "shop", SSL encryption',
      'SLUICE_STORE_LOGIN',
      'pg_hba.conf of the server',
    ],
    ['Peer authentication failed for user "bob"', 'SLUICE_STORE_LOGIN', 'run as that user'],
    ['connection requires a valid client certificate', 'SLUICE_STORE_LOGIN', 'sslcert'],
    ['role "bob" is not permitted to log in', 'SLUICE_STORE_LOGIN', 'ALTER ROLE'],
    ['role "bob" does not exist', 'SLUICE_STORE_LOGIN', 'correct the user'],
    ['PAM authentication failed for user "bob"', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
    ['LDAP authentication failed for user "bob"', 'SLUICE_STORE_PASSWORD', 'correct user and password'],
  ])('takes a refused login for a wrong password only if it is one: %s', (message, code, remedy) => {
    const error = toStoreError(coded('28000', message));
    expect(error).toMatchObject({ code, failureClass: 'fatal', message: expect.stringContaining(remedy) });
    if (code === 'SLUICE_STORE_LOGIN') expect(error.message).not.toContain('and password');
  });

  it.each<[state: string, message: string, detail: string | undefined, FailureClass, remedy: string]>([
    [
      '42501',
      'permission denied for database "shop"',
      'User does not have CONNECT privilege.',
      'fatal',
      'GRANT CONNECT ON DATABASE',
    ],
    ['42501', 'permission denied to create temporary tables in database "shop"', undefined, 'fatal', 'GRANT TEMPORARY'],
    ['42501', 'permission denied for table bars', undefined, 'fatal', 'INSERT, SELECT and UPDATE'],
    ['53300', 'too many connections for role "bob"', undefined, 'transient', 'CONNECTION LIMIT'],
    ['53300', 'sorry, too many clients already', undefined, 'transient', 'max_connections'],
  ])('advises by what is missing: %s %s', (state, message, detail, expected, remedy) => {
    const error = Object.assign(coded(state, message), { detail });
    expect(classifyPostgresFailure(error)).toBe(expected);
    expect(toStoreError(error).message).toContain(remedy);
  });

  it('takes a lack of room for locks as a fault of the batch, and a lack of memory as an outage', () => {
    expect(classifyPostgresFailure(coded('53200', 'out of shared memory'))).toBe('poison');
    expect(toStoreError(coded('53200', 'out of shared memory')).message).toContain('max_locks_per_transaction');
    expect(classifyPostgresFailure(coded('53200', 'out of memory'))).toBe('transient');
  });

  it.each([
    ['3F000', 'schema "pg_temp" does not exist'],
    ['42P01', 'relation "pg_temp.sluice_stage_0123456789abcdef" does not exist'],
  ])('takes a staging table that a pooler swapped away as transient: %s', (state, message) => {
    expect(classifyPostgresFailure(coded(state, message))).toBe('transient');
    expect(toStoreError(coded(state, message))).toMatchObject({
      code: 'SLUICE_STORE_FAILED',
      failureClass: 'transient',
      message: expect.stringContaining('a pooler has swapped the session'),
    });
  });
});

describe('endsSession', () => {
  it.each([
    ['ECONNRESET', true],
    ['EPIPE', true],
    ['57P01', true],
    ['57P03', true],
    ['08006', true],
    ['08P01', true],
    ['25P03', true],
    // An old primary after a failover: whoever borrowed the session next would fail as well.
    ['25006', true],
    ['25P02', false],
    ['23505', false],
    ['40P01', false],
    ['53400', false],
    ['57014', false],
    // TimescaleDB refuses a step so, in the middle of a session.
    ['28000', false],
  ])('of %s is %s', (code, ends) => {
    expect(endsSession(coded(code))).toBe(ends);
  });

  it('holds for what no table knows, and not for errors of ours', () => {
    expect(endsSession(new Error('odd'))).toBe(true);
    expect(endsSession(new StoreError('SLUICE_STORE_VALUE', 'x', { sqlState: '22021' }))).toBe(false);
  });
});
