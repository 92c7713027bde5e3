import type { Sink } from '../../../contracts/sink.js';
import type { DeadLetter } from '../../../dead-letters/deadLetter.js';
import { UsageError } from '../../commandContext.js';
import { loadModule } from '../../loadModule.js';

/** A sink of the user's, and how to release what it holds. */
export interface OwnSink {
  readonly sink: Sink<unknown>;
  readonly close: () => Promise<void>;
}

/** The sink that a module exports as its default, or the function there returns; `close`, if exported, is called at the end. */
export async function loadSink(cwd: string, file: string): Promise<OwnSink> {
  const loaded = await loadModule(cwd, '--sink', file);
  const given: unknown = typeof loaded.default === 'function' ? await loaded.default() : loaded.default;
  if (typeof (given as Sink<unknown> | undefined)?.write !== 'function') {
    throw new UsageError(`--sink: the default export of ${file} must be a sink, or a function that returns one`);
  }
  const sink = given as Sink<unknown>;
  const { close } = loaded;
  return {
    sink: typeof sink.name === 'string' ? sink : Object.assign(Object.create(sink) as Sink<unknown>, { name: file }),
    close: async () => {
      if (typeof close === 'function') await close();
    },
  };
}

/** The function that a module exports as its default: it gets each item and its letter, and returns the item to write. */
export async function loadMend(cwd: string, file: string): Promise<(item: unknown, letter: DeadLetter) => unknown> {
  const { default: mend } = await loadModule(cwd, '--mend', file);
  if (typeof mend !== 'function') throw new UsageError(`--mend: the default export of ${file} must be a function`);
  return mend as (item: unknown, letter: DeadLetter) => unknown;
}
