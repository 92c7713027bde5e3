import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { PGlite, protocol } from '@electric-sql/pglite';

/**
 * What runs in the thread. A text, because a file of its own would have to be found beside this one, and bundlers lose it.
 * Errors are taken apart: a copy of an error leaves its code behind. Those of the file system within WebAssembly have only the
 * number that WASI gives them.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const CODES = { 2: 'EACCES', 19: 'EDQUOT', 29: 'EIO', 33: 'EMFILE', 51: 'ENOSPC', 63: 'EPERM', 69: 'EROFS' };
const taken = ({ name, message, stack, errno, code = CODES[errno] }) => ({ name, message, stack, code, errno });
const opened = require(workerData.module).PGlite.create({ dataDir: workerData.folder });
opened.then(() => parentPort.postMessage({}), (error) => parentPort.postMessage({ error: taken(error) }));
const take = async (bytes) => {
  try {
    const database = await opened;
    if (bytes === null) {
      await database.close();
      parentPort.postMessage({});
      return;
    }
    const answer = new Uint8Array(await database.execProtocolRaw(bytes));
    parentPort.postMessage({ answer }, [answer.buffer]);
  } catch (error) {
    parentPort.postMessage({ error: taken(error) });
  }
};
// One after the other, as answers are told apart by their order.
let last;
parentPort.on('message', (bytes) => {
  last = Promise.resolve(last).then(() => take(bytes));
});
`;

interface Reply {
  readonly answer?: Uint8Array;
  readonly error?: Partial<NodeJS.ErrnoException>;
}

interface Waiting {
  resolve(answer: Uint8Array | undefined): void;
  reject(error: Error): void;
}

/**
 * An embedded database in a thread of its own, so that a statement, and the opening, which takes seconds, leave the event loop
 * of the program alone. Has the part of PGlite's interface that its adapter for the driver uses.
 */
export class PgliteThread implements Pick<PGlite, 'ready' | 'closed' | 'close'> {
  readonly waitReady: Promise<void>;
  readonly #worker: Worker;
  /** Who waits for an answer, in the order in which they come. */
  readonly #waiting: Waiting[] = [];
  readonly #parser: protocol.Parser;
  #ready = false;
  #closed = false;
  #failure: Error | undefined;

  constructor(folder: string, Parser: typeof protocol.Parser) {
    this.#parser = new Parser();
    const module = createRequire(import.meta.url).resolve('@electric-sql/pglite');
    // Flags of this process, such as a loader of TypeScript, mean nothing to it.
    this.#worker = new Worker(PROGRAM, { eval: true, execArgv: [], workerData: { module, folder } });
    this.#worker.on('message', (reply: Reply) => this.#take(reply));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the embedded database has ended')));
    this.waitReady = this.#answer().then(
      () => {
        this.#ready = true;
      },
      async (error) => {
        await this.#worker.terminate();
        throw error;
      },
    );
  }

  get ready(): boolean {
    return this.#ready && !this.#failure;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async execProtocolStream(message: Uint8Array): Promise<object[]> {
    const copy = new Uint8Array(message);
    const answer = this.#answer();
    this.#worker.postMessage(copy, [copy.buffer]);
    const messages: object[] = [];
    const bytes = await answer;
    if (bytes) this.#parser.parse(bytes, (one) => messages.push(one));
    return messages;
  }

  /** Ends the database in good order, and the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      const answer = this.#answer();
      this.#worker.postMessage(null);
      await answer;
    } finally {
      await this.#worker.terminate();
    }
  }

  /** The process lives while an answer is awaited. */
  #answer(): Promise<Uint8Array | undefined> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#waiting.length === 0) this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #take({ answer, error }: Reply): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (error) waiting?.reject(Object.assign(new Error(error.message ?? ''), error));
    else waiting?.resolve(answer);
  }

  #end(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
