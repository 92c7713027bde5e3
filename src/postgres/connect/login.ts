import type pg from 'pg';
import { sqlStateOf } from '../../failures/sqlState.js';
import { messageOf } from '../../primitives/messageOf.js';
import { redactText } from '../../primitives/redact.js';
import { postgresFailure } from '../failures.js';
import { StoreError } from '../storeError.js';
import { reasonOf, rootOf } from '../toStoreError.js';

/** Gives the password for one connection. Called for each, so that a password may expire. */
export type PasswordSource = () => string | PromiseLike<string>;

export interface LoginConfig {
  readonly password: PasswordSource | undefined;
  /** How long a login that was accepted before may be refused, in milliseconds, before a person must act. */
  readonly patienceMs: number;
  /** A clock in milliseconds that is never set back. */
  readonly now: () => number;
}

/**
 * The logins of one store. Once the server has accepted one, a refusal says that the password has expired or is being changed:
 * for a while it is transient, so that writers hold what they have rather than give it up.
 */
export class Login {
  readonly #config: LoginConfig;
  #isKnown = false;
  #refusedAt: number | undefined;
  /** The connections that wait for their password. */
  readonly #asking = new WeakSet<pg.Client>();

  constructor(config: LoginConfig) {
    this.#config = config;
  }

  /** The driver asks for the password when the server does. */
  givePassword(client: pg.Client): void {
    const { password } = this.#config;
    if (!password) return;
    const ask = async () => {
      let given: unknown;
      this.#asking.add(client);
      try {
        given = await password();
      } catch (cause) {
        throw unavailable(`failed (${redactText(messageOf(cause))})`, cause);
      }
      this.#asking.delete(client);
      if (typeof given !== 'string' || given === '') throw unavailable('gave no string', undefined);
      return given;
    };
    // A property of the driver's that is not enumerable, and stays so.
    Object.assign(client, { password: ask });
  }

  accepted(): void {
    this.#isKnown = true;
    this.#refusedAt = undefined;
  }

  /** What a connection that failed fails with. */
  refused(error: unknown, client: pg.Client): unknown {
    if (error instanceof StoreError) return error;
    const driver = rootOf(error);
    if (this.#asking.has(client)) return unavailable(`did not answer in time (${reasonOf(driver)})`, error);
    const code = postgresFailure(driver)?.code;
    const isRefusal = code === 'SLUICE_STORE_PASSWORD' || code === 'SLUICE_STORE_LOGIN';
    if (!this.#isKnown || !isRefusal) return error;
    const { now, patienceMs } = this.#config;
    this.#refusedAt ??= now();
    const leftMs = this.#refusedAt + patienceMs - now();
    if (leftMs <= 0) return error;
    return new StoreError(
      code,
      `Postgres refuses the login, which it accepted before (${reasonOf(error)}): renew the password, or admit the user again; the login is tried ` +
        `for another ${Math.ceil(leftMs / 1_000)} s`,
      { sqlState: sqlStateOf(driver), failureClass: 'transient', cause: error },
    );
  }
}

function unavailable(what: string, cause: unknown): StoreError {
  return new StoreError('SLUICE_STORE_PASSWORD', `the password function ${what}: correct it, or what it asks`, {
    failureClass: 'transient',
    cause,
  });
}
