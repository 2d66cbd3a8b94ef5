/** A case's `run` of work that is done in this process. */
export function repeat(work: () => void): (times: number) => undefined {
  return (times) => {
    for (let i = 0; i < times; i++) work();
  };
}

/** The same of asynchronous work. */
export function repeatAsync(work: () => Promise<unknown>): (times: number) => Promise<undefined> {
  return async (times) => {
    for (let i = 0; i < times; i++) await work();
    return undefined;
  };
}
