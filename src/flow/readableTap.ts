/** What is used of a Node `Readable`. */
export interface ReadableLike {
  readonly readableEnded: boolean;
  readonly errored: Error | null;
  readonly destroyed: boolean;
  read(): unknown;
  on(event: string, listener: (error: Error) => void): unknown;
  off(event: string, listener: (error: Error) => void): unknown;
  destroy(): unknown;
}

/**
 * Reads a Node stream on demand: it requests nothing before the first {@link read}, and what the stream held when it
 * failed can still be read.
 */
export class ReadableTap<T> {
  /** Set when the stream has failed or was closed before its end. What it holds can be read first. */
  failure: { readonly error: unknown } | undefined;
  /** Whether everything has been read. */
  ended: boolean;
  readonly #stream: ReadableLike;
  readonly #onChange: () => void;
  #listening = false;

  /** `onChange` is called when there may be more to read, or the stream has ended or failed. */
  constructor(stream: ReadableLike, onChange: () => void) {
    this.#stream = stream;
    this.#onChange = onChange;
    this.ended = stream.readableEnded;
    if (stream.errored) this.failure = { error: stream.errored };
    else if (stream.destroyed && !this.ended) this.failure = { error: prematureClose() };
    stream.on('error', this.#onError);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onClose);
  }

  /** The next chunk or object; `null` if there is none now. */
  read(): T | null {
    if (!this.#listening) {
      // Not earlier: a listener for `readable` makes the stream fill its buffer.
      this.#listening = true;
      this.#stream.on('readable', this.#onChange);
    }
    return this.#stream.read() as T | null;
  }

  /** Destroys the stream. */
  close(): void {
    const stream = this.#stream;
    stream.off('readable', this.#onChange);
    stream.off('end', this.#onEnd);
    stream.off('close', this.#onClose);
    // The error listener stays: destroying a stream may emit an error, which would end the process if nothing listened.
    stream.destroy();
  }

  readonly #onError = (error: unknown) => {
    this.failure ??= { error };
    this.#onChange();
  };

  readonly #onEnd = () => {
    this.ended = true;
    this.#onChange();
  };

  readonly #onClose = () => {
    if (this.ended || this.failure) return;
    this.failure = { error: prematureClose() };
    this.#onChange();
  };
}

function prematureClose(): Error {
  return Object.assign(new Error('the stream was closed before its end'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}
