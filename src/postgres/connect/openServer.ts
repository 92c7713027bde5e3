import { firstValueFrom, fromEvent, map, merge, type Observable, share } from 'rxjs';
import { loadPeers } from '../../primitives/peers.js';
import { within } from '../../primitives/within.js';
import type { Store } from '../store.js';
import { askAlone } from './askAlone.js';
import { driverUrl, exampleClient } from './driverUrl.js';
import { Login, type PasswordSource } from './login.js';
import { OpenClients } from './openClients.js';
import { toOpeningError } from './openingError.js';
import { storeOf } from './storeOf.js';

export interface ServerConfig {
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly password: PasswordSource | undefined;
  readonly passwordPatienceMs: number;
}

/** After so long without traffic the kernel asks whether the other side is there, and then for ten seconds, once a second. */
const KEEP_ALIVE_AFTER_MS = 30_000;

/** Opens a server, once it has answered. */
export async function openServer(databaseUrl: string, config: ServerConfig): Promise<Store> {
  const {
    pg: { default: pg },
  } = await loadPeers({ user: 'a store on a Postgres server' }, { pg: () => import('pg') });
  const { poolSize, connectTimeoutMs, closeTimeoutMs, password, passwordPatienceMs: patienceMs } = config;
  const settings = {
    connectionString: driverUrl(databaseUrl),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    application_name: 'sluice',
  };
  const example = exampleClient(pg.Client, settings);
  const login = new Login({ password, patienceMs, now: () => performance.now() });
  const clients = new OpenClients({ Client: pg.Client, connectTimeoutMs, login });
  // Shared by all who ask at once, so that a crowd of probes takes one connection, and cut when the last one has gone.
  const answer$ = askAlone(() => new clients.Client(settings), { text: 'SELECT 1' }, connectTimeoutMs).pipe(share());
  const ask = async (signal?: AbortSignal) => {
    try {
      await firstValueFrom(signal ? merge(answer$, abortOf(signal)) : answer$);
    } catch (error) {
      signal?.throwIfAborted();
      throw toOpeningError(error, example, connectTimeoutMs);
    }
  };
  await ask();
  const pool = new pg.Pool({ ...settings, Client: clients.Client, max: poolSize });
  return storeOf(pool, 'postgres', {
    ask,
    async release() {
      await within(closeTimeoutMs, clients.empty());
      await clients.destroy();
    },
  });
}

/** Fails when the signal is aborted, with its reason. */
function abortOf(signal: AbortSignal): Observable<never> {
  return fromEvent(signal, 'abort').pipe(
    map(() => {
      throw signal.reason;
    }),
  );
}
