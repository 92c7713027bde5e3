import type { Socket } from 'node:net';

/**
 * The open connections of a server, no more than `max` of them. A new one is never refused: the one that has been without a request
 * for longest is closed for it, or, where all have one, the one whose answer has taken longest.
 */
export class Connections {
  readonly #max: number;
  /** How many requests of each are not answered yet; those of which nothing was heard for longest are first. */
  readonly #requests = new Map<Socket, number>();

  constructor(max: number) {
    this.#max = max;
  }

  add(socket: Socket): void {
    if (this.#requests.size >= this.#max) this.#makeRoom();
    this.#requests.set(socket, 0);
    socket.once('close', () => this.#requests.delete(socket));
  }

  /** A request of this connection is to be answered. */
  began(socket: Socket): void {
    this.#count(socket, 1);
  }

  /** It is answered, or nobody waits for the answer any more. */
  answered(socket: Socket): void {
    this.#count(socket, -1);
  }

  #count(socket: Socket, change: number): void {
    const requests = this.#requests.get(socket);
    if (requests === undefined) return;
    this.#requests.delete(socket);
    this.#requests.set(socket, requests + change);
  }

  #makeRoom(): void {
    let longest: Socket | undefined;
    for (const [socket, requests] of this.#requests) {
      longest ??= socket;
      if (requests > 0) continue;
      longest = socket;
      break;
    }
    if (!longest) return;
    this.#requests.delete(longest);
    longest.destroy();
  }
}
