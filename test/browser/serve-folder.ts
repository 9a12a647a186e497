/** Serves a built app, as a strict site would. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

/** What a page with a database needs, and no more. */
export const CSP = "script-src 'self' 'wasm-unsafe-eval'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface App {
  readonly url: string;
  /** How many visits it may take until it works; one when left out. */
  readonly visits?: number;
  close(): Promise<void>;
}

export interface ServeOptions {
  /** A hash in it allows an import map, which cannot be a file. */
  readonly csp?: string | undefined;
  /** Gives the page of the folder for every file that is missing. */
  readonly isFallingBack?: boolean | undefined;
}

/** Serves the files of a folder, each with the policy. */
export const serveFolder = async (
  folder: string,
  { csp = CSP, isFallingBack = false }: ServeOptions = {},
): Promise<App> => {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url!, 'http://localhost').pathname);
    const asked = join(folder, path === '/' ? 'index.html' : path);
    const file = isFallingBack && !existsSync(asked) ? join(folder, 'index.html') : asked;
    try {
      const body = await readFile(file);
      response
        .writeHead(200, {
          'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
          'content-security-policy': csp,
        })
        .end(body);
    } catch {
      // Whatever it is: the browser is to say which file it misses.
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
