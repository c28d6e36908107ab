/**
 * Preloaded by the npm scripts. Plain JavaScript that an old Node still reads: the sources are
 * TypeScript, and a Node that cannot strip types would stop with an error that names no remedy.
 * And whoever reads the output may stop, as `head` does: that ends nothing with an error.
 */
const NEEDED = 24;
const found = process.versions.node;

if (Number(found.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `this project needs node ${NEEDED} or newer and was started with ${found}; ` +
      'on linux `npm ci` brings it to `npm run`, elsewhere install it\n',
  );
  process.exit(2);
} else {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
