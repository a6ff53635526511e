/** Tells whether an agent has something to do. */
export interface Activity {
  /** A piece of work begins; it ends when the result is disposed of. */
  begin(): Disposable;
  /** Whether nothing is being done, and nothing was since the last time that this was asked. */
  wasIdle(): boolean;
}

export function createActivity(): Activity {
  let running = 0;
  let hasWorked = true;
  return {
    begin() {
      running += 1;
      hasWorked = true;
      return {
        [Symbol.dispose]: () => {
          running -= 1;
        },
      };
    },
    wasIdle() {
      const isIdle = running === 0 && !hasWorked;
      hasWorked = false;
      return isIdle;
    },
  };
}
