import { type LambdaClient, ListVersionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { callAws } from '#aws/call.ts';
import { OpsError } from '#core/errors.ts';
import type { RetryOptions } from '#core/retry.ts';

/** A function's published versions by what people call them: a version's description, or its number where it has none. */
export interface VersionNames {
  /** The name of a version number. */
  nameOf(number: string): string;
  /** The number of a name; `missing` where no version is called so. */
  numberOf(name: string): string;
}

const NUMBER = /^\d+$/;

/** Reads all published versions. Of several with one description the latest bears the name, the others their numbers. */
export async function readVersionNames(
  { client, retry }: { readonly client: LambdaClient; readonly retry?: RetryOptions | undefined },
  functionName: string,
): Promise<VersionNames> {
  const numbers = new Map<string, string>();
  for (let marker: string | undefined; ; ) {
    const options = { operation: 'lambda:ListVersionsByFunction', resource: `function ${functionName}`, repeat: 'always', retry } as const;
    const input = { FunctionName: functionName, ...(marker !== undefined && { Marker: marker }) };
    const page = await callAws(options, () => client.send(new ListVersionsByFunctionCommand(input)));
    // In the order of their numbers, so that the latest of a name stays.
    for (const { Version = '', Description = '' } of page.Versions ?? []) {
      if (NUMBER.test(Version) && Description !== '' && !NUMBER.test(Description)) numbers.set(Description, Version);
    }
    if (page.NextMarker === undefined) break;
    marker = page.NextMarker;
  }
  const names = new Map([...numbers].map(([name, number]) => [number, name]));
  return {
    nameOf: (number) => names.get(number) ?? number,
    numberOf(name) {
      const number = NUMBER.test(name) ? name : numbers.get(name);
      if (number !== undefined) return number;
      throw new OpsError('missing', `function ${functionName} has no published version that is described as ${JSON.stringify(name)}`, {
        hint: 'Publish it with that description (aws lambda publish-version --description), or release it by its number.',
      });
    },
  };
}
