/** The first packet of a client has no message type: only a length and one of these codes (protocol 3). */
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const MAJOR_VERSION = 3;

const HEADER_BYTES = 5;

/** Longer than any command tag or status. Longer messages are not kept. */
const MAX_TRACKED_BYTES = 1_024;

const CODE = {
  row: 0x44,
  complete: 0x43,
  ready: 0x5a,
  error: 0x45,
  copyIn: 0x47,
  copyOut: 0x48,
  copyBoth: 0x57,
} as const;
const STATUS_IDLE = 0x49;

/** The command tags of statements that change rows or end a transaction that did. */
const COMMITTING = /^(INSERT|UPDATE|DELETE|MERGE|COPY|COMMIT)\b/;

type Phase =
  /** The client has not sent its first packet yet. */
  | 'startup'
  /** The server answers a request for encryption with one byte. */
  | 'answer'
  | 'messages'
  /** Encrypted, or not the Postgres protocol. */
  | 'opaque';

/** Bytes of the server to pass on, and what to do after them, where the rest of the bytes are lost. */
export interface Replies {
  readonly pass: readonly Buffer[];
  /** Whether the reply to a commit was removed after them. */
  readonly swallowed: boolean;
  /** Whether a fault is due after the last row in them. */
  readonly hasRowDue?: boolean;
}

/**
 * Reads the messages of a Postgres server (protocol 3) and removes the reply to a statement that has committed, from its
 * CommandComplete to the ReadyForQuery that reports no open transaction. If nothing was committed, because the transaction is
 * still open, has failed or was rolled back, the held bytes are passed on.
 *
 * A CommandComplete alone proves nothing: in the extended protocol, the server sends it before it commits.
 */
export class PostgresReplies {
  readonly #isWanted: () => boolean;
  readonly #isDueAfterRow: () => boolean;
  #phase: Phase = 'startup';
  /** The header of the message, and the body if it is short and relevant. */
  #message: number[] = [];
  #length = 0;
  #seen = 0;
  #held: Buffer[] = [];
  #isHolding = false;
  #commits = false;
  #hasFailed = false;
  #isCopyOut = false;
  #firstOfClient: number[] = [];

  /**
   * `isWanted` is called at each CommandComplete and says whether to remove the reply to a commit; `isDueAfterRow` after each row of
   * a result, and says whether to stop there.
   */
  constructor(isWanted: () => boolean, isDueAfterRow: () => boolean = () => false) {
    this.#isWanted = isWanted;
    this.#isDueAfterRow = isDueAfterRow;
  }

  /** Whether this connection cannot be read: it is encrypted or not Postgres. */
  get isOpaque(): boolean {
    return this.#phase === 'opaque';
  }

  /** Reads the first packets of the client, which determine the meaning of the server's first bytes. */
  fromClient(chunk: Buffer): void {
    if (this.#phase !== 'startup') return;
    const first = this.#firstOfClient;
    for (let i = 0; i < chunk.length && first.length < 8; i++) first.push(chunk[i]!);
    if (first.length < 8) return;
    const code = Buffer.from(first).readInt32BE(4);
    this.#firstOfClient = [];
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.#phase = 'answer';
    else if (code >> 16 === MAJOR_VERSION) this.#phase = 'messages';
    else if (code !== CANCEL_REQUEST) this.#phase = 'opaque';
  }

  fromServer(chunk: Buffer): Replies {
    const pass: Buffer[] = [];
    let at = 0;
    if (this.#phase === 'answer' && chunk.length > 0) {
      // 'N': the client continues unencrypted. Anything else is encryption or an error of a very old server.
      this.#phase = chunk[0] === 0x4e ? 'startup' : 'opaque';
    }
    if (this.#phase !== 'messages') return { pass: [chunk], swallowed: false };

    /** The start of the bytes that are not handed out yet. */
    let from = 0;
    const handOut = (end: number) => {
      if (end > from) (this.#isHolding ? this.#held : pass).push(chunk.subarray(from, end));
      from = end;
    };
    while (at < chunk.length) {
      if (this.#seen === 0) {
        const code = chunk[at]!;
        const hold = code === CODE.complete && !this.#isHolding && this.#isWanted();
        // The client must answer these, so they cannot be held back.
        const free = this.#isHolding && (code === CODE.copyIn || code === CODE.copyBoth);
        if (hold || free) handOut(at);
        if (hold) this.#isHolding = true;
        if (free) this.#release(pass);
      }
      at = this.#read(chunk, at);
      if (this.#phase !== 'messages') break;
      if (this.#seen < HEADER_BYTES || this.#seen < this.#length) break;
      const isRow = this.#message[0] === CODE.row;
      const isOver = this.#end();
      if (isRow && this.#isDueAfterRow()) {
        handOut(at);
        this.#release(pass);
        return { pass, swallowed: false, hasRowDue: true };
      }
      if (isOver === undefined) continue;
      handOut(at);
      const swallowed = isOver && this.#isHolding;
      if (swallowed) this.#held = [];
      this.#release(pass);
      this.#commits = false;
      this.#hasFailed = false;
      this.#isCopyOut = false;
      if (swallowed) return { pass, swallowed };
    }
    handOut(chunk.length);
    if (this.isOpaque) this.#release(pass);
    return { pass, swallowed: false };
  }

  /** What is still held back when the server has ended. */
  rest(): readonly Buffer[] {
    const pass: Buffer[] = [];
    this.#release(pass);
    return pass;
  }

  #release(pass: Buffer[]): void {
    pass.push(...this.#held);
    this.#held = [];
    this.#isHolding = false;
  }

  /** Continues with the current message up to its end or that of the chunk. Returns where it stopped. */
  #read(chunk: Buffer, start: number): number {
    let at = start;
    while (this.#seen < HEADER_BYTES && at < chunk.length) {
      this.#message.push(chunk[at]!);
      this.#seen += 1;
      at += 1;
      if (this.#seen < HEADER_BYTES) continue;
      this.#length = 1 + Buffer.from(this.#message).readInt32BE(1);
      if (this.#length < HEADER_BYTES) this.#phase = 'opaque';
    }
    if (this.#seen < HEADER_BYTES) return at;
    const end = Math.min(chunk.length, at + this.#length - this.#seen);
    const [code] = this.#message;
    if ((code === CODE.complete || code === CODE.ready) && this.#length <= MAX_TRACKED_BYTES) {
      for (let i = at; i < end; i++) this.#message.push(chunk[i]!);
    }
    this.#seen += end - at;
    return end;
  }

  /** Ends a message. For a ReadyForQuery, returns whether it confirms a commit; for others, `undefined`. */
  #end(): boolean | undefined {
    const message = this.#message;
    const [code] = message;
    this.#message = [];
    this.#seen = 0;
    this.#length = 0;
    if (code === CODE.error) this.#hasFailed = true;
    if (code === CODE.copyOut) this.#isCopyOut = true;
    if (code === CODE.complete) {
      const tag = Buffer.from(message.slice(HEADER_BYTES, -1)).toString('latin1');
      // Also the tag of a COMMIT that the server had to roll back.
      if (tag === 'ROLLBACK') this.#commits = false;
      else if (COMMITTING.test(tag) && !(this.#isCopyOut && tag.startsWith('COPY'))) this.#commits = true;
    }
    if (code !== CODE.ready) return undefined;
    return this.#commits && !this.#hasFailed && message[HEADER_BYTES] === STATUS_IDLE;
  }
}
