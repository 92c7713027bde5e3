import type { MarketEvent } from '../../../src/market/recordKinds.js';
import type { Frame } from '../../../src/providers/session.js';
import type { VenueSocket } from '../../../src/testing/venues/venueSocket.js';
import { WebSocketVenue } from '../../../src/testing/venues/webSocketVenue.js';

/** What a client of the reference venue says. */
interface Request {
  readonly op: 'login' | 'subscribe' | 'unsubscribe';
  readonly key?: string;
  /** `trade AAPL` */
  readonly series?: readonly string[];
}

/** The simplest vendor that does what vendors do: a greeting, a login, an answer per subscription, and records as they are. */
export class ReferenceVenue extends WebSocketVenue {
  readonly secret = 'hush-hush-4711';

  static async start(): Promise<ReferenceVenue> {
    const venue = new ReferenceVenue();
    await venue.listen();
    return venue;
  }

  announceEnd(): void {
    for (const socket of this.sockets) say(socket, { op: 'leaving' });
  }

  protected override onOpen(socket: VenueSocket): void {
    say(socket, { op: 'hello' });
  }

  protected override onOneTooMany(socket: VenueSocket): void {
    say(socket, { op: 'bye', code: 'quota', text: 'one connection per account' });
    socket.close(1008, 'quota');
  }

  protected override onMessage(socket: VenueSocket, frame: Frame): void {
    const request = JSON.parse(String(frame)) as Request;
    if (request.op === 'login') this.#login(socket, request.key);
    else {
      for (const series of request.series ?? []) this.#change(socket, request.op, series);
      this.subscribed(socket);
    }
  }

  protected override encode(records: readonly MarketEvent[], socket: VenueSocket): readonly Frame[] {
    const own = records.filter((record) => socket.subscriptions.has(seriesOf(record)));
    return own.length === 0 ? [] : [JSON.stringify({ op: 'data', records: own })];
  }

  protected override encodeMalformed(
    records: readonly MarketEvent[],
    at: number,
    socket: VenueSocket,
  ): readonly Frame[] {
    const own: unknown[] = records.filter((record) => socket.subscriptions.has(seriesOf(record)));
    if (own.length === 0) return [];
    own.splice(at, 0, { kind: 'trade', symbol: 17, price: 'many' });
    return [JSON.stringify({ op: 'data', records: own })];
  }

  #login(socket: VenueSocket, key: string | undefined): void {
    const rejection = this.rejection ?? (key === this.secret ? undefined : 'credentials');
    if (rejection) {
      // As some vendors do, it repeats what it was given.
      say(socket, { op: 'bye', code: rejection, text: `no ${rejection} for ${key}` });
      socket.terminate();
      return;
    }
    say(socket, { op: 'welcome' });
    this.loggedIn(socket);
  }

  #change(socket: VenueSocket, op: 'subscribe' | 'unsubscribe', series: string): void {
    const symbol = series.slice(series.indexOf(' ') + 1);
    if (this.isIgnored(symbol)) return;
    if (this.isRefused(symbol)) {
      say(socket, { op: 'refused', series, text: `never heard of ${symbol}` });
      return;
    }
    if (op === 'subscribe') socket.subscriptions.add(series);
    else socket.subscriptions.delete(series);
    say(socket, { op: `${op}d`, series });
  }
}

function say(socket: VenueSocket, message: object): void {
  socket.send(JSON.stringify(message));
}

function seriesOf(record: MarketEvent): string {
  return `${record.kind} ${'symbol' in record ? record.symbol : '*'}`;
}
