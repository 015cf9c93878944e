import { checkUrl, readClientSettings } from '#config/client-settings.ts';
import { type ApiClient, createApiClient } from './api-client.ts';

/** Options of every command that talks to a server, for `parseArgs`. */
export const clientOptions = { url: { type: 'string' }, token: { type: 'string' }, json: { type: 'boolean' } } as const;

/** What the help says of them. */
export const clientHelp = `  --url URL      the server; else QUARTERDECK_URL, else the one on this machine
  --token TOKEN  else QUARTERDECK_TOKEN
  --json         print JSON`;

/** The client that the options and the environment ask for. */
export function openClient(values: { url?: string | undefined; token?: string | undefined }): ApiClient {
  const settings = readClientSettings();
  const url = values.url === undefined ? settings.url : checkUrl(values.url, '--url');
  return createApiClient({ url, token: values.token ?? settings.token });
}
