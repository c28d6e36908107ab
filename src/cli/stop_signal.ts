/** When a command that runs on is told to stop. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Resolves with the first signal to stop; a second one ends the process at once. */
export function stopSignal(opened: AsyncDisposableStack): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const forget = (): void => {
      for (const signal of SIGNALS) process.removeListener(signal, take);
    };
    const take = (signal: NodeJS.Signals): void => {
      forget();
      resolve(signal);
    };
    for (const signal of SIGNALS) process.on(signal, take);
    opened.defer(forget);
  });
}
