import { loadSettings, type Settings } from '../settings/loadSettings.js';
import type { ExitCode } from './exitCodes.js';
import type { Terminal } from './terminal.js';

/** Options that stand before or after any command. */
export interface GlobalOptions {
  /** Whether errors are shown with their stack and causes. */
  readonly debug: boolean;
  /** The file that is read in place of `.env`. */
  readonly dotenvFile: string | undefined;
}

/** One run of the program, as its commands see it. */
export class Invocation {
  readonly terminal: Terminal;
  exitCode: ExitCode = 0;
  readonly #globals: () => GlobalOptions;

  constructor(terminal: Terminal, globals: () => GlobalOptions) {
    this.terminal = terminal;
    this.#globals = globals;
  }

  /** Reads and checks all settings. Throws a `SettingsError`. */
  settings(): Settings {
    const { env, cwd } = this.terminal;
    const { dotenvFile } = this.#globals();
    return loadSettings({ env, cwd, ...(dotenvFile === undefined ? {} : { dotenvFile }) });
  }

  /** A line, or several, on standard output. */
  print(text: string): Promise<void> {
    return this.terminal.stdout.write(`${text}\n`);
  }

  /** A line for the person, on standard error. */
  tell(text: string): Promise<void> {
    return this.terminal.stderr.write(`${text}\n`);
  }
}
