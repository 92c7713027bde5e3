import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { sluice } from '../../src/cli/program.js';
import { type Output, OutputClosedError, type Terminal } from '../../src/cli/terminal.js';

export interface FakeTerminal extends Terminal {
  readonly said: { readonly stdout: string; readonly stderr: string };
  readonly questions: readonly string[];
  readonly signals: EventEmitter;
}

export interface FakeTerminalConfig {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly isTTY?: boolean;
  /** What the person answers; without it there is no person. */
  readonly answer?: string;
  /** Standard output is closed when so many writes have been made. */
  readonly closesAfter?: number;
}

/** A terminal whose output is kept. */
export function fakeTerminal(config: FakeTerminalConfig = {}): FakeTerminal {
  const said = { stdout: '', stderr: '' };
  const questions: string[] = [];
  const output = (name: 'stdout' | 'stderr', closesAfter = Number.POSITIVE_INFINITY): Output => {
    let writes = 0;
    const keep = (text: string) => {
      said[name] += text;
    };
    return {
      isTTY: config.isTTY ?? false,
      columns: config.isTTY ? 80 : undefined,
      stream: new Writable({
        write(chunk, _, done) {
          keep(String(chunk));
          done();
        },
      }),
      async write(text) {
        writes += 1;
        if (writes > closesAfter) throw new OutputClosedError();
        keep(text);
      },
    };
  };
  return {
    env: config.env ?? {},
    cwd: config.cwd ?? '/nowhere',
    stdout: output('stdout', config.closesAfter),
    stderr: output('stderr'),
    isInteractive: config.answer !== undefined,
    async ask(question) {
      questions.push(question);
      return config.answer ?? '';
    },
    signals: new EventEmitter(),
    said,
    questions,
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly questions: readonly string[];
}

/** Runs the program in this process. */
export async function runSluice(args: readonly string[], config: FakeTerminalConfig = {}): Promise<Ran> {
  const terminal = fakeTerminal(config);
  const code = await sluice(args, terminal);
  return { code, ...terminal.said, questions: terminal.questions };
}
