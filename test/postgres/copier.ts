/**
 * A process that clones an account into PostgreSQL, and then follows it until its input ends. It kills itself at a
 * given step of the clone. It prints `copied <status>` and `head <rev>`.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Pg } from '../../src/adapters/postgres/pg-client.ts';
import { pgClient } from '../../src/adapters/postgres/pg-client.ts';
import { openPostgres } from '../../src/postgres.ts';
import type { FollowSource, WebSocketClass } from '../../src/sync.ts';
import { clone, follow } from '../../src/sync.ts';

/** What a copier is started with, as JSON in its first argument. */
export interface CopierTask {
  readonly url: string;
  readonly schema: string;
  readonly did: string;
  readonly plcUrl: string;
  /** The paths of the packages `pg` and `ws`. */
  readonly driver: string;
  readonly webSocket: string;
  /** How to follow. Default: not at all. */
  readonly source?: FollowSource;
  /** The progress report at which it kills itself. Default: never. */
  readonly lastStep?: number;
}

const say = (line: string): void => void writeSync(1, `${line}\n`);

const { url, schema, did, plcUrl, driver, webSocket, source, lastStep } = JSON.parse(process.argv[2]!) as CopierTask;
const require = createRequire(import.meta.url);
const end = new AbortController();
process.stdin.on('end', () => end.abort());
process.stdin.resume();

let steps = 0;
const onProgress = (): void => {
  if (steps++ === lastStep) {
    process.kill(process.pid, 'SIGKILL');
  }
};
const client = pgClient(require(driver) as Pg, { connectionString: url, readers: 2, writers: 1 });
const places = await openPostgres(client, { schema });
const network = { plcUrl, allowPrivate: true };
const { repo, pulled } = await clone(did, (account) => places.openOrCreateRepo(account), { ...network, onProgress });
say(`copied ${pulled.status}`);
if (source !== undefined) {
  const { WebSocket } = require(webSocket) as { readonly WebSocket: WebSocketClass };
  for await (const update of follow(repo, { ...network, source, WebSocket, checkMs: 200, signal: end.signal })) {
    say(update.type === 'change' ? `head ${update.to.rev}` : `state ${update.state} ${update.reason ?? ''}`);
  }
}
await places.close();
process.exit(0);
