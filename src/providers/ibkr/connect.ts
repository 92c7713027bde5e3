import type { Connect, Connection, ConnectionEvents } from '../provider.js';
import { ConnectionLost } from '../providerErrors.js';
import type { Frame } from '../session.js';
import { type GatewayClient, guardClient, loadClient, sendAtOnce } from './client.js';
import { GATEWAY_EVENTS, GATEWAY_METHODS, type GatewayMethod, readEvent } from './frames.js';
import { portOf } from './gatewayCodes.js';
import { gatewayError, NAME, refusedByGateway } from './gatewayErrors.js';

/** Where TWS or IB Gateway listens, and as whom to connect. */
export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
  /** Used in turn: the next one when TWS says that one is in use. */
  readonly clientIds: readonly number[];
}

const PASSED_ON: ReadonlySet<string> = new Set(GATEWAY_EVENTS);
const METHODS: ReadonlySet<string> = new Set(GATEWAY_METHODS);
const CLIENT_ID_IN_USE = 326;
const PORT_RESET = 1300;

/**
 * The transport over the client of IBKR. Connections that are open at the same time have a client id each: the next of the list, or
 * the number after its highest. It remembers for the next connection which port to use, and which ids are in use elsewhere.
 */
export function gatewayConnect(address: GatewayAddress): Connect {
  const state: GatewayState = { port: address.port, first: 0, used: new Set(), closedAt: new Map() };
  return (events) => new GatewayConnection(address, state, events);
}

interface GatewayState {
  port: number;
  /** Where in the list of client ids to begin. */
  first: number;
  /** Client ids of connections that are open. */
  readonly used: Set<number>;
  /** When connections that had begun were closed, by client id: TWS may need a while to notice. */
  readonly closedAt: Map<number, number>;
}

/** A client id that was ours within this time is taken for still ours. */
const NOTICED_AFTER_MS = 30_000;

function freeId({ clientIds }: GatewayAddress, { first, used }: GatewayState): number {
  const turned = [...clientIds.slice(first), ...clientIds.slice(0, first)];
  const free = turned.find((id) => !used.has(id));
  if (free !== undefined) return free;
  let next = Math.max(...clientIds) + 1;
  while (used.has(next)) next += 1;
  return next;
}

/** The events of one client as frames, and frames as calls of its methods. */
class GatewayConnection implements Connection {
  readonly #address: GatewayAddress;
  readonly #state: GatewayState;
  readonly #events: ConnectionEvents;
  #client: GatewayClient | undefined;
  #isOpen = false;
  #isBegun = false;
  #isOver = false;
  readonly #clientId: number;

  constructor(address: GatewayAddress, state: GatewayState, events: ConnectionEvents) {
    this.#address = address;
    this.#state = state;
    this.#events = events;
    this.#clientId = freeId(address, state);
    state.used.add(this.#clientId);
    loadClient().then(
      (make) => this.#connect(make),
      (error) => this.#end(error),
    );
  }

  send(frame: Frame): void {
    // The client would queue it, without bound, and send it on a connection that nobody asked it for.
    if (!this.#isBegun) throw new RangeError('ibkr: nothing may be sent before TWS has given the next order id');
    const [method, ...args] = readEvent(frame) ?? [''];
    if (!METHODS.has(method)) throw new RangeError(`ibkr: the client has no method ${JSON.stringify(method)} for data`);
    this.#client?.[method as GatewayMethod](...args);
  }

  close(): void {
    this.#isOver = true;
    this.#state.used.delete(this.#clientId);
    if (this.#isBegun) this.#state.closedAt.set(this.#clientId, performance.now());
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    client.removeAllListeners();
    client.disconnect();
  }

  #connect(make: Awaited<ReturnType<typeof loadClient>>): void {
    if (this.#isOver) return;
    try {
      const client = make({ host: this.#address.host, port: this.#state.port, clientId: this.#clientId });
      this.#client = client;
      client.on('all', (name, args) => this.#receive(name, args));
      guardClient(client, { received: () => this.#events.alive(), failed: (error) => this.#end(error) });
      client.connect();
      sendAtOnce(client);
    } catch (error) {
      this.#end(error);
    }
  }

  #receive(name: string, args: readonly unknown[]): void {
    if (this.#isOver) return;
    if (PASSED_ON.has(name)) {
      if (name === 'nextValidId') this.#isBegun = true;
      // The client reads this one as an integer: 0 for 0.01. It is passed on as it came.
      if (name !== 'tickReqParams') this.#pass(name, ...args);
    } else if (name === 'received') {
      this.#raw(args[0] as readonly string[]);
    } else if (name === 'error') {
      const [error, code, id] = args as [Error, number, number];
      this.#error(error.message, code, id);
    } else if (name === 'info') {
      this.#error(String(args[0]), args[1] as number, -1);
    } else if (name === 'connected') {
      this.#isOpen = true;
      this.#events.opened();
    } else if (name === 'disconnected') {
      const words = 'TWS closed the connection';
      this.#end(this.#isBegun ? new ConnectionLost(NAME, words) : refusedByGateway(`${words} before it began`));
    }
  }

  /** What the client of version 1.6.10 loses: the size of a bid, whose type is 0, and the fraction of the smallest tick. */
  #raw(tokens: readonly string[]): void {
    if (tokens[0] === '1' && tokens[3] === '1' && tokens[5])
      this.#pass('tickSize', Number(tokens[2]), 0, Number(tokens[5]));
    else if (tokens[0] === '81') {
      this.#pass('tickReqParams', Number(tokens[1]), Number(tokens[2]), tokens[3], Number(tokens[4]));
    }
  }

  #error(text: string, code: number, id: number): void {
    if (!this.#isOpen) {
      this.#end(gatewayError(code, code === 502 ? this.#unreachable(text) : text));
      return;
    }
    if (code === PORT_RESET) this.#state.port = portOf(text) ?? this.#state.port;
    if (code !== CLIENT_ID_IN_USE) {
      this.#pass('error', text, code, id);
      return;
    }
    this.#pass('error', text, code, id, ...this.#nextClientId());
  }

  /** Whom to connect as next; nothing after the last one of the list, so that a cooldown comes before the first. */
  #nextClientId(): readonly number[] {
    const { clientIds } = this.#address;
    const closedAt = this.#state.closedAt.get(this.#clientId);
    if (closedAt !== undefined && performance.now() - closedAt < NOTICED_AFTER_MS) return [this.#clientId];
    this.#state.first = (clientIds.indexOf(this.#clientId) + 1) % clientIds.length;
    return this.#state.first === 0 ? [] : [clientIds[this.#state.first]!];
  }

  #unreachable(text: string): string {
    return `${text}; TWS or IB Gateway must run at ${this.#address.host}:${this.#state.port}, with its API enabled`;
  }

  #pass(name: string, ...args: readonly unknown[]): void {
    this.#events.frame(JSON.stringify([name, ...args]));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.close();
    this.#events.closed(error);
  }
}
