import type { Farm } from './gatewayCodes.js';

/** Which farms of servers TWS has said to be connected. Requests that are made before may never be answered. */
export class FarmWatch {
  readonly #seen = new Set<Farm>();
  /** Farms that are not connected, by their notice's last word: `usfarm`. */
  readonly #broken = new Map<string, Farm>();

  /** Whether one of each kind is connected, or will be on demand. */
  get isComplete(): boolean {
    return this.#seen.size === 3;
  }

  /** The kinds that have not been heard of. */
  get missing(): readonly Farm[] {
    return (['market', 'history', 'definitions'] as const).filter((farm) => !this.#seen.has(farm));
  }

  broken(farm: Farm, text: string): void {
    this.#broken.set(nameOf(text), farm);
  }

  /** Returns whether it had been broken. */
  connected(farm: Farm, text: string): boolean {
    this.#seen.add(farm);
    return this.#broken.delete(nameOf(text));
  }
}

/** `Market data farm connection is OK:usfarm`. */
function nameOf(text: string): string {
  return text.slice(text.lastIndexOf(':') + 1).trim();
}
