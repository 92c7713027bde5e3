/**
 * What a feed is doing: `connecting`, until the vendor has confirmed a subscription or sent data; `live`; `stale`, since data have
 * been missing for too long, until they come again; `down`, between two attempts and after the end.
 */
export type FeedState = 'connecting' | 'live' | 'stale' | 'down';

/** How one subscription of a provider's stream is doing: counts since it was first subscribed, at one moment. */
export interface Feed {
  /** The provider, with a number from the second of that name in a pipeline on: `massive`, `massive#2`. */
  readonly id: string;
  /** The provider: `massive`. */
  readonly name: string;
  readonly state: FeedState;
  /** Whether it is subscribed. */
  readonly isLive: boolean;
  /** Messages received over all connections. */
  readonly messages: number;
  /** Their size: bytes of binary messages, characters of text. */
  readonly bytes: number;
  /** Records made of them, gap records not among them. */
  readonly records: number;
  /** Elements that could not be read. */
  readonly unreadable: number;
  /** Connections made after the first. */
  readonly reconnects: number;
  /** When the last message came, in epoch milliseconds; `undefined` before the first. */
  readonly lastMessageAt: number | undefined;
  /** Series that are wanted now, refused ones among them. */
  readonly asked: number;
  /** Of those, how many the vendor has confirmed on the connection of now. */
  readonly confirmed: number;
  /** Of those, how many the vendor refuses. */
  readonly refused: number;
  /** Quotes that a newer one has replaced while they waited. */
  readonly conflated: number;
  /** Forming bars that a newer state has replaced while they waited. */
  readonly replaced: number;
  /** Records lost because the intake was full; gap records say which. */
  readonly overflowed: number;
  /** Records that wait for downstream now. */
  readonly waiting: number;
  /** Gap records emitted. */
  readonly gaps: number;
  /** What an operator should read, in the vendor's words: the last one. */
  readonly lastNotice: string | undefined;
}

/** What the stream of a provider counts with: plain fields, so that counting a message costs an addition. */
export class FeedAccount {
  readonly id: string;
  readonly name: string;
  state: FeedState = 'connecting';
  isLive = true;
  messages = 0;
  bytes = 0;
  records = 0;
  unreadable = 0;
  reconnects = 0;
  lastMessageAt: number | undefined;
  asked = 0;
  confirmed = 0;
  refused = 0;
  conflated = 0;
  replaced = 0;
  overflowed = 0;
  gaps = 0;
  lastNotice: string | undefined;
  #waiting: () => number = none;

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  /** Gives the way to ask how many records wait, from the structure that holds them. */
  waits(waiting: () => number): void {
    this.#waiting = waiting;
  }

  /** As it is now, for those who only look. */
  get feed(): Feed {
    return Object.freeze({ ...this, waiting: this.#waiting() });
  }

  /** Takes up the counts again for a new subscription. */
  reopen(): void {
    this.isLive = true;
    this.state = 'connecting';
  }

  /** The subscription has ended. */
  close(): void {
    this.isLive = false;
    this.state = 'down';
    this.confirmed = 0;
    this.#waiting = none;
  }
}

const none = () => 0;

/** The feeds of one monitor. */
export class FeedList {
  readonly #accounts: FeedAccount[] = [];

  /** An account that is not in use, of the same provider, or a new one: a feed that flaps does not grow the list. */
  register(name: string): FeedAccount {
    const former = this.#accounts.find((account) => !account.isLive && account.name === name);
    if (former) {
      former.reopen();
      return former;
    }
    const ordinal = this.#accounts.filter((account) => account.name === name).length + 1;
    const account = new FeedAccount(ordinal === 1 ? name : `${name}#${ordinal}`, name);
    this.#accounts.push(account);
    return account;
  }

  get feeds(): readonly Feed[] {
    return this.#accounts.map(({ feed }) => feed);
  }
}
