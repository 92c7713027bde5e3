import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { LoadSettingsConfig } from './loadSettings.js';
import { Secret } from './secret.js';

/** A variable by its name, and the name that is read where it is not set. */
export interface NamedVariable {
  readonly name: string;
  readonly alias?: string;
}

/**
 * The values of variables that are no settings of Sluice, such as the keys of vendors: from the environment, which wins, and from
 * `.env`. Each may be a secret. One that is empty counts as not given. A file that cannot be read counts as empty:
 * `loadSettings()` says what is wrong with it.
 *
 * @example
 * ```ts
 * import { loadVariables } from 'sluice/settings';
 *
 * const { MASSIVE_API_KEY } = loadVariables([{ name: 'MASSIVE_API_KEY', alias: 'POLYGON_API_KEY' }]);
 * const key = MASSIVE_API_KEY?.reveal();
 * ```
 */
export function loadVariables(
  variables: readonly NamedVariable[],
  { env = process.env, cwd = process.cwd(), dotenvFile }: LoadSettingsConfig = {},
): Readonly<Record<string, Secret | undefined>> {
  const file = dotenvFile === false ? {} : readFile(resolve(cwd, dotenvFile ?? '.env'));
  const textOf = (name: string) => (env[name] ?? file[name])?.trim() || undefined;
  const values = variables.map(({ name, alias }) => {
    const value = textOf(name) ?? (alias === undefined ? undefined : textOf(alias));
    return [name, value === undefined ? undefined : new Secret(value)] as const;
  });
  return Object.fromEntries(values);
}

function readFile(path: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch {
    return {};
  }
}
