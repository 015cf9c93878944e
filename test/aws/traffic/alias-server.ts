import { startServiceServer } from '#test/aws/service-server.ts';

export interface Alias {
  FunctionVersion: string;
  RevisionId: string;
  Description: string;
  RoutingConfig?: { AdditionalVersionWeights: Record<string, number> };
}

/** Lambda's GetAlias, UpdateAlias and ListVersionsByFunction over one alias, with its revision as a condition. */
export async function startAliasServer(descriptions: Readonly<Record<string, string>> = {}) {
  const alias: Alias = { FunctionVersion: '41', RevisionId: 'r0', Description: 'who calls' };
  let losing = false;
  const set = (functionVersion: string, weights: Record<string, number>) => {
    alias.FunctionVersion = functionVersion;
    if (Object.keys(weights).length > 0) alias.RoutingConfig = { AdditionalVersionWeights: weights };
    else delete alias.RoutingConfig;
    alias.RevisionId = `r${Number(alias.RevisionId.slice(1)) + 1}`;
  };
  const fail = (status: number, type: string) => ({
    status,
    headers: { 'x-amzn-errortype': type },
    body: JSON.stringify({ message: type }),
  });
  const server = await startServiceServer(({ method, path, body }) => {
    if (path.startsWith('/2015-03-31/functions/shop/versions')) {
      const of = path.includes('Marker=') ? ['42'] : ['$LATEST', '40', '41'];
      const Versions = of.map((Version) => ({ Version, Description: descriptions[Version] ?? '' }));
      return { status: 200, body: JSON.stringify({ Versions, ...(of.length > 1 && { NextMarker: 'm' }) }) };
    }
    if (path !== '/2015-03-31/functions/shop/aliases/live') return fail(404, 'ResourceNotFoundException');
    if (method === 'PUT') {
      const { RevisionId, FunctionVersion, RoutingConfig } = JSON.parse(body) as Alias;
      if (RevisionId !== alias.RevisionId) return fail(412, 'PreconditionFailedException');
      set(FunctionVersion, RoutingConfig?.AdditionalVersionWeights ?? {});
      if (losing) {
        losing = false;
        return fail(500, 'ServiceException');
      }
    }
    return { status: 200, body: JSON.stringify({ Name: 'live', ...alias }) };
  });
  const loseAnswer = () => {
    losing = true;
  };
  return { ...server, alias, set, loseAnswer };
}
