import { createRepo, openRepo } from '../../src/deno.ts';
import { beVictim } from './victim.ts';

interface DenoOut {
  readonly args: readonly string[];
  readonly stdout: { writeSync(bytes: Uint8Array): number };
}
const { args, stdout } = (globalThis as unknown as { readonly Deno: DenoOut }).Deno;
const encoder = new TextEncoder();

await beVictim({ createRepo, openRepo }, args[0]!, Number(args[1]), (line) =>
  stdout.writeSync(encoder.encode(`${line}\n`)),
);
