import type pg from 'pg';
import { StoreError } from '../storeError.js';
import { reasonOf, toStoreError } from '../toStoreError.js';

/** The server has a certificate whose authority this process does not know. */
const UNKNOWN_AUTHORITY = /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(GET_ISSUER|VERIFY))/;
const OTHER_NAME = /^(ERR_TLS_CERT_ALTNAME|HOSTNAME_MISMATCH)/;
const TLS_CODE = /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|HOSTNAME_MISMATCH)/;

const NO_VERIFY = 'sslmode=no-verify encrypts, and does not notice somebody who poses as the server';
const NO_TLS = 'sslmode=disable does not encrypt either, for a network that nobody else is in';

/** Nothing is written yet, so a connection that breaks here counts as unreachable. */
export function toOpeningError(error: unknown, client: pg.Client, connectTimeoutMs: number): StoreError {
  if (error instanceof StoreError) return error;
  const { code } = Object(error) as { readonly code?: unknown };
  const said = reasonOf(error);
  const at = client.host.startsWith('/') ? client.host : `${client.host}:${client.port}`;
  const unreachable = (reason: string) =>
    new StoreError('SLUICE_STORE_UNREACHABLE', `cannot reach Postgres at ${at} ${reason}`, { cause: error });
  if (/support SSL|SSL connection/.test(said)) {
    return unreachable(
      `over TLS (${said}): enable TLS on the server, or write sslmode=disable in DATABASE_URL if the network is safe`,
    );
  }
  const tls = typeof code === 'string' ? tlsRemedy(code) : undefined;
  if (tls !== undefined) return unreachable(`over TLS (${said}): ${tls}`);
  if (said === 'timeout expired' || said === 'Query read timeout') {
    return unreachable(
      `(no answer within ${connectTimeoutMs} ms): start the server, or correct host and port in DATABASE_URL`,
    );
  }
  const explained = toStoreError(error);
  if (explained.code !== 'SLUICE_STORE_CONNECTION_LOST' || explained.sqlState !== undefined) return explained;
  return unreachable(`(${said}): check that a Postgres server runs there, or correct host and port in DATABASE_URL`);
}

function tlsRemedy(code: string): string | undefined {
  if (UNKNOWN_AUTHORITY.test(code)) {
    return (
      'write one of these in DATABASE_URL: sslrootcert=/path/of/ca.pem, the certificate of its authority, gives up nothing; ' +
      `${NO_VERIFY}; ${NO_TLS}`
    );
  }
  if (OTHER_NAME.test(code)) {
    return (
      'correct the host in DATABASE_URL to a name that the certificate has; or write one of these: ' +
      'uselibpqcompat=true&sslmode=verify-ca&sslrootcert=/path/of/ca.pem accepts every server that this authority has certified; ' +
      `${NO_VERIFY}; ${NO_TLS}`
    );
  }
  if (code === 'CERT_HAS_EXPIRED') return `renew the certificate of the server; until then, ${NO_VERIFY}; ${NO_TLS}`;
  if (TLS_CODE.test(code))
    return `correct the TLS settings of the server, or those of DATABASE_URL; ${NO_VERIFY}; ${NO_TLS}`;
  return undefined;
}
