/** Checks that every implementation of a port runs the cases of that port. */
import type { SourceFile } from './sources.ts';

/** A published suite, and the files of the implementations that must pass it. */
interface Port {
  readonly cases: string;
  readonly adapters: RegExp;
}

const PORTS: readonly Port[] = [
  {
    cases: 'src/testing/storage/blob-store-cases.ts',
    adapters:
      /^src\/(adapters\/(blobs\/[a-z]+-blobs|postgres\/blob-store|s3\/open-blobs)|core\/storage\/[a-z]+-blob-store)\.ts$/,
  },
  {
    cases: 'src/testing/storage/block-store-cases.ts',
    adapters: /^src\/(adapters\/[a-z]+\/block-store|core\/storage\/[a-z]+-block-store)\.ts$/,
  },
  {
    cases: 'src/testing/files/database-files-cases.ts',
    adapters: /^src\/(adapters\/files\/[a-z]+-files|testing\/files\/memory-files)\.ts$/,
  },
  // An entry point opens a repository.
  { cases: 'src/testing/repo/cases.ts', adapters: /^src\/(deno|node|postgres)\.ts$/ },
];

/** All files that a test file imports, directly or through files of `test/`. */
const reach = (start: SourceFile, tests: ReadonlyMap<string, SourceFile>): Set<string> => {
  const seen = new Set<string>();
  const rest = [start];
  while (rest.length > 0) {
    for (const path of rest.pop()!.valueImports) {
      const next = seen.has(path) ? undefined : tests.get(path);
      seen.add(path);
      if (next !== undefined) {
        rest.push(next);
      }
    }
  }
  return seen;
};

/** Returns a sentence for each adapter without its cases, each unknown suite, and each empty suite. */
export const casesWithoutRunner = async (
  sources: readonly SourceFile[],
  tests: readonly SourceFile[],
): Promise<string[]> => {
  const faults: string[] = [];
  const byPath = new Map(tests.map((file) => [file.path, file]));
  const reached = tests.map((file) => reach(file, byPath));
  const suites = sources.map((file) => file.path).filter((path) => /^src\/testing\/.*\bcases\.ts$/.test(path));
  const uses = (file: string, other: string): boolean =>
    sources.find(({ path }) => path === file)?.imports.includes(other) ?? false;

  for (const suite of suites) {
    // A long suite has several files, and one file joins them.
    const known = PORTS.some(({ cases }) => cases === suite || uses(cases, suite));
    if (!known) {
      faults.push(`${suite} belongs to no port that this test knows`);
    }
  }
  for (const { cases, adapters } of PORTS) {
    const all = sources.map((file) => file.path).filter((path) => adapters.test(path));
    if (!suites.includes(cases) || all.length === 0) {
      faults.push(`${cases} or its adapters are not there`);
      continue;
    }
    for (const adapter of all.filter((path) => !reached.some((set) => set.has(path) && set.has(cases)))) {
      faults.push(`${adapter} is not put to ${cases} by any test`);
    }
    const exported = Object.values((await import(/* @vite-ignore */ `../../${cases}`)) as Record<string, unknown>);
    if (!exported.some((value) => Array.isArray(value) && value.length > 0)) {
      faults.push(`${cases} holds no case`);
    }
  }
  return faults;
};
