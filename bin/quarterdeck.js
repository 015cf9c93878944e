#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that one too old says so instead of failing on the syntax of the rest.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `quarterdeck needs Node 24 or newer and this is ${process.versions.node}. Run it as \`npm start\` or \`npx quarterdeck\`: they use the Node that \`npm ci\` installed beside it.`,
  );
  process.exit(2);
}
const { runCommand } = await import('#local/cli/run-command.ts');
process.exitCode = await runCommand(process.argv.slice(2));
