/** Runs `use`, then closes a repository or a database. An error of `use` is thrown, not a later error of `close`. */
export const closing = async <T, C extends { close(): Promise<void> }>(
  opened: C,
  use: (opened: C) => Promise<T>,
): Promise<T> => {
  let result: T;
  try {
    result = await use(opened);
  } catch (error) {
    await opened.close().catch(() => {
      // The first error is reported.
    });
    throw error;
  }
  await opened.close();
  return result;
};
