import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { runtime } from '@pulumi/pulumi';

/** A resource as the stacks ask for it, all of its inputs known. */
export interface Resource {
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: inputs have the shape of their type of resource, which tests name
  readonly inputs: Readonly<Record<string, any>>;
}

const ACCOUNT = '123456789012';
const REGION = 'eu-west-1';
const SECRET = '4dabf18193072939515e22adb298388d';

/**
 * Stands in for the engine and for AWS in a process of its own, and writes every resource to `file` when nothing is left to do:
 * resources come into being in promises that nobody hands out.
 */
export async function mockAws(file: string): Promise<void> {
  const resources: Resource[] = [];
  await runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const known = unwrap(inputs) as Resource['inputs'];
        resources.push({ type, name, inputs: known });
        return { id: `${name}-id`, state: { ...inputs, ...stateOf(type, name, known) } };
      },
      call: ({ token, inputs }) => answers[token]?.(unwrap(inputs) as Call) ?? {},
    },
    'quarterdeck',
    'test',
    false,
  );
  process.env.SST_SERVER = await startRpc((name, inputs) => resources.push({ type: 'aws:build', name, inputs }));
  process.on('beforeExit', () => {
    const ordered = resources.sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
    writeFileSync(file, JSON.stringify(ordered));
  });
}

/** What AWS makes up itself. */
function stateOf(type: string, name: string, inputs: Resource['inputs']): Record<string, unknown> {
  const given = String(inputs.name ?? name);
  const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
  switch (type) {
    case 'aws:lambda/function:Function': {
      const plain = arn('lambda', `function:${given}`);
      const invoke = `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/${plain}/invocations`;
      return { arn: plain, invokeArn: invoke, version: '$LATEST', qualifiedArn: `${plain}:$LATEST`, qualifiedInvokeArn: invoke };
    }
    case 'aws:s3/bucket:Bucket': {
      const bucket = String(inputs.bucket ?? name).toLowerCase();
      return { bucket, arn: `arn:aws:s3:::${bucket}` };
    }
    case 'aws:dynamodb/table:Table':
      return { arn: arn('dynamodb', `table/${given}`) };
    case 'aws:sqs/queue:Queue':
      return { arn: arn('sqs', given), url: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${given}` };
    case 'aws:sns/topic:Topic':
      return { arn: arn('sns', given) };
    case 'aws:cloudwatch/eventBus:EventBus':
      return { arn: arn('events', `event-bus/${given}`) };
    case 'aws:cloudwatch/eventRule:EventRule':
      return { arn: arn('events', `rule/${inputs.eventBusName}/${given}`) };
    case 'aws:kms/key:Key':
      return { arn: arn('kms', `key/${name}`), keyId: name };
    case 'aws:cloudwatch/logGroup:LogGroup':
      return { arn: arn('logs', `log-group:${given}`) };
    case 'aws:iam/role:Role':
      return { arn: `arn:aws:iam::${ACCOUNT}:role/${given}` };
    case 'aws:lambda/functionUrl:FunctionUrl':
      return { functionUrl: `https://${createHash('sha256').update(name).digest('hex').slice(0, 32)}.lambda-url.${REGION}.on.aws/` };
    case 'random:index/randomBytes:RandomBytes':
      return { base64: Buffer.alloc(32).toString('base64') };
    default:
      return {};
  }
}

type Call = Readonly<Record<string, unknown>>;

const answers: Readonly<Record<string, (inputs: Call) => Record<string, unknown>>> = {
  'aws:index/getPartition:getPartition': () => ({ partition: 'aws', dnsSuffix: 'amazonaws.com' }),
  'aws:index/getRegion:getRegion': () => ({ region: REGION, name: REGION, id: REGION }),
  'aws:index/getCallerIdentity:getCallerIdentity': () => ({ accountId: ACCOUNT, id: ACCOUNT }),
  'aws:iam/getPolicyDocument:getPolicyDocument': (inputs) => ({ ...inputs, json: policyJson(inputs) }),
};

interface Statement {
  readonly effect?: string;
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
  readonly principals?: readonly { readonly type: string; readonly identifiers: readonly string[] }[];
  readonly conditions?: readonly { readonly test: string; readonly variable: string; readonly values: readonly string[] }[];
}

function policyJson(inputs: Call): string {
  const statements = (inputs.statements ?? []) as readonly Statement[];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(({ effect, actions, resources, principals, conditions }) => ({
      Effect: effect ?? 'Allow',
      Action: actions,
      Resource: resources,
      Principal: principals && Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers])),
      Condition: conditions && Object.fromEntries(conditions.map(({ test, variable, values }) => [test, { [variable]: values }])),
    })),
  });
}

interface BuildInput {
  readonly functionID: string;
  readonly handler: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The part of the sst command that components call: where the account's own bucket is, and what is built of each function. */
async function startRpc(onBuild: (functionName: string, properties: BuildInput['properties']) => void): Promise<string> {
  const results: Readonly<Record<string, (input: BuildInput) => unknown>> = {
    'Provider.Aws.Bootstrap': () => ({ asset: 'sst-asset', state: 'sst-state', assetEcrRegistryId: ACCOUNT, assetEcrUrl: 'ecr' }),
    'Runtime.Build': ({ functionID, handler, properties }) => {
      onBuild(functionID, { ...properties, handler });
      return { handler: `bundle${/\.[a-z]+$/.exec(handler)?.[0]}`, out: '.', errors: [], sourcemaps: [] };
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, params } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string; params: [BuildInput] };
    const result = results[method];
    response.setHeader('connection', 'close'); // an idle connection would keep the process waiting
    response.end(JSON.stringify(result ? { result: result(params[0]) } : { error: `rpc: can't find ${method}` }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** Secrets as what they hide. */
function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (typeof value !== 'object' || value === null) return value;
  if (SECRET in value) return unwrap((value as { value?: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}
