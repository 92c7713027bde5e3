import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The server of `server.ts` in a process of its own. */
export interface RemoteServer {
  readonly url: string;
  /** Starts the load. Resolves with the time of message 0, in epoch milliseconds, and the number of messages. */
  start(): Promise<{ readonly startedAt: number; readonly total: number }>;
  /** Resolves when all is sent, with the most bytes that waited for the client. */
  readonly sent: () => Promise<{ readonly sent: number; readonly worstBacklog: number }>;
  stop(): void;
}

export async function startServer(args: readonly number[]): Promise<RemoteServer> {
  const program = fileURLToPath(new URL('./server.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...args.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value as string);
  const { url } = (await next()) as { readonly url: string };
  return {
    url,
    start() {
      child.stdin.write('start\n');
      return next();
    },
    sent: next,
    stop: () => child.stdin.end(),
  };
}
