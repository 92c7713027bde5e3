import { printable } from '../primitives/printable.js';

/** One invalid setting. */
export interface SettingsMistake {
  /** The variable, or the path of the file. */
  readonly variable: string;
  /** One line: what is wrong, what is allowed, and what was found unless it is secret. */
  readonly message: string;
}

/** Invalid settings. The message has a line for each mistake, so that all can be fixed at once. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'SLUICE_SETTINGS_INVALID';
  readonly mistakes: readonly SettingsMistake[];

  constructor(mistakes: readonly SettingsMistake[]) {
    const head = mistakes.length === 1 ? 'one setting is wrong' : `${mistakes.length} settings are wrong`;
    super([`${head}:`, ...mistakes.map(({ message }) => `  ${printable(message)}`)].join('\n'));
    this.mistakes = mistakes;
  }
}

export function isSettingsError(error: unknown): error is SettingsError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_SETTINGS_INVALID';
}
