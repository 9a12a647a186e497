/** Real servers on loopback, and the types of the harness that starts them. */
import { afterAll, beforeAll } from 'vitest';

export interface Fault {
  readonly match?: RegExp;
  readonly method?: string;
  /** Number of requests that it hits. Default: 1. */
  readonly times?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly delay?: number;
  readonly cutAfter?: number;
  readonly endAfter?: number;
  readonly loseResponse?: boolean;
  readonly refuse?: boolean;
  readonly edit?: (body: Buffer) => Buffer;
  readonly stall?: number;
  readonly cutFrames?: number;
  readonly holdFrames?: boolean;
}

export interface FaultProxy {
  readonly port: number;
  readonly log: readonly { readonly method: string; readonly url: string; readonly rule: boolean }[];
  next(fault: Fault): void;
  clear(): void;
  dropAll(): void;
  release(): void;
}

/** A method of the host, as `@atproto/api` calls it. */
type Method = (input?: unknown, options?: unknown) => Promise<{ readonly data: any }>;
type Methods = Readonly<Record<string, Method>>;

export interface HostedAccount {
  readonly did: string;
  readonly handle: string;
  readonly password: string;
  readonly email: string;
  readonly agent: {
    readonly com: {
      readonly atproto: {
        readonly repo: Methods;
        readonly sync: Methods;
        readonly server: Methods;
        readonly identity: Methods;
      };
    };
    readonly session?: { readonly accessJwt: string } | undefined;
  };
}

export interface Pds {
  /** The address in DID documents: that of the fault proxy, if there is one. */
  readonly url: string;
  readonly directUrl: string;
  readonly dir: string;
  readonly did: string;
  readonly faults: FaultProxy;
  createAccount(options?: Readonly<Record<string, unknown>>): Promise<HostedAccount>;
  lastToken(email: string): string;
  takedown(did: string, applied?: boolean): Promise<void>;
  storePath(did: string): Promise<string>;
  signingKey(did: string): Promise<{ did(): string; export(): Promise<Uint8Array> }>;
  rotateKey(did: string): Promise<{ did(): string }>;
  ageEvents(ms: number): Promise<void>;
  restart(whileDown?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface Network {
  readonly plcUrl: string;
  readonly pds: readonly Pds[];
  didDoc(did: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface NetworkSettings {
  readonly pds?: number;
  readonly dir?: string;
  readonly rateLimits?: boolean;
  readonly proxy?: boolean;
  readonly legacyKeys?: boolean;
  readonly env?: Readonly<Record<string, unknown>>;
}

/** A random writer that knows what the host must have. */
export interface Driver {
  readonly did: string;
  readonly records: ReadonlyMap<string, { readonly cid: string; readonly value: unknown }>;
  readonly blobs: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly mimeType: string }>;
  readonly history: readonly { readonly rev: string; readonly cid: string }[];
  readonly head: { readonly rev: string; readonly cid: string };
  step(move?: string, ...more: unknown[]): Promise<string>;
  run(count: number): Promise<Driver>;
  /** Returns the CIDs by path, as they were at a rev. Default: now. */
  at(rev?: string): Map<string, string>;
}

/** Starts real PDSs and a PLC directory. The packages of this folder must be installed. */
export const startNetwork = async (settings: NetworkSettings = {}): Promise<Network> => {
  const { startNetwork: start } = (await import('./harness/start-network.mjs' as string)) as {
    startNetwork(settings: NetworkSettings): Promise<Network>;
  };
  return start(settings);
};

/**
 * Starts servers before the tests of a file or a group, and stops them afterwards. Its fields can be read from
 * `beforeAll` on.
 */
export const useNetwork = (settings: NetworkSettings = {}): Network => {
  let running: Network | undefined;
  beforeAll(async () => {
    running = await startNetwork(settings);
  });
  afterAll(() => running?.stop());
  return {
    get plcUrl() {
      return running!.plcUrl;
    },
    get pds() {
      return running!.pds;
    },
    didDoc: (did) => running!.didDoc(did),
    stop: () => running!.stop(),
  };
};

export const createDriver = async (account: HostedAccount, options: { readonly seed: number }): Promise<Driver> => {
  const { createDriver: create } = (await import('./harness/driver.mjs' as string)) as {
    createDriver(account: HostedAccount, options: { readonly seed: number }): Driver;
  };
  return create(account, options);
};
