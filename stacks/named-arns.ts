/** What may be done to resources that sst.config.ts names. */
export interface NamedArns {
  readonly actions: readonly string[];
  /** What the ARNs have to be of: `sns`. */
  readonly service: string;
  readonly arns: readonly string[] | undefined;
}

/** A permission for each list that names anything. Throws where an ARN is of another service, or stands for more than one resource. */
export function permissionsOn(named: readonly NamedArns[]): { actions: string[]; resources: string[] }[] {
  return named.flatMap(({ actions, service, arns = [] }) => {
    for (const arn of arns) assertArn(service, arn);
    return arns.length > 0 ? [{ actions: [...actions], resources: [...arns] }] : [];
  });
}

function assertArn(service: string, arn: string): void {
  if (new RegExp(`^arn:aws[a-z-]*:${service}:[^*?]+$`).test(arn)) return;
  throw new Error(`sst.config.ts: ${JSON.stringify(arn)} is no ARN of ${service} without wildcards`);
}
