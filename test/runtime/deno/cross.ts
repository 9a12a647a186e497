/** Writes or reads a repository in Deno: `cross.ts <verb> <folder>`. */
import { createRepo, openRepo } from '../../../src/deno.ts';
import { crossRepo } from '../cross-repo.ts';
import { denoTestApi } from './deno-test-api.ts';

const [verb, folder] = denoTestApi.args;
console.log(await crossRepo(verb!, folder!, { createRepo, openRepo }));
