/** Writes or reads a repository in Bun: `cross.ts <verb> <folder>`. */
import { createRepo, openRepo } from '../../../src/node.ts';
import { crossRepo } from '../cross-repo.ts';

const [verb, folder] = process.argv.slice(2);
console.log(await crossRepo(verb!, folder!, { createRepo, openRepo }));
