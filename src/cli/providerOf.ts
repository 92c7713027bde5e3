import type { Provider } from '../providers/provider.js';
import { findProvider, PROVIDERS } from '../providers/registry.js';
import type { ProviderStreamConfig } from '../providers/streamConfig.js';
import { type CommandContext, UsageError } from './commandContext.js';
import { loadModule } from './loadModule.js';

export interface ProviderOption {
  /** A name of the registry, or the path of a module. */
  readonly provider: string;
  /** In place of the vendor's own address. */
  readonly url?: string | undefined;
}

/** The help of an option `--provider`. */
export const PROVIDER_HELP = `${PROVIDERS.map(({ name }) => name).join(', ')}, or the path of a module that exports (config) => Provider as its default`;

/** The provider of a name in the registry, or of a module of the user's. Its keys come from the environment and `.env`. */
export async function providerOf(
  context: CommandContext,
  { provider: name, url }: ProviderOption,
  stream: ProviderStreamConfig = {},
): Promise<Provider> {
  const where = url === undefined ? {} : { url };
  if (/[\\/]|\.[cm]?js$/.test(name)) {
    const { default: make } = await loadModule(context.terminal.cwd, '--provider', name);
    const made: unknown = typeof make === 'function' ? await make({ ...stream, ...where }) : undefined;
    if (typeof (made as Provider | undefined)?.stream === 'function') return made as Provider;
    throw new UsageError(`--provider: the default export of ${name} must be a function (config) => Provider`);
  }
  const { entry, notice } = findProvider(name);
  if (notice !== undefined) await context.report(notice);
  return entry.create({ ...where, variables: context.variables(entry.variables), stream });
}
