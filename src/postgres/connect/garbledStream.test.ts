import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classifyFailure } from '../../failures/classifyFailure.js';
import { isLostConnection } from '../../failures/failureHints.js';
import { Login } from './login.js';
import { OpenClients } from './openClients.js';

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const READY = message('Z', Buffer.from('I'));
const HELLO = Buffer.concat([message('R', Buffer.alloc(4)), READY]);
const FAILED = message('E', Buffer.from('SFATAL\0C08P01\0Mserver conn crashed?\0\0'));

/** The start of a message of ten columns that goes no further. */
const torn = (type: string, body: readonly number[]) => Buffer.from([type.charCodeAt(0), 0, 0, 0, 27, ...body]);

describe('a connection that carries what is no message', () => {
  let server: Server;
  let answer: (socket: Socket) => void;
  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(HELLO);
        socket.on('data', () => answer(socket));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  const connected = async () => {
    const login = new Login({ password: undefined, patienceMs: 0, now: () => 0 });
    const clients = new OpenClients({ Client: pg.Client, connectTimeoutMs: 5_000, login });
    const { port } = server.address() as AddressInfo;
    const client = new clients.Client({ host: '127.0.0.1', port, user: 'u', password: 'p', ssl: false });
    await client.connect();
    return client;
  };

  it.each([
    ['the answer to a COPY', torn('G', [1])],
    ['a description of rows', torn('T', [0, 10])],
    ['a row', torn('D', [0, 10, 0])],
  ])(
    'is lost, transiently, where the error of a pooler comes within %s, and the process goes on',
    async (_what, start) => {
      answer = (socket) => void socket.write(Buffer.concat([start, FAILED]));
      const client = await connected();
      const ended = new Promise((resolve) => client.once('end', resolve));
      const error = await client.query('SELECT 1').then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(classifyFailure(error)).toBe('transient');
      expect(isLostConnection(error)).toBe(true);
      await ended;
    },
  );

  it('leaves an error of whoever receives a message alone', async () => {
    answer = (socket) => void socket.write(READY);
    const client = await connected();
    const bug = new Error('a bug of the caller');
    const caught = new Promise<unknown>((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other);
        resolve(error);
      });
    });
    client.connection.once('readyForQuery', () => {
      throw bug;
    });
    void client.query('SELECT 1').catch(() => {});
    expect(await caught).toBe(bug);
    await client.end();
  });
});
