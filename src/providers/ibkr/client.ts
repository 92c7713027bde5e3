import { messageOf } from '../../primitives/messageOf.js';
import { isMissingPackageError, loadPeers, PEER_VERSIONS } from '../../primitives/peers.js';
import { LengthPrefixed } from '../decode/lengthPrefixed.js';
import { ConnectionLost } from '../providerErrors.js';
import type { GatewayMethod } from './frames.js';
import { GatewayUnusable, NAME } from './gatewayErrors.js';

/** As much of the client's `IBApi` as is used. Its own types are in no declaration of this package. */
export type GatewayClient = {
  on(event: 'all', listener: (name: string, args: readonly unknown[]) => void): void;
  removeAllListeners(): void;
  connect(): void;
  disconnect(): void;
} & Readonly<Record<GatewayMethod, (...args: readonly unknown[]) => void>>;

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: number;
}

const CLIENT_PACKAGE = '@stoqey/ib';
const CLIENT_VERSION = PEER_VERSIONS[CLIENT_PACKAGE];

/** Above any rate of ours: the client must not queue. Given, so that it reads no `.env` file for it. */
const NO_RATE_LIMIT = 100_000;
/** The longest message of the protocol. */
const MAX_MESSAGE_BYTES = 0xffffff - 4;

/** Loads the client, an optional peer, when the first connection is made. */
export async function loadClient(): Promise<(options: ClientOptions) => GatewayClient> {
  const { IBApi } = await importClient();
  return (options) => new IBApi({ ...options, maxReqPerSec: NO_RATE_LIMIT });
}

type ClientModule = { readonly IBApi: new (options: ClientOptions & { maxReqPerSec: number }) => GatewayClient };

async function importClient(): Promise<ClientModule> {
  try {
    const loaded = await loadPeers({ user: 'IBKR' }, { '@stoqey/ib': () => import('@stoqey/ib') });
    return loaded['@stoqey/ib'] as unknown as ClientModule;
  } catch (cause) {
    if (isMissingPackageError(cause)) throw new GatewayUnusable(NAME, cause.message, { cause });
    throw new GatewayUnusable(NAME, `${CLIENT_PACKAGE} cannot be loaded (${messageOf(cause)}): install it anew`, {
      cause,
    });
  }
}

export interface ClientGuard {
  /** Bytes have come. */
  received(): void;
  /** What came cannot be read, and nothing after it. */
  failed(error: unknown): void;
}

interface ClientSocket {
  onData(chunk: Buffer): void;
  /** The socket of Node, once the client connects. */
  readonly client?: { setNoDelay?(on: boolean): void };
}

const socketOf = (client: GatewayClient): Partial<ClientSocket> | undefined =>
  (client as unknown as { readonly controller?: { readonly socket?: Partial<ClientSocket> } }).controller?.socket;

/** Small messages are sent at once: otherwise each waits until the one before is acknowledged, for 40 ms or so. */
export function sendAtOnce(client: GatewayClient): void {
  socketOf(client)?.client?.setNoDelay?.(true);
}

/**
 * Stands between the socket and the client, whose version 1.6.10 loops for ever at a negative length of a message, and throws out of
 * the socket's event, which ends the process, at some messages that are malformed. The client gets whole messages, one at a
 * time.
 */
export function guardClient(client: GatewayClient, guard: ClientGuard): void {
  const socket = socketOf(client);
  if (typeof socket?.onData !== 'function') {
    throw new GatewayUnusable(NAME, `this version of ${CLIENT_PACKAGE} is not known: install ${CLIENT_VERSION}`);
  }
  const take = socket.onData.bind(socket);
  const messages = new LengthPrefixed(MAX_MESSAGE_BYTES);
  let isBroken = false;
  socket.onData = (chunk) => {
    if (isBroken) return;
    guard.received();
    try {
      for (const message of messages.push(chunk)) take(message);
    } catch (error) {
      isBroken = true;
      guard.failed(new ConnectionLost(NAME, 'TWS sent what the client cannot read', { cause: error }));
    }
  };
}
