import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect, vi } from 'vitest';

/** A server that says back what it is told, and keeps what it was told on each connection. */
export interface Echo {
  readonly server: Server;
  readonly heard: Buffer[];
  /** How each connection ended. */
  readonly ends: string[];
  readonly sockets: Socket[];
}

export async function startEcho(): Promise<Echo> {
  const heard: Buffer[] = [];
  const ends: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const index = sockets.push(socket) - 1;
    heard[index] = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      heard[index] = Buffer.concat([heard[index]!, chunk]);
      socket.write(chunk);
    });
    socket.on('end', () => {
      ends[index] = 'end';
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ends[index] = error.code ?? 'error';
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, heard, ends, sockets };
}

/** A client that keeps what it hears. */
export class EchoClient {
  heard = '';
  end: string | undefined;
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString('latin1');
    });
    this.socket.on('end', () => {
      this.end = 'end';
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.end = error.code ?? 'error';
    });
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
  }

  say(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async hears(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.heard).toBe(text), { timeout: 10_000, interval: 2 });
  }
}
