import { createInterface } from 'node:readline/promises';
import type { SignalEmitter } from '../pipelines/run.js';
import type { Environment } from '../settings/readVariables.js';

/** All that a command knows of the world: what it was started with, where it writes, whom it may ask, who may stop it. */
export interface Terminal {
  readonly env: Environment;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether a person is there to answer. */
  readonly isInteractive: boolean;
  /** Asks the person; an empty answer where there is none to come. */
  ask(question: string): Promise<string>;
  /** Where SIGINT and SIGTERM come from. */
  readonly signals: SignalEmitter;
}

/** Standard output or standard error. */
export interface Output {
  readonly isTTY: boolean;
  /** The width of a line, or `undefined` where lines do not wrap. */
  readonly columns: number | undefined;
  /** The stream itself, for a progress bar. */
  readonly stream: NodeJS.WritableStream;
  /** Resolves when more may be written. Rejects with an {@link OutputClosedError} when nobody reads any more. */
  write(text: string): Promise<void>;
}

/** Whoever read the output has gone, as `head` does when it has seen enough. No failure of the command. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
  readonly code = 'SLUICE_OUTPUT_CLOSED';

  constructor(options?: ErrorOptions) {
    super('nobody reads the output any more', options);
  }
}

export function isOutputClosedError(error: unknown): error is OutputClosedError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_OUTPUT_CLOSED';
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: outputOf(stdout),
    stderr: outputOf(stderr),
    isInteractive: Boolean(stdin.isTTY && stderr.isTTY),
    async ask(question) {
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
        return await Promise.race([lines.question(question), ended]);
      } finally {
        lines.close();
      }
    },
    signals: process,
  };
}

/** Writes to a stream no faster than it is read. */
export function outputOf(stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }): Output {
  let closed: OutputClosedError | undefined;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const resume of [...waiting]) resume();
    waiting.clear();
  };
  // Without a listener an EPIPE would end the process with a stack.
  stream.on('error', (cause) => {
    closed ??= new OutputClosedError({ cause });
    wake();
  });
  stream.on('close', () => {
    closed ??= new OutputClosedError();
    wake();
  });
  stream.on('drain', wake);
  return {
    isTTY: Boolean(stream.isTTY),
    get columns() {
      return stream.isTTY ? stream.columns || 80 : undefined;
    },
    stream,
    async write(text) {
      if (!closed && !stream.write(text)) await new Promise<void>((resume) => waiting.add(resume));
      if (closed) throw closed;
    },
  };
}
