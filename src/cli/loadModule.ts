import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../primitives/messageOf.js';
import { UsageError } from './commandContext.js';

/** What a module of the user's may export. */
export interface LoadedModule {
  readonly default?: unknown;
  readonly close?: unknown;
}

/** Loads a module that an option names. Throws a `UsageError`. */
export async function loadModule(cwd: string, option: string, file: string): Promise<LoadedModule> {
  const url = pathToFileURL(resolve(cwd, file)).href;
  try {
    return (await import(url)) as LoadedModule;
  } catch (error) {
    throw new UsageError(`${option}: cannot load ${file}: ${messageOf(error)}`, { cause: error });
  }
}
