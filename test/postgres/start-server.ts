/** Starts one server for all files of this folder, which use schemas of their own. */
import type { TestProject } from 'vitest/node';
import { lacksPostgres } from './postgres-test.ts';
import { startServer } from './server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresUrl: string;
  }
}

export const setup = async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  if (lacksPostgres) {
    return undefined;
  }
  const server = await startServer();
  project.provide('postgresUrl', server.url);
  return () => server.stop();
};
