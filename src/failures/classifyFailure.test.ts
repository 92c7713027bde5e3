import { describe, expect, it } from 'vitest';
import { NdjsonError } from '../files/ndjsonError.js';
import { CircuitOpenError } from '../operators/errors/circuitOpenError.js';
import { DecodeError } from '../operators/errors/decodeError.js';
import { StaleStreamError } from '../operators/errors/staleStreamError.js';
import { WriteError } from '../operators/errors/writeError.js';
import { WriteTimeoutError } from '../operators/errors/writeTimeoutError.js';
import { StoreError } from '../postgres/storeError.js';
import { toStoreError } from '../postgres/toStoreError.js';
import {
  classify,
  classifyFailure,
  type FailureClass,
  type FailureTable,
  type FailureTraits,
  failureType,
} from './classifyFailure.js';

const coded = (code: string, message = 'what the driver says') => Object.assign(new Error(message), { code });

/** SQLSTATEs of the standard, which no database has for itself, by what can be done about them. */
const STATES: Readonly<Record<FailureClass, readonly string[]>> = {
  transient: ['08000', '08003', '08006', '25001', '25P02', '40001', '40003'],
  poison: ['21000', '22001', '22003', '22P02', '23502', '23505', '44000'],
  fatal: ['0A000', '0LP01', '0P000', '28000', '3D000', '3F000', '42501', '42P01'],
};

const CODES: Readonly<Record<FailureClass, readonly string[]>> = {
  transient: [
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'],
    ...['ENETDOWN', 'ECONNABORTED', 'ENOSPC', 'EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN', 'ENOENT', 'E2BIG'],
  ],
  poison: [],
  fatal: ['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
};

const rows = (table: Readonly<Record<FailureClass, readonly string[]>>) =>
  (['transient', 'poison', 'fatal'] as const).flatMap((expected) =>
    table[expected].map((code): [string, FailureClass] => [code, expected]),
  );

describe('classifyFailure', () => {
  it.each(rows(STATES))('takes SQLSTATE %s for %s', (state, expected) => {
    expect(classifyFailure(coded(state))).toBe(expected);
    expect(classifyFailure({ sqlState: state })).toBe(expected);
    expect(failureType(coded(state))).toBe(state);
  });

  it.each(rows(CODES))('takes code %s for %s', (code, expected) => {
    expect(classifyFailure(coded(code))).toBe(expected);
    expect(failureType(coded(code))).toBe(code);
  });

  it('does not let "connection refused is not recognised as transient" come back', () => {
    const refused = Object.assign(coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'), {
      errno: -111,
      syscall: 'connect',
      address: '127.0.0.1',
      port: 5432,
    });
    // As Node fails for a host with several addresses: under a head without a message.
    const many = new AggregateError([coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432'), refused]);
    const forms = [
      refused,
      many,
      Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' }),
      toStoreError(refused),
      toStoreError(many),
      new WriteError('bars', [], 1, { cause: toStoreError(refused) }),
      new Error('cannot write', { cause: many }),
    ];
    for (const form of forms) {
      expect(classifyFailure(form)).toBe('transient');
      expect(failureType(form)).toBe('ECONNREFUSED');
    }
  });

  it.each<[string, error: unknown, FailureClass, type: string]>([
    ['a timeout of ours', new WriteTimeoutError('bars', 5), 'transient', 'SLUICE_WRITE_TIMEOUT'],
    ['an open breaker', new CircuitOpenError('bars', 5), 'transient', 'SLUICE_CIRCUIT_OPEN'],
    ['a silent stream', new StaleStreamError('feed', 5), 'transient', 'SLUICE_STREAM_STALE'],
    ['what a codec refuses', new DecodeError([]), 'poison', 'SLUICE_DECODE_FAILED'],
    [
      'an item that is not JSON',
      new NdjsonError('f', 'x', { cause: new TypeError('y'), code: 'SLUICE_NDJSON_VALUE' }),
      'poison',
      'SLUICE_NDJSON_VALUE',
    ],
    ['a full disk', new NdjsonError('f', 'x', { cause: coded('ENOSPC') }), 'transient', 'ENOSPC'],
    ['a folder without leave', new NdjsonError('f', 'x', { cause: coded('EACCES') }), 'fatal', 'EACCES'],
    [
      'a write without a reason',
      new WriteError('bars', [], 1, { cause: undefined }),
      'transient',
      'SLUICE_WRITE_FAILED',
    ],
    ['a bug', new TypeError('x is not a function'), 'transient', 'TypeError'],
    ['an error of no kind', new Error('oops'), 'transient', 'Error'],
    ['a string', 'oops', 'transient', 'unknown'],
    ['nothing', undefined, 'transient', 'unknown'],
    ['null', null, 'transient', 'unknown'],
    ['a number', 42, 'transient', 'unknown'],
    ['an object without a name', {}, 'transient', 'unknown'],
    ['codes that are no text', { code: 23505, sqlState: 42 }, 'transient', 'unknown'],
    ['an empty code', Object.assign(new Error('x'), { code: '' }), 'transient', 'Error'],
    ['a code of somebody else', Object.assign(new Error('x'), { code: 'ACME_BUSY' }), 'transient', 'ACME_BUSY'],
  ])('knows %s', (_, error, expected, type) => {
    expect(classifyFailure(error)).toBe(expected);
    expect(failureType(error)).toBe(type);
  });

  it.each<[string, FailureTraits, FailureClass]>([
    ['its class', { failureClass: 'poison' }, 'poison'],
    ['that it can be retried', { retryable: true }, 'transient'],
    ['that it cannot', { retryable: false }, 'fatal'],
    ['when to try again', { retryAfterMs: 500 }, 'transient'],
    ['its class and more', { failureClass: 'fatal', retryable: true, retryAfterMs: 1 }, 'fatal'],
  ])('believes an error that says %s, before its code', (_, traits, expected) => {
    const error = Object.assign(coded(expected === 'poison' ? '42P01' : '23505'), traits);
    expect(classifyFailure(error)).toBe(expected);
    expect(classifyFailure(new Error('outer', { cause: error }))).toBe(expected);
  });

  it('asks the tables in order, then its own, for the outermost error that one of them knows', () => {
    const http: FailureTable = ({ code }) =>
      code === 'HTTP_422' ? 'poison' : code === 'HTTP_401' ? 'fatal' : undefined;
    const calm: FailureTable = ({ code }) => (code === 'HTTP_401' || code === '22003' ? 'transient' : undefined);
    const composed = classify(http, calm);
    expect(composed(coded('HTTP_422'))).toBe('poison');
    expect(composed(coded('HTTP_401'))).toBe('fatal');
    expect(composed(coded('22003'))).toBe('transient');
    expect(composed(coded('23505'))).toBe('poison');
    expect(composed(coded('HTTP_500'))).toBe('transient');
    expect(composed(new Error('outer', { cause: coded('HTTP_422') }))).toBe('poison');
    expect(composed(Object.assign(coded('42P01'), { cause: coded('HTTP_422') }))).toBe('fatal');
    expect(classifyFailure(coded('HTTP_422'))).toBe('transient');
  });

  it('goes by the outermost error that says something', () => {
    expect(classifyFailure(Object.assign(coded('22003'), { cause: coded('ECONNRESET') }))).toBe('poison');
    expect(classifyFailure(Object.assign(coded('ACME_BUSY'), { cause: coded('42P01') }))).toBe('fatal');
    expect(classifyFailure({ sqlState: '23505', code: 'ECONNRESET' })).toBe('poison');
    expect(classifyFailure({ sqlState: 'none', code: '23505' })).toBe('poison');
    expect(
      classifyFailure(new StoreError('SLUICE_STORE_CONNECTION_LOST', 'x', { cause: coded('CERT_HAS_EXPIRED') })),
    ).toBe('fatal');
  });

  it('tries again where one of several errors may pass', () => {
    expect(classifyFailure(new AggregateError([coded('EACCES'), coded('ECONNREFUSED')]))).toBe('transient');
    expect(classifyFailure(new AggregateError([coded('EACCES'), coded('EPERM')]))).toBe('fatal');
    expect(classifyFailure(new AggregateError([new Error('x'), coded('22003')]))).toBe('poison');
    expect(classifyFailure(new AggregateError([]))).toBe('transient');
    expect(classifyFailure({ errors: 'none' })).toBe('transient');
  });

  it('does not go round in circles, nor deeper or wider than it must', () => {
    const loop = new Error('a', { cause: new Error('b') });
    (loop.cause as Error).cause = loop;
    expect(classifyFailure(loop)).toBe('transient');
    expect(failureType(loop)).toBe('Error');

    let deep: Error = coded('42P01');
    for (let i = 0; i < 8; i++) deep = new Error(`${i}`, { cause: deep });
    expect(classifyFailure(deep)).toBe('fatal');
    expect(failureType(deep)).toBe('42P01');
    const tooDeep = new Error('x', { cause: deep });
    expect(classifyFailure(tooDeep)).toBe('transient');
    expect(failureType(tooDeep)).toBe('Error');

    let met = 0;
    const knot: object = {
      get errors() {
        met += 1;
        return [knot, knot, knot];
      },
    };
    expect(classifyFailure(knot)).toBe('transient');
    expect(failureType(knot)).toBe('unknown');
    expect(met).toBeLessThan(20);

    let read = 0;
    const endless = (): unknown => ({
      get errors() {
        read += 1;
        return Array.from({ length: 100 }, endless);
      },
    });
    expect(classifyFailure(endless())).toBe('transient');
    expect(failureType(endless())).toBe('unknown');
    expect(read).toBeLessThan(1_000);
  });
});

describe('failureType', () => {
  it('goes by SQLSTATE, then by the code of others, then by ours, then by the name', () => {
    const state = coded('23505');
    const socket = coded('ECONNRESET');
    const own = new StoreError('SLUICE_STORE_TABLE', 'x');
    expect(failureType(Object.assign(coded('ECONNRESET'), { cause: state }))).toBe('23505');
    // Five capital letters, and no SQLSTATE.
    expect(failureType(Object.assign(coded('EPIPE'), { cause: coded('57P01') }))).toBe('57P01');
    expect(failureType(new StoreError('SLUICE_STORE_TABLE', 'x', { cause: socket }))).toBe('ECONNRESET');
    expect(failureType(new WriteError('bars', [], 1, { cause: own }))).toBe('SLUICE_STORE_TABLE');
    const lost = new StoreError('SLUICE_STORE_CONNECTION_LOST', 'x', { cause: new Error('y') });
    expect(failureType(new WriteError('bars', [], 1, { cause: lost }))).toBe('SLUICE_STORE_CONNECTION_LOST');
    expect(failureType(new RangeError('x', { cause: new TypeError('y') }))).toBe('RangeError');
  });

  it('is a label: short, and without what an error may bring along', () => {
    expect(failureType({ code: 'X'.repeat(1_000) })).toBe('X'.repeat(40));
    expect(failureType({ name: 'My "Error"\n{a}' })).toBe('My__Error___a_');
    expect(failureType(new Error('password=hunter2'))).toBe('Error');
  });
});
