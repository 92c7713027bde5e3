/** Hooks of Node's loader that report the address of each module that is loaded. */
import type { LoadHook } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

let port: MessagePort;

export function initialize(given: MessagePort): void {
  port = given;
}

export const load: LoadHook = (url, context, nextLoad) => {
  port.postMessage(url);
  return nextLoad(url, context);
};
