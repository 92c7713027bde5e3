import { loadSettings, type Settings } from '../settings/loadSettings.js';
import type { ExitCode } from './exitCodes.js';
import type { Terminal } from './terminal.js';

/** Options that may precede or follow any command. */
export interface GlobalOptions {
  /** Whether errors are shown with their stack and causes. */
  readonly debug: boolean;
  /** Read instead of `.env`. */
  readonly dotenvFile?: string;
}

/** What the commands share in one run of the program. */
export class CommandContext {
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
    return loadSettings({ env, cwd, ...(dotenvFile !== undefined && { dotenvFile }) });
  }

  /** Writes a result, one or more lines, to standard output. */
  print(text: string): Promise<void> {
    return this.terminal.stdout.write(`${text}\n`);
  }

  /** Writes a line for humans to standard error. */
  report(text: string): Promise<void> {
    return this.terminal.stderr.write(`${text}\n`);
  }
}
