/** Which policies are generated; the short form takes the same ones each time. */
export const SEED = Number(process.env.SEED ?? 20_270_101);
export const RUNS = Number(process.env.RUNS ?? 60);
