/**
 * Mirrors accounts into a PostgreSQL database, and keeps the copies current until Ctrl-C. After a stop or a crash, run
 * the same line again: it continues, and fetches only what has changed.
 *
 *     npm install pdsdb pg
 *     deno run --allow-net --allow-env=PG*,USER --allow-read=accounts.txt \
 *       examples/mirror.deno.ts postgres://localhost/mirror --accounts accounts.txt
 *
 * The permissions: `net` for the database and the hosts of the accounts, which may be any; `env` for the settings of
 * the package `pg`; `read` for the list. With a folder in place of the database, `--allow-read=<folder>` and
 * `--allow-write=<folder>`, and no `env`. Each account that is followed has one connection to its host; for more than
 * some hundreds, use `--every`.
 */
import { parseArgs } from 'node:util';
import type { RecordChange, Repo } from 'pdsdb';
import { blobMentions, isRepoError } from 'pdsdb';
import { openOrCreateRepo } from 'pdsdb/deno';
import { openPostgres } from 'pdsdb/postgres';
import type { Account } from 'pdsdb/sync';
import { clone, fetchMissingBlobs, follow, publicSession } from 'pdsdb/sync';

const HELP = `Usage: mirror.deno.ts <target> [account…] [options]

Copies accounts into <target>: a database (postgres://user@host/name) or a folder.
Then keeps the copies current until Ctrl-C.

  account…            handles or DIDs
  --accounts <file>   a handle or DID in each line; # begins a comment
  --host <url>        also every account of this PDS or relay, from its list
  --most <n>          most accounts of that list
  --once              end when the copies are current
  --at-once <n>       accounts that are copied at the same time (default: 4)
  --every <seconds>   ask the hosts at fixed times, in place of a connection for each account
  --no-blobs          leave out images and other blobs
  --schema <name>     the schema of the tables (default: pdsdb)
  --plc <url>         the PLC directory (default: https://plc.directory)
  --pds <url>         the host of all accounts, in place of the ones in their DID documents
  --allow-private     also connect to http: and to hosts of a local network
  --help              show this text

Standard output has a line for each account that was copied, and for each change that follows:
  <did> copied <status> <created> <updated> <deleted> <blobs> <blobs that failed>
  <did> changed <rev> <number of changes>
Errors and progress are on standard error. An account that failed is tried again after a minute. The exit code is 0
after Ctrl-C, 1 if an account failed with --once or nothing can be copied, 2 for wrong arguments, and 130 if Ctrl-C
came before all accounts were copied.`;

/** Seconds between two attempts at an account that failed, and between two lines of progress. */
const RETRY_SECONDS = 60;
const PROGRESS_SECONDS = 10;

const usage = (message: string): never => {
  console.error(`${message}\nSee --help.`);
  Deno.exit(2);
};

const parse = () => {
  try {
    return parseArgs({
      args: [...Deno.args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        accounts: { type: 'string' },
        host: { type: 'string' },
        most: { type: 'string', default: String(Number.MAX_SAFE_INTEGER) },
        once: { type: 'boolean', default: false },
        'at-once': { type: 'string', default: '4' },
        every: { type: 'string' },
        blobs: { type: 'boolean', default: true },
        schema: { type: 'string' },
        plc: { type: 'string' },
        pds: { type: 'string' },
        'allow-private': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
};

const { values, positionals } = parse();
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const number = (name: 'at-once' | 'every' | 'most'): number => {
  const value = Number(values[name]);
  return Number.isSafeInteger(value) && value > 0 ? value : usage(`--${name} needs a whole number from 1.`);
};
const [target, ...named] = positionals;
if (target === undefined || (named.length === 0 && values.accounts === undefined && values.host === undefined)) {
  usage('Give a target, and accounts, --accounts or --host.');
}
const [atOnce, most, every] = [number('at-once'), number('most'), values.every && number('every')];

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  Deno.addSignalListener(signal, () => end.abort(new Error('interrupted')));
}
const network = {
  plcUrl: values.plc,
  pdsUrl: values.pds,
  allowPrivate: values['allow-private'],
  blobs: values.blobs,
  signal: end.signal,
};

/** Yields the accounts to copy. */
async function* accounts(): AsyncGenerator<string> {
  yield* named;
  if (values.accounts !== undefined) {
    const lines = (await Deno.readTextFile(values.accounts)).split('\n').map((line) => line.trim());
    yield* lines.filter((line) => line !== '' && !line.startsWith('#'));
  }
  let rest = values.host === undefined ? 0 : most;
  let cursor: string | undefined;
  const session = values.host === undefined ? undefined : publicSession(values.host, network);
  while (session !== undefined && rest > 0) {
    const query = new URLSearchParams({ limit: String(Math.min(1000, rest)), ...(cursor && { cursor }) });
    const response = await session(`/xrpc/com.atproto.sync.listRepos?${query}`, { signal: end.signal });
    if (!response.ok) {
      throw new Error(`${values.host} does not list its accounts: status ${response.status}`);
    }
    const page = (await response.json()) as { cursor?: string; repos: { did: string; active?: boolean }[] };
    const dids = page.repos.filter(({ active }) => active !== false).map(({ did }) => did);
    yield* dids.slice(0, rest);
    rest -= dids.length;
    cursor = page.cursor;
    if (cursor === undefined) {
      return;
    }
  }
}

interface Place {
  open(account: Pick<Account, 'did'>): Promise<Repo>;
  close(): Promise<void>;
}

const openPlace = async (at: string): Promise<Place> => {
  if (!/^postgres(ql)?:/.test(at)) {
    // A DID is the name of the folder, because a handle can change.
    const folderOf = (did: string): string => `${at}/${did.replaceAll(':', '-')}`;
    return { open: ({ did }) => openOrCreateRepo(folderOf(did), { did }), close: async () => undefined };
  }
  const database = await openPostgres(at, { schema: values.schema, writers: atOnce });
  try {
    await database.migrate();
  } catch (error) {
    await database.close();
    throw error;
  }
  return { open: ({ did }) => database.openOrCreateRepo({ did }), close: () => database.close() };
};

const count = { found: 0, copied: 0, failed: 0 };
const print = (...columns: readonly unknown[]): void => console.log(columns.join('\t'));
const complain = (account: string, error: unknown): void => {
  if (!isRepoError(error)) {
    throw error;
  }
  console.error([account, error.code, error.message].join('\t'));
};

/** Copies an account. Returns its repository, or `undefined` if that failed. */
const copy = async (account: string, place: Place): Promise<Repo | undefined> => {
  try {
    const { repo, pulled } = await clone(account, (found) => place.open(found), network);
    const { status, created, updated, deleted, blobs } = pulled;
    print(repo.did, 'copied', status, created, updated, deleted, blobs.fetched, blobs.failed.length);
    return repo;
  } catch (error) {
    if (!end.signal.aborted) {
      complain(account, error);
    }
    return undefined;
  }
};

/** Fetches the blobs of records that an event has brought. A pull does it by itself. */
const fetchBlobsOf = async (repo: Repo, changes: readonly RecordChange[]): Promise<void> => {
  const changed = changes.filter(({ action }) => action !== 'delete');
  const records = await repo.getMany(changed.map(({ collection, rkey }) => `${collection}/${rkey}`));
  const missing = records.flatMap((record) =>
    record === undefined ? [] : blobMentions(record.value).map((blob) => ({ ...blob, uri: record.uri })),
  );
  const { failed } = await fetchMissingBlobs(repo, { ...network, missing });
  failed.forEach(({ uri, error }) => complain(uri, error));
};

/** Keeps a copy current until the end. */
const keep = async (repo: Repo): Promise<void> => {
  const source = every ? ({ source: 'poll', checkMs: 1000 * every } as const) : {};
  for await (const update of follow(repo, { ...network, ...source })) {
    if (update.type === 'change') {
      if (update.via === 'event' && values.blobs) {
        await fetchBlobsOf(repo, update.changes);
      }
      print(repo.did, 'changed', update.to.rev, update.changes.length);
    } else if (update.state === 'inactive' || update.state === 'offline') {
      console.error([repo.did, update.state, update.reason].join('\t'));
    }
  }
};

/** Waits, but not for longer than the program runs. */
const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, end.signal.aborted ? 0 : 1000 * seconds);
    end.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

const following = new Set<Promise<void>>();
/** Keeps an account for as long as the program runs. One that failed is copied again later. */
const mirror = async (account: string, first: Repo | undefined, place: Place): Promise<void> => {
  for (let repo = first; !end.signal.aborted; repo = await copy(account, place)) {
    try {
      await (repo && keep(repo));
    } catch (error) {
      complain(account, error);
    } finally {
      await repo?.close();
    }
    await pause(RETRY_SECONDS);
  }
};

let place: Place | undefined;
let isListed = false;
const progress = setInterval(() => {
  console.error(`${count.copied} of ${count.found}${isListed ? '' : ' or more'} are copied; ${count.failed} failed`);
}, 1000 * PROGRESS_SECONDS);
try {
  place = await openPlace(target!);
  const to = place;
  const list = accounts();
  const seen = new Set<string>();
  const work = async (): Promise<void> => {
    for await (const account of { [Symbol.asyncIterator]: () => ({ next: () => list.next() }) }) {
      if (end.signal.aborted) {
        return;
      }
      if (seen.has(account)) {
        continue;
      }
      seen.add(account);
      count.found += 1;
      const repo = await copy(account, to);
      count[repo === undefined ? 'failed' : 'copied'] += 1;
      if (values.once) {
        await repo?.close();
      } else {
        following.add(mirror(account, repo, to));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  isListed = true;
  clearInterval(progress);
  const isComplete = !end.signal.aborted;
  console.error(`${count.copied} copied, ${count.failed} failed${isComplete ? '' : '; interrupted'}`);
  await Promise.all(following);
  Deno.exitCode = isComplete ? Number(values.once && count.failed > 0) : 130;
} catch (error) {
  console.error(isRepoError(error) ? `${error.code}: ${error.message}` : String(error));
  Deno.exitCode = end.signal.aborted ? 130 : 1;
} finally {
  clearInterval(progress);
  await place?.close();
}
