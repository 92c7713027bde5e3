import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { coded } from '../../../test/support/errors.js';
import { toOpeningError } from './openingError.js';

const client = new pg.Client({ connectionString: 'postgres://me:hunter2@db.example:5433/bars' });
const told = (code: string, said = code) => toOpeningError(coded(code, said), client, 1_000);

describe('a certificate that is not accepted', () => {
  it.each([
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_GET_ISSUER_CERT',
  ])('because its authority is private is told with three ways, and what each gives up: %s', (code) => {
    const error = told(code);
    expect(error).toMatchObject({ code: 'SLUICE_STORE_UNREACHABLE' });
    expect(error.message).toMatch(/^cannot reach Postgres at db\.example:5433 over TLS/);
    expect(error.message).toMatch(
      /sslrootcert=.*gives up nothing;.*sslmode=no-verify .*poses as the server;.*sslmode=disable .*not encrypt/,
    );
  });

  it('because of its name is reported as that', () => {
    expect(told('ERR_TLS_CERT_ALTNAME_INVALID').message).toMatch(/correct the host .*verify-ca.*sslmode=no-verify/);
  });

  it('because it has expired is reported as that', () => {
    expect(told('CERT_HAS_EXPIRED').message).toMatch(/renew the certificate of the server/);
  });

  it.each(['ERR_SSL_WRONG_VERSION_NUMBER', 'CERT_NOT_YET_VALID', 'CERT_REVOKED', 'ERR_OSSL_EVP_UNSUPPORTED'])(
    'for another reason is told as one of TLS: %s',
    (code) => expect(told(code).message).toMatch(/over TLS .*TLS settings/),
  );
});

describe('a server without TLS', () => {
  it('is reported with the remedy', () => {
    const error = toOpeningError(new Error('The server does not support SSL connections'), client, 1_000);
    expect(error.message).toMatch(/over TLS .*enable TLS on the server, or write sslmode=disable/);
  });
});
