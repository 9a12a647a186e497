/** What the command itself refuses, beside the errors of the library. Codes are API; see docs/command.md. */
export type CommandErrorCode =
  /** The file to write is there already, and `--force` is not. */
  | 'FileExists'
  /** The command line, or a file that it names, is not what the verb takes. */
  | 'InvalidRequest';

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
