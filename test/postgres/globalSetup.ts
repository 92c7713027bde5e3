import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEmbeddedTemplate, type EmbeddedTemplate } from './embeddedTemplate.js';
import { type PostgresServer, startPostgres, type TestDatabase } from './server.js';

/**
 * One server for a whole run of vitest, started when the first test file asks for a database, and one embedded database to copy:
 * a run that needs none pays nothing. Test files run in processes of their own and ask over HTTP.
 */
export default async function setup(): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | undefined;
  const databases = new Map<string, TestDatabase>();
  let creating: Promise<EmbeddedTemplate> | undefined;

  const answer = async (method: string, path: string): Promise<string> => {
    if (method === 'GET') {
      creating ??= createEmbeddedTemplate();
      return JSON.stringify({ folder: (await creating).folder });
    }
    if (method === 'POST') {
      starting ??= startPostgres();
      const database = await (await starting).database();
      databases.set(`/${database.name}`, database);
      return JSON.stringify({ name: database.name, url: database.url });
    }
    await databases.get(path)?.drop();
    databases.delete(path);
    return '{}';
  };

  const broker = createServer((request, response) => {
    answer(request.method ?? '', request.url ?? '').then(
      (body) => response.end(body),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(error instanceof Error ? error.message : String(error));
      },
    );
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  process.env.SLUICE_TEST_BROKER = `http://127.0.0.1:${(broker.address() as AddressInfo).port}`;

  return async () => {
    broker.closeAllConnections();
    broker.close();
    for (const database of databases.values()) await database.drop().catch(() => {});
    await starting?.then(
      (server) => server.stop(),
      () => {},
    );
    await creating?.then(
      (template) => template.remove(),
      () => {},
    );
  };
}
