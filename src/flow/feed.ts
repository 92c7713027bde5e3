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
  /** Elements that are known and make no record. */
  readonly ignored: number;
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
  /** Records that came twice, over two connections of which one replaced the other. */
  readonly duplicates: number;
  /** Records that wait for downstream now. */
  readonly waiting: number;
  /** Gap records emitted. */
  readonly gaps: number;
  /** The same by their cause. */
  readonly gapsBy: ReadonlyMap<string, number>;
  /** What an operator should read, in the vendor's words: the last one. */
  readonly lastNotice: string | undefined;
  /** Why the last connection ended, or could not be made, without secrets. */
  readonly lastError: string | undefined;
}

/** Receives what happens at the feeds of a monitor; nothing of it per message. What it throws ends the stream. */
export interface FeedObserver {
  /** The state is another than it was. Where it is `down`, `lastError` says why. */
  feedChanged?(feed: Feed, from: FeedState): void;
  /** What an operator should read, in the vendor's words. */
  feedNoticed?(feed: Feed, notice: string): void;
}

/** What the stream of a provider counts with: plain fields, so that counting a message costs an addition. */
export class FeedAccount {
  readonly id: string;
  readonly name: string;
  isLive = true;
  messages = 0;
  bytes = 0;
  records = 0;
  unreadable = 0;
  ignored = 0;
  reconnects = 0;
  lastMessageAt: number | undefined;
  asked = 0;
  confirmed = 0;
  refused = 0;
  conflated = 0;
  replaced = 0;
  overflowed = 0;
  duplicates = 0;
  /** Set it before the state. */
  lastError: string | undefined;
  readonly #gapsBy = new Map<string, number>();
  readonly #observer: () => FeedObserver | undefined;
  #state: FeedState = 'connecting';
  #lastNotice: string | undefined;
  #waiting: () => number = none;
  #watcher: ((state: FeedState) => void) | undefined;

  constructor(id: string, name: string, observer: () => FeedObserver | undefined = () => undefined) {
    this.id = id;
    this.name = name;
    this.#observer = observer;
  }

  get state(): FeedState {
    return this.#state;
  }

  set state(state: FeedState) {
    const from = this.#state;
    if (state === from) return;
    this.#state = state;
    if (this.#watcher) this.#watcher(state);
    const observer = this.#observer();
    if (observer?.feedChanged) observer.feedChanged(this.feed, from);
  }

  get lastNotice(): string | undefined {
    return this.#lastNotice;
  }

  set lastNotice(notice: string | undefined) {
    this.#lastNotice = notice;
    const observer = this.#observer();
    if (notice !== undefined && observer?.feedNoticed) observer.feedNoticed(this.feed, notice);
  }

  /** A gap record is emitted. */
  countGap(cause: string): void {
    this.#gapsBy.set(cause, (this.#gapsBy.get(cause) ?? 0) + 1);
  }

  /** Gives the way to ask how many records wait, from the structure that holds them. */
  waits(waiting: () => number): void {
    this.#waiting = waiting;
  }

  /**
   * Calls `watcher` at each change of the state, inside of what the stream does: it must not throw. One at a time; the function that is
   * returned ends it.
   */
  watch(watcher: (state: FeedState) => void): () => void {
    this.#watcher = watcher;
    return () => {
      if (this.#watcher === watcher) this.#watcher = undefined;
    };
  }

  /** As it is now, for those who only look. */
  get feed(): Feed {
    let gaps = 0;
    for (const count of this.#gapsBy.values()) gaps += count;
    return Object.freeze({
      ...this,
      state: this.#state,
      gaps,
      gapsBy: new Map(this.#gapsBy),
      lastNotice: this.#lastNotice,
      waiting: this.#waiting(),
    });
  }

  /** Takes up the counts again for a new subscription. */
  reopen(): void {
    this.isLive = true;
    this.state = 'connecting';
  }

  /** The subscription has ended. */
  close(): void {
    this.isLive = false;
    this.confirmed = 0;
    this.#waiting = none;
    this.state = 'down';
  }
}

const none = () => 0;

/** The feeds of one monitor. */
export class FeedList {
  readonly #accounts: FeedAccount[] = [];
  readonly #observer: () => FeedObserver | undefined;

  /** `observer` is asked at each event who listens then. */
  constructor(observer: () => FeedObserver | undefined) {
    this.#observer = observer;
  }

  /** An account that is not in use, of the same provider, or a new one: a feed that flaps does not grow the list. */
  register(name: string): FeedAccount {
    const former = this.#accounts.find((account) => !account.isLive && account.name === name);
    if (former) {
      former.reopen();
      return former;
    }
    const ordinal = this.#accounts.filter((account) => account.name === name).length + 1;
    const account = new FeedAccount(ordinal === 1 ? name : `${name}#${ordinal}`, name, this.#observer);
    this.#accounts.push(account);
    return account;
  }

  get feeds(): readonly Feed[] {
    return this.#accounts.map(({ feed }) => feed);
  }
}
