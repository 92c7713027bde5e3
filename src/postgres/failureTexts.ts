import type { FailureClass } from '../failures/classifyFailure.js';
import type { StoreErrorCode } from './storeError.js';

/** What an error of the server, of a pooler or of the driver means. */
export interface PostgresFailure {
  readonly class: FailureClass;
  /** Default: `SLUICE_STORE_FAILED`. */
  readonly code?: StoreErrorCode;
  /**
   * `lost`: the connection is gone. `spent`: it is there, and every further statement would fail as this one did. `stale`: so
   * would those of all sessions that are as old, because the server is not what it was. None of them may go back to the pool.
   * Default: the session can be used again.
   */
  readonly session?: 'lost' | 'spent' | 'stale';
  /** What happened, in our words. Default: that Postgres reports the state. */
  readonly what?: string;
  readonly remedy?: string;
  /** What happened and the remedy depend on what was under way. */
  readonly advice?: 'missing' | 'mismatch' | 'permission' | 'lost';
}

/** Rows that a state has as well as a text. */
export const LOST = {
  class: 'transient',
  session: 'lost',
  code: 'SLUICE_STORE_CONNECTION_LOST',
  advice: 'lost',
} as const;
export const UNREACHABLE = { class: 'transient', code: 'SLUICE_STORE_UNREACHABLE' } as const;
export const LOGIN = {
  class: 'fatal',
  code: 'SLUICE_STORE_PASSWORD',
  what: 'Postgres refuses the login',
  remedy: 'correct user and password in DATABASE_URL',
} as const;
/** Any other reason than a wrong password. */
export const NOT_ADMITTED = { class: 'fatal', code: 'SLUICE_STORE_LOGIN' } as const;
export const NO_DATABASE = {
  class: 'fatal',
  code: 'SLUICE_STORE_DATABASE',
  what: 'Postgres does not have the database',
  remedy: 'create it with createdb, or correct its name in DATABASE_URL',
} as const;
const WITHOUT_TLS = {
  ...NOT_ADMITTED,
  what: 'the server refuses a login without TLS',
  remedy: 'write sslmode=verify-full in DATABASE_URL, or let pg_hba.conf admit this host without TLS',
} as const;
const WITHOUT_CERTIFICATE = {
  ...NOT_ADMITTED,
  what: 'the server wants the certificate of a client',
  remedy: 'name it and its key by sslcert and sslkey in DATABASE_URL',
} as const;

const NO_LOGIN = {
  ...NOT_ADMITTED,
  what: 'Postgres lets this user not log in',
  remedy: 'ALTER ROLE … LOGIN, or use another user',
} as const;
const POOLER_LOGIN = { ...LOGIN, what: 'the pooler refuses the login' } as const;

export type Texts = readonly (readonly [RegExp, PostgresFailure])[];

/** Why Postgres refuses a login with 28000, by its text; that of a password has a state of its own, unless others check it. */
export const REFUSALS: Texts = [
  [/pg_hba\.conf.*(no encryption|SSL off)/, WITHOUT_TLS],
  [
    /pg_hba\.conf/,
    {
      ...NOT_ADMITTED,
      what: 'Postgres admits no such login',
      remedy: 'add this host, user and database to pg_hba.conf of the server, or correct them in DATABASE_URL',
    },
  ],
  [/client certificate|certificate authentication/i, WITHOUT_CERTIFICATE],
  [/(LDAP|PAM|RADIUS|BSD|password|MD5|SCRAM)\b.* authentication failed/i, LOGIN],
  [
    /(Peer|Ident) authentication failed/i,
    {
      ...NOT_ADMITTED,
      what: 'Postgres goes by the name of the user of the system, which is another one',
      remedy: 'run as that user, or connect to a host with a password rather than by the socket',
    },
  ],
  [/not permitted to log in/, NO_LOGIN],
];

/** No right on the database itself, rather than on a table in it. */
export const DATABASE_RIGHTS: Texts = [
  [
    /\bCONNECT\b/,
    {
      class: 'fatal',
      code: 'SLUICE_STORE_PERMISSION',
      what: 'this user may not use the database',
      remedy: 'GRANT CONNECT ON DATABASE to it, or use another user',
    },
  ],
  [
    /temporary tables/,
    {
      class: 'fatal',
      code: 'SLUICE_STORE_PERMISSION',
      what: 'this user may not make the staging table',
      remedy: "GRANT TEMPORARY ON DATABASE to it, or leave the strategy at 'auto'",
    },
  ],
];

/** A limit of connections that is not the server's own. */
export const CONNECTION_LIMITS: Texts = [
  [
    /too many connections for (role|database)/,
    {
      class: 'transient',
      remedy: 'close others of the same user or database, or raise its CONNECTION LIMIT',
    },
  ],
];

/** Out of memory, or of a table whose size the configuration fixes: then waiting never helps, a smaller batch may. */
export const EXHAUSTED: Texts = [
  [
    /shared memory/,
    {
      class: 'poison',
      remedy: 'the batch takes more locks than the server has room for; raise max_locks_per_transaction',
    },
  ],
];

/** What PgBouncer means by 08P01, by its text: it says so of everything, also of what its server told it at the login. */
export const POOLER: Texts = spent([
  [/no such database|database ".*" does not exist/i, NO_DATABASE],
  [/permission denied for database/, DATABASE_RIGHTS[0]![1]],
  ...CONNECTION_LIMITS,
  [
    /remaining connection slots|sorry, too many/,
    { class: 'transient', remedy: 'the server has no connection left; close others, or raise max_connections' },
  ],
  [
    /pg_hba\.conf/,
    {
      ...NOT_ADMITTED,
      what: 'the server admits no login of the pooler',
      remedy: 'add the host of the pooler to pg_hba.conf of the server, or set server_tls_sslmode of the pooler',
    },
  ],
  [/not permitted to log in/, NO_LOGIN],
  [
    /transaction blocks not allowed/i,
    {
      class: 'fatal',
      what: 'the pooler is in statement mode, which has no transactions',
      remedy: 'set its pool_mode to transaction or session, or connect to the server itself',
    },
  ],
  [
    /PQexec disallowed/,
    {
      class: 'fatal',
      what: 'the pooler forbids simple queries, which COPY needs',
      remedy: 'set its disable_pqexec to 0',
    },
  ],
  [
    /unsupported (options )?startup parameter/i,
    { class: 'fatal', remedy: 'add the parameter to ignore_startup_parameters of the pooler' },
  ],
  [/\b(SSL|TLS)( connection)? required/i, WITHOUT_TLS],
  [/client certificate|certificate (name|authentication)/i, WITHOUT_CERTIFICATE],
  [
    /login rejected|not allowed to connect/i,
    {
      ...NOT_ADMITTED,
      what: 'the pooler admits no such login',
      remedy: 'add this host, user and database to its auth_hba_file, or correct them in DATABASE_URL',
    },
  ],
  [/password|authentication|auth failed|no such user|role ".*" does not exist/i, POOLER_LOGIN],
  [
    /server_login_retry|\(server down\)|cannot connect to server|the database system is/i,
    {
      ...UNREACHABLE,
      what: 'the pooler cannot reach its server',
      remedy: 'start the server, or correct host, port and login in the settings of the pooler',
    },
  ],
  [
    /max_(\w{1,20}_)?client_conn|max client|too many (clients|connections)|no more connections/i,
    { class: 'transient', remedy: 'raise max_client_conn of the pooler, or use a smaller poolSize' },
  ],
  [
    /query_wait_timeout/i,
    {
      class: 'transient',
      what: 'the pooler had no connection to its server free in time',
      remedy: 'raise its default_pool_size, or use a smaller poolSize',
    },
  ],
  [/query timeout/i, { class: 'transient', remedy: 'write smaller batches, or raise query_timeout of the pooler' }],
  [
    /is disabled|does not allow connections/i,
    { class: 'transient', remedy: 'ENABLE the database on the console of the pooler' },
  ],
  [/conn crashed|timeout|shutting down|shut down|server connection closed|obsolete connection/i, LOST],
]);

/** What poolers of other makes mean by states that are not theirs: Supavisor by XX000, PgCat by 58000. */
export const OTHER_POOLERS: Texts = spent([
  [/tenant or user not found/i, POOLER_LOGIN],
  [/no pool configured/i, NO_DATABASE],
  [
    /max clients? /i,
    { class: 'transient', remedy: 'raise the limit of clients of the pooler, or use a smaller poolSize' },
  ],
]);

/** Texts of the driver, which comes without a code. */
export const DRIVER: Texts = [
  [
    /^Cannot use a pool after calling end/,
    { class: 'fatal', what: 'the store is closed', remedy: 'close it after all writes have ended' },
  ],
  [/^Connection terminated/, LOST],
  [/^Client (has encountered a connection error|was closed) and is not queryable/, LOST],
  [/^(timeout expired|Query read timeout)/, LOST],
  [
    /timeout.*connect|connect.*timeout/i,
    {
      ...UNREACHABLE,
      what: 'no connection to Postgres in time',
      remedy: 'start the server, or allow more connections',
    },
  ],
  [
    /SASL|password/i,
    {
      ...LOGIN,
      what: 'the server asks for a password and none was given',
      remedy: 'put it into DATABASE_URL or PGPASSWORD',
    },
  ],
];

/** Rows after which the session can be used for nothing. */
function spent(rows: Texts): Texts {
  return rows.map(([text, failure]) => [text, { session: 'spent', ...failure }]);
}
