/**
 * Lets a service of AWS take a role, for resources of this account alone. SST's own trust also names the account's root, so that
 * anybody in the account who may assume roles could take it.
 */
export function serviceTrust(service: 'lambda.amazonaws.com' | 'scheduler.amazonaws.com'): $util.Output<string> {
  // Lambda sends no source account with its request.
  const isConfused = service !== 'lambda.amazonaws.com';
  return aws.iam.getPolicyDocumentOutput({
    statements: [
      {
        actions: ['sts:AssumeRole'],
        principals: [{ type: 'Service', identifiers: [service] }],
        conditions: isConfused ? [{ test: 'StringEquals', variable: 'aws:SourceAccount', values: [accountId()] }] : [],
      },
    ],
  }).json;
}

/** The account that is deployed into. */
export function accountId(): $util.Output<string> {
  return aws.getCallerIdentityOutput().accountId;
}
