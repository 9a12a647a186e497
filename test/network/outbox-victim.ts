/** The process that is killed while it pushes. It kills itself at the given step of a push. */
import { openRepo } from '../../src/node.ts';
import type { Repo } from '../../src/index.ts';
import { openOutbox, pull } from '../../src/sync.ts';
import type { Account, Session } from '../../src/sync.ts';

/** Enough for the host to have got a request, and not to have responded. */
const IN_FLIGHT_MS = 3;

interface Steps {
  /** Counts a step. The process ends at the last one. */
  count(): void;
  /** Counts the steps before and after an action. */
  step<T>(run: () => Promise<T>): Promise<T>;
}

/** Where a push can be killed: before and after each change of the storage, each request and each pull. */
const counted = (lastStep: number): Steps => {
  let steps = 0;
  const count = (): void => {
    if (steps++ === lastStep) {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  return {
    count,
    async step(run) {
      count();
      const result = await run();
      count();
      return result;
    },
  };
};

interface Plan {
  readonly folder: string;
  readonly account: Account;
  readonly token: string;
  readonly lastStep: number;
}

const { folder, account, token, lastStep } = JSON.parse(process.argv[2]!) as Plan;
const { count, step } = counted(lastStep);
const session: Session = (pathname, init) =>
  step(async () => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    const response = fetch(new URL(pathname, account.pds), { ...init, headers });
    await new Promise((resolve) => setTimeout(resolve, IN_FLIGHT_MS));
    count();
    return response;
  });

/** Counts the changes of an object as steps. */
const stepping = <T extends object>(target: T, changes: readonly string[]): T =>
  new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name, object);
      if (typeof member !== 'function') {
        return member;
      }
      const method = (member as (...values: unknown[]) => Promise<unknown>).bind(object);
      return changes.includes(String(name)) ? (...values: unknown[]) => step(() => method(...values)) : method;
    },
  });
const repo = await openRepo(folder);
const meta = stepping(repo.meta, ['set']);
const watched = new Proxy(repo, {
  get(object, name) {
    switch (name) {
      case 'meta':
        return meta;
      case 'branch':
        return (branch: string) => stepping(object.branch(branch), ['write', 'rebase']);
      default: {
        const member: unknown = Reflect.get(object, name, object);
        return typeof member === 'function' ? (member as () => unknown).bind(object) : member;
      }
    }
  },
}) as Repo;
const outbox = openOutbox(watched);
await outbox.push({ session, pull: () => step(() => pull(repo, { account, allowPrivate: true, blobs: false })) });
await outbox.close();
await repo.close();
