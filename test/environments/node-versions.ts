/** Other versions of Node. npm downloads them at their first use. */
import { tmpdir } from 'node:os';
import { runToEnd } from './run-program.ts';

const paths = new Map<number, string>();

/** Returns the path of the program of a major version. */
export const nodeOf = async (major: number): Promise<string> => {
  if (process.versions.node.startsWith(`${major}.`)) {
    return process.execPath;
  }
  const known = paths.get(major);
  if (known !== undefined) {
    return known;
  }
  const args = ['--yes', `node@${major}`, '-p', 'process.execPath'];
  // In another folder, because a project's own node_modules would come first.
  const path = (await runToEnd('npx', args, { cwd: tmpdir() })).trim();
  paths.set(major, path);
  return path;
};
