/** Reports an error as an uncaught error, like that of an event handler. */
export const reportError = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });

/** Returns a listener whose errors are reported, and do not reach what calls it. */
export const reportingErrors =
  <T>(listener: (event: T) => void): ((event: T) => void) =>
  (event) => {
    try {
      listener(event);
    } catch (error) {
      reportError(error);
    }
  };
