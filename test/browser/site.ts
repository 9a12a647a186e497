/** The site that browsers open: one page and one worker, bundled, and the paths that a test serves. */
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

export interface Site {
  /** The address of the page. `localhost`, so that it counts as secure. */
  readonly url: string;
  /** Handles requests for a path. The last handler of a path wins. */
  on(path: string, handler: Handler): void;
  close(): Promise<void>;
}

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>pdsdb</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';

let bundling: Promise<Map<string, string>> | undefined;

/** The scripts, bundled once per process. */
const bundled = (): Promise<Map<string, string>> => (bundling ??= bundle());

const bundle = async (): Promise<Map<string, string>> => {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [here('page.ts'), here('worker.ts')],
    bundle: true,
    format: 'esm',
    outdir: here('out'),
    platform: 'browser',
    target: 'es2022',
    write: false,
    // sql.js imports these only in Node.
    external: ['fs', 'path', 'crypto', 'node:*'],
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, text }) => [`/${path.split('/').at(-1)}`, text]));
};

/** Returns the body of a request. */
export const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
};

export const startSite = async (): Promise<Site> => {
  const scripts = await bundled();
  const wasm = await readFile(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'));
  const handlers = new Map<string, Handler>();
  const respond = (response: ServerResponse, type: string, body: string | Buffer): void => {
    response.writeHead(200, { 'content-type': type }).end(body);
  };
  handlers.set('/', (_request, response) => respond(response, 'text/html', PAGE));
  handlers.set('/sql-wasm.wasm', (_request, response) => respond(response, 'application/wasm', wasm));
  for (const [path, text] of scripts) {
    handlers.set(path, (_request, response) => respond(response, 'text/javascript', text));
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    const handler = handlers.get(url.pathname);
    const work = async (): Promise<void> => {
      if (handler === undefined) {
        response.writeHead(404).end();
      } else {
        await handler(request, response, url);
      }
    };
    work().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    on: (path, handler) => handlers.set(path, handler),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
