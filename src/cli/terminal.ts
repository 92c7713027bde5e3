import { createInterface } from 'node:readline/promises';
import { firstValueFrom, Subject } from 'rxjs';
import type { SignalEmitter } from '../pipelines/run.js';
import { printableLines } from '../primitives/printable.js';
import type { Environment } from '../settings/readVariables.js';

/** Everything that a command needs of its process. */
export interface Terminal {
  readonly env: Environment;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether someone can answer a question. */
  readonly isInteractive: boolean;
  /** Resolves with the answer, or with an empty string if the input ends. */
  ask(question: string): Promise<string>;
  /** Emits SIGINT and SIGTERM. */
  readonly signals: SignalEmitter;
}

/** Standard output or standard error. */
export interface Output {
  readonly isTTY: boolean;
  /** The width of a line; `undefined` if lines do not wrap. */
  readonly columns: number | undefined;
  /** The stream itself, for a progress bar. */
  readonly stream: NodeJS.WritableStream;
  /** Resolves when more may be written. Rejects with an {@link OutputClosedError} once the reader has gone. */
  write(text: string): Promise<void>;
}

/** The reader of the output has gone, as `head` does after enough lines. The command has not failed. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';

  constructor(options?: ErrorOptions) {
    super('the output was closed by its reader', options);
  }
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

/**
 * The same terminal, which receives none of the characters that it would obey: text of vendors, databases, files and letters
 * comes in too many ways for each to be remembered. A progress bar writes to the stream itself, and draws with such characters.
 */
export function printableTerminal(terminal: Terminal): Terminal {
  const { stdout, stderr } = terminal;
  return {
    ...terminal,
    stdout: printableOutput(stdout),
    stderr: printableOutput(stderr),
    ask: (question) => terminal.ask(printableLines(question)),
  };
}

function printableOutput(output: Output): Output {
  return {
    isTTY: output.isTTY,
    get columns() {
      return output.columns;
    },
    stream: output.stream,
    write: (text) => output.write(printableLines(text)),
  };
}

/** Wraps a stream so that writers wait for a slow reader. */
export function outputOf(stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }): Output {
  let closed: OutputClosedError | undefined;
  const goesOn$ = new Subject<void>();
  const close = (error: OutputClosedError) => {
    closed ??= error;
    goesOn$.next();
  };
  // Without a listener, an EPIPE would crash the process.
  stream.on('error', (cause) => close(new OutputClosedError({ cause })));
  stream.on('close', () => close(new OutputClosedError()));
  stream.on('drain', () => goesOn$.next());
  return {
    isTTY: Boolean(stream.isTTY),
    get columns() {
      return stream.isTTY ? stream.columns || 80 : undefined;
    },
    stream,
    async write(text) {
      if (!closed && !stream.write(text)) await firstValueFrom(goesOn$);
      if (closed) throw closed;
    },
  };
}
