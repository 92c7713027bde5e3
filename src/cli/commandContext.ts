import type { LoadSettingsConfig, loadSettings, Settings } from '../settings/loadSettings.js';
import { loadVariables, type NamedVariable, originsOf } from '../settings/loadVariables.js';
import { tellNowAndThen } from './progress.js';
import type { Terminal } from './terminal.js';

/** The exit codes of `sluice`. */
export const EXIT = {
  OK: 0,
  /** Something was attempted and failed. */
  FAILED: 1,
  /** Wrong usage or invalid settings: nothing was started. */
  USAGE: 2,
  /** Done, but letters were left or parked. */
  LETTERS_LEFT: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The arguments make no sense together; nothing was started. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

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
  #load: typeof loadSettings | undefined;

  constructor(terminal: Terminal, globals: () => GlobalOptions) {
    this.terminal = terminal;
    this.#globals = globals;
  }

  /** Loads what reads settings, which is large: before an action, so that help and wrong options are answered at once. */
  async prepare(): Promise<void> {
    this.#load = (await import('../settings/loadSettings.js')).loadSettings;
  }

  /** Reads and checks all settings. Throws a `SettingsError`. */
  settings(): Settings {
    if (!this.#load) throw new Error('settings are read by an action, once the context is prepared');
    return this.#load(this.#where());
  }

  /** The texts of variables that are no settings, such as the keys of vendors. */
  variables(variables: readonly NamedVariable[]): Readonly<Record<string, string | undefined>> {
    const secrets = Object.entries(loadVariables(variables, this.#where()));
    return Object.fromEntries(secrets.map(([name, secret]) => [name, secret?.reveal()]));
  }

  /** Where these variables are set, and under which name. */
  originsOf(variables: readonly NamedVariable[]): ReturnType<typeof originsOf> {
    return originsOf(variables, this.#where());
  }

  #where(): LoadSettingsConfig {
    const { env, cwd } = this.terminal;
    const { dotenvFile } = this.#globals();
    return { env, cwd, ...(dotenvFile !== undefined && { dotenvFile }) };
  }

  /** Writes a result, one or more lines, to standard output. */
  print(text: string): Promise<void> {
    return this.terminal.stdout.write(`${text}\n`);
  }

  /** Does work that may take long, and tells humans now and then how far it has come. */
  async telling<R>(text: () => string, work: () => Promise<R>): Promise<R> {
    const stop = tellNowAndThen(this.terminal.stderr, text);
    try {
      return await work();
    } finally {
      stop();
    }
  }

  /** Writes a line for humans to standard error. */
  report(text: string): Promise<void> {
    return this.terminal.stderr.write(`${text}\n`);
  }
}
