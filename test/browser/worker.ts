/** The module worker of the page. It runs the commands that the page passes on. */
import { commands } from './commands.ts';
import type { CommandName } from './commands.ts';

addEventListener('message', async ({ data }: MessageEvent<{ id: number; command: CommandName; args: string }>) => {
  const { id, command, args } = data;
  try {
    const result = (await commands[command](JSON.parse(args))) ?? null;
    postMessage({ id, result: JSON.stringify(result) });
  } catch (error) {
    postMessage({
      id,
      error: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error),
    });
  }
});
