/** The error codes of the command itself. Errors of the library have their own. Codes are API; see docs/command.md. */
export type CommandErrorCode =
  /** The file to write exists, and `--force` is not set. */
  | 'FileExists'
  /** The command line, or a file that it names, is not valid for the verb. */
  | 'InvalidRequest';

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
