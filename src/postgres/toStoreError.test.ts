import { describe, expect, it } from 'vitest';
import { isStoreError, StoreError } from './storeError.js';
import { toStoreError, writing } from './toStoreError.js';

const driverError = (message: string, fields: object) => Object.assign(new Error(message), fields);

describe('toStoreError', () => {
  it.each([
    [{ code: 'ECONNREFUSED', address: '10.0.0.1', port: 5433 }, 'SLUICE_STORE_UNREACHABLE', '10.0.0.1:5433'],
    [{ code: 'ENOTFOUND', hostname: 'db.invalid' }, 'SLUICE_STORE_UNREACHABLE', 'db.invalid'],
    [{ code: 'ECONNRESET' }, 'SLUICE_STORE_CONNECTION_LOST', 'retrying is safe'],
    [{ code: 'EPIPE' }, 'SLUICE_STORE_CONNECTION_LOST', 'retrying is safe'],
    [{ code: '28P01' }, 'SLUICE_STORE_PASSWORD', 'DATABASE_URL'],
    [{ code: '3D000' }, 'SLUICE_STORE_DATABASE', 'createdb'],
    [{ code: '42P01' }, 'SLUICE_STORE_TABLE', 'the table "bars"'],
    [{ code: '42703' }, 'SLUICE_STORE_TABLE', 'does not match the schema the sink expects'],
    [{ code: '42501' }, 'SLUICE_STORE_PERMISSION', 'grant'],
    [{ code: '22021' }, 'SLUICE_STORE_VALUE', '22021'],
    [{ code: '23514' }, 'SLUICE_STORE_VALUE', '23514'],
    [{ code: '54000' }, 'SLUICE_STORE_VALUE', 'must be shorter'],
    [{ code: '54001' }, 'SLUICE_STORE_FAILED', '54001'],
    [{ code: '57P01' }, 'SLUICE_STORE_CONNECTION_LOST', '57P01'],
    [{ code: '53100' }, 'SLUICE_STORE_FAILED', '53100'],
    [{ code: '08006' }, 'SLUICE_STORE_CONNECTION_LOST', '08006'],
    [{ code: '08P01' }, 'SLUICE_STORE_FAILED', '08P01'],
  ])('%j is %s', (fields, code, part) => {
    const cause = driverError('what the driver says', fields);
    const error = toStoreError(cause, writing('"bars"'));
    expect(error).toMatchObject({ name: 'StoreError', code, cause });
    expect(error.message).toContain(part);
    expect(isStoreError(error)).toBe(true);
    expect(error.sqlState).toBe(/^[^E]\w{4}$/.test(fields.code) ? fields.code : undefined);
  });

  it.each([new TypeError('x of null'), new RangeError('too long')])(
    'takes a mistake in a row for one: %s',
    (mistake) => {
      expect(toStoreError(mistake)).toMatchObject({ code: 'SLUICE_STORE_VALUE', cause: mistake });
      expect(toStoreError(Object.assign(mistake, { code: 'ECONNRESET' })).code).toBe('SLUICE_STORE_CONNECTION_LOST');
    },
  );

  it.each([
    ['a library around the driver', (cause: Error) => new Error('query failed', { cause })],
    ['two of them', (cause: Error) => new Error('span ended', { cause: new Error('query failed', { cause }) })],
    ['an aggregate', (cause: Error) => new AggregateError([cause], '')],
  ])('finds what the server said beneath %s', (_, wrap) => {
    const error = toStoreError(wrap(driverError('duplicate key', { code: '23505' })));
    expect(error).toMatchObject({ code: 'SLUICE_STORE_VALUE', sqlState: '23505', connectionLost: false });
    expect(error.message).toContain('duplicate key');
  });

  it('looks into the errors of a host with several addresses', () => {
    const inner = driverError('connect ECONNREFUSED ::1:5432', { code: 'ECONNREFUSED', address: '::1', port: 5432 });
    // Node gives the head the code of the first.
    const head = Object.assign(new AggregateError([inner]), { code: 'ECONNREFUSED' });
    const error = toStoreError(head);
    expect(error.code).toBe('SLUICE_STORE_UNREACHABLE');
    expect(error.message).toContain('::1:5432');
  });

  it.each([
    [{ code: '23502', column: 'close' }, 'close'],
    [{ code: '22P03', where: 'COPY bars, line 7, column volume' }, 'volume'],
    [{ code: '22P02', where: 'COPY bars, line 7, column volume: "x"' }, 'volume'],
    [{ code: '54000', where: 'COPY bars, line 7' }, undefined],
    [{ code: '22003', where: 'PL/pgSQL function f() line 7 at column x' }, undefined],
    [{ code: '22021' }, undefined],
  ])('names the column where the server does: %j', (fields, field) => {
    const error = toStoreError(driverError('as the server says', fields), writing('bars'));
    expect(error.field).toBe(field);
  });

  it('leaves its own errors as they are', () => {
    const own = new StoreError('SLUICE_STORE_VALUE', 'x', { sqlState: '22021' });
    expect(toStoreError(own)).toBe(own);
  });

  it('says something of what is no error', () => {
    expect(toStoreError(undefined).message).toContain('no reason given');
  });

  it.each([
    ['53100', 'make room'],
    ['25006', 'read-only'],
    ['53200', 'smaller batches'],
    ['53300', 'max_connections'],
    ['57P01', 'retrying is safe'],
    ['57P03', 'is starting or stopping and accepts no connections: try again in a moment'],
  ])('says what to do about %s', (code, remedy) => {
    const { message } = toStoreError({ code, message: 'as the server says' }, writing('bars'));
    expect(message).toContain(`Postgres reports ${code} (as the server says): `);
    expect(message).toContain(remedy);
  });
});
