import { expect, it } from 'vitest';
import { filesInHand } from '#config/pushed-config.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';

const notesOf = async (text: string) =>
  (await compileAlerting(await loadWholeConfig(filesInHand([{ path: 'alertmanager/team-a.yml', text }])))).notes;

it('what a routing file says without effect is told, by file', async () => {
  const receiver = "receivers: [{ name: chat, discord_configs: [{ webhook_url: 'https://discord.example.org/x' }] }]";
  expect(await notesOf(`route: { receiver: chat }\ntracing: { endpoint: x }\n${receiver}\n`)).toEqual([
    'alertmanager/team-a.yml: tracing is read, but has no effect',
    'alertmanager/team-a.yml: receiver "chat": nothing is delivered to its discord_configs',
  ]);
});

it('a routing file that is honoured as a whole has nothing told of it', async () => {
  const receiver = "receivers: [{ name: hook, webhook_configs: [{ url: 'https://hooks.example.org/x' }] }]";
  expect(await notesOf(`route: { receiver: hook }\n${receiver}\n`)).toEqual([]);
});
