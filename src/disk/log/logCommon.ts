import type { Disk, NotAFileError } from '../disk.js';
import { Quarantine } from './quarantine.js';

/** Something in the folder that cannot be read as an entry. It stays where it is, or in quarantine. */
export type LogProblem =
  | {
      readonly kind: 'quarantined';
      readonly segment: string;
      readonly offset: number;
      readonly length: number;
      /** Where the bytes are kept. */
      readonly path: string;
    }
  | { readonly kind: 'unknownVersion'; readonly segment: string; readonly entries: number }
  /** Something that is no file has the name of one. */
  | { readonly kind: 'passedOver'; readonly path: string; readonly is: NotAFileError['is'] };

/** Names and quarantine that several logs share: no segment of one has the name of one in another. */
export class LogCommon {
  readonly quarantine: Quarantine;
  readonly #now: () => number;
  #lastName = 0;

  constructor(disk: Disk, folder: string, now: () => number) {
    this.quarantine = new Quarantine(disk, folder);
    this.#now = now;
  }

  async load(): Promise<void> {
    this.taken(await this.quarantine.load());
  }

  /** Names that must not be used again. */
  taken(names: readonly string[]): void {
    for (const name of names) this.#lastName = Math.max(this.#lastName, Number(name));
  }

  nextName(): string {
    this.#lastName = Math.max(this.#lastName + 1, Math.floor(this.#now()));
    return String(this.#lastName).padStart(13, '0');
  }
}
