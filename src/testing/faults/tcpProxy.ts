import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { duration, integer, type OptionsOf, oneOf, readArgument, readOptions } from '../../primitives/options.js';
import { type Address, redirected } from './address.js';
import { ArmedFault, type ArmedFaultOptions, type Direction, type Fault, type FaultKind } from './fault.js';
import type {
  CommitReplyFault,
  ConnectionInfo,
  DripFault,
  FaultCounts,
  FaultProxy,
  FaultScope,
  HalfOpenFault,
  RefuseFault,
  SlowCloseFault,
  StallFault,
  TrafficFault,
  VanishFault,
} from './faultProxy.js';
import { FaultProxyError } from './faultProxyError.js';
import { ProxiedConnection } from './proxiedConnection.js';

const SCOPE = {
  connection: integer({ min: 1 }),
  times: integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(1),
} satisfies OptionsOf<FaultScope>;

const TRAFFIC = {
  ...SCOPE,
  direction: oneOf(['toServer', 'toClient']).default('toServer'),
  afterBytes: integer({ min: 0 }).default(0),
} satisfies OptionsOf<TrafficFault>;

const REFUSE = { forMs: duration() } satisfies OptionsOf<RefuseFault>;

const STALL = { ...TRAFFIC, ...REFUSE } satisfies OptionsOf<StallFault>;

const DRIP = {
  ...STALL,
  bytes: integer({ min: 1 }).default(1),
  everyMs: duration().default(10),
} satisfies OptionsOf<DripFault>;

const VANISH = { ...TRAFFIC, serverNoticesMs: duration() } satisfies OptionsOf<VanishFault>;

const HALF_OPEN = { ...TRAFFIC, afterRows: integer({ min: 1 }) } satisfies OptionsOf<HalfOpenFault>;

const SLOW_CLOSE = { ...SCOPE, ...REFUSE } satisfies OptionsOf<SlowCloseFault>;

const COMMIT_REPLY = {
  ...SCOPE,
  how: oneOf(['cut', 'reset', 'stall']).default('cut'),
} satisfies OptionsOf<CommitReplyFault>;

/** Listens, and keeps the connections and the armed faults. */
export class TcpProxy implements FaultProxy {
  readonly host: string;
  port = 0;
  readonly #target: Address;
  readonly #open = new Map<number, ProxiedConnection>();
  readonly #armed = new Set<ArmedFault>();
  readonly #bytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #fired: Record<FaultKind, number> = {
    cut: 0,
    reset: 0,
    stall: 0,
    drip: 0,
    vanish: 0,
    halfOpen: 0,
    slowClose: 0,
    refuse: 0,
    dropCommitReply: 0,
  };
  #accepted = 0;
  #server: Server | undefined;
  #refusals = 0;
  #isClosed = false;

  constructor(target: Address, host: string) {
    this.#target = target;
    this.host = host;
  }

  get connections(): readonly ConnectionInfo[] {
    return [...this.#open.values()].map(({ id, bytes }) => ({ id, bytes: { ...bytes } }));
  }

  get counts(): FaultCounts {
    return { connections: this.#accepted, bytes: { ...this.#bytes }, fired: { ...this.#fired } };
  }

  url(databaseUrl: string): string {
    return redirected('proxy.url', databaseUrl, this);
  }

  cut(options: TrafficFault = {}): Fault {
    return this.#arm('cut', { ...readOptions('cut', options, TRAFFIC), strike: { how: 'cut' } });
  }

  reset(options: TrafficFault = {}): Fault {
    return this.#arm('reset', { ...readOptions('reset', options, TRAFFIC), strike: { how: 'reset' } });
  }

  stall(options: StallFault = {}): Fault {
    const { forMs, ...traffic } = readOptions('stall', options, STALL);
    return this.#arm('stall', { ...traffic, strike: { how: 'stall', forMs } });
  }

  drip(options: DripFault = {}): Fault {
    const { bytes, everyMs, forMs, ...traffic } = readOptions('drip', options, DRIP);
    return this.#arm('drip', { ...traffic, strike: { how: 'drip', pace: { bytes, everyMs }, forMs } });
  }

  vanish(options: VanishFault = {}): Fault {
    const { serverNoticesMs, ...traffic } = readOptions('vanish', options, VANISH);
    return this.#arm('vanish', { ...traffic, strike: { how: 'vanish', serverNoticesMs } });
  }

  halfOpen(options: HalfOpenFault = {}): Fault {
    return this.#arm('halfOpen', { ...readOptions('halfOpen', options, HALF_OPEN), strike: { how: 'halfOpen' } });
  }

  slowClose(options: SlowCloseFault = {}): Fault {
    const { forMs, ...scope } = readOptions('slowClose', options, SLOW_CLOSE);
    return this.#arm('slowClose', { ...scope, strike: { how: 'slowClose', forMs } });
  }

  dropCommitReply(options: CommitReplyFault = {}): Fault {
    const { how, ...scope } = readOptions('dropCommitReply', options, COMMIT_REPLY);
    return this.#arm('dropCommitReply', { ...scope, strike: { how } });
  }

  refuse(options: RefuseFault = {}): Fault {
    const { forMs } = readOptions('refuse', options, REFUSE);
    const fault = this.#arm('refuse', { times: Infinity });
    const mend = fault.mend.bind(fault);
    let listening: Promise<void> | undefined;
    let timer: NodeJS.Timeout | undefined;
    fault.mend = () => {
      clearTimeout(timer);
      mend();
      listening ??= this.#endRefusal();
      // Callers get the rejection; a timer would leave it unhandled.
      listening.catch(() => {});
      return listening;
    };
    this.#refusals += 1;
    this.#server?.close();
    this.#server = undefined;
    fault.fire({ id: 0, bytes: this.#bytes, rows: 0 });
    if (forMs !== undefined) timer = setTimeout(() => fault.mend(), forMs);
    return fault;
  }

  sever(how: 'cut' | 'reset' = 'cut'): number {
    readArgument('sever', 'how', how, oneOf(['cut', 'reset']));
    const open = [...this.#open.values()];
    for (const connection of open) connection[how]();
    this.#fired[how] += open.length;
    return open.length;
  }

  async mend(): Promise<void> {
    await Promise.all([...this.#armed].map((fault) => fault.mend()));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#server?.close();
    this.#server = undefined;
    await this.mend();
    await Promise.all([...this.#open.values()].map((connection) => connection.close()));
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    const listening = once(server, 'listening');
    server.listen(port, this.host);
    try {
      await listening;
    } catch (cause) {
      const { code } = cause as { readonly code?: unknown };
      throw new FaultProxyError(`cannot listen on ${this.host}:${port} (${String(code)}): choose another port`, {
        cause,
      });
    }
    this.port = (server.address() as AddressInfo).port;
    if (this.#isClosed || this.#refusals > 0) server.close();
    else this.#server = server;
  }

  async #endRefusal(): Promise<void> {
    this.#refusals -= 1;
    if (this.#refusals === 0 && !this.#isClosed) await this.listen(this.port);
  }

  #accept(client: Socket): void {
    if (this.#isClosed) {
      client.destroy();
      return;
    }
    this.#accepted += 1;
    const connection = new ProxiedConnection(this.#accepted, client, {
      target: this.#target,
      armed: this.#armed,
      passed: (direction, bytes) => {
        this.#bytes[direction] += bytes;
      },
      closed: ({ id }) => this.#open.delete(id),
    });
    this.#open.set(connection.id, connection);
  }

  #arm(kind: FaultKind, options: Omit<ArmedFaultOptions, 'kind' | 'open' | 'onFire' | 'onOver'>): ArmedFault {
    if (this.#isClosed) throw new FaultProxyError(`${kind} cannot be armed: the proxy is closed`);
    const fault = new ArmedFault({
      kind,
      ...options,
      open: this.#open.values(),
      onFire: () => {
        this.#fired[kind] += 1;
      },
      onOver: () => this.#armed.delete(fault),
    });
    this.#armed.add(fault);
    return fault;
  }
}
