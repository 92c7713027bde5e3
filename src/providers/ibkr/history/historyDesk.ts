import { HistoryLink, type HistoryLinkConfig } from './historyLink.js';

/** Shares one connection among all that ask for history; it is closed when nobody does. */
export class HistoryDesk {
  readonly #config: HistoryLinkConfig;
  #link: HistoryLink | undefined;
  #users = 0;

  constructor(config: HistoryLinkConfig) {
    this.#config = config;
  }

  /** The pages that `pages` makes over a connection. */
  async *use<T>(pages: (link: HistoryLink) => AsyncIterable<T>): AsyncGenerator<T> {
    this.#users += 1;
    try {
      if (!this.#link || this.#link.isOver) this.#link = new HistoryLink(this.#config);
      yield* pages(this.#link);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        this.#link?.close();
        this.#link = undefined;
      }
    }
  }
}
