/** Who asks a service of AWS, and where; what is absent is that of the running role. */
export interface AwsAccess {
  readonly region?: string | undefined;
  /** Base URL in place of AWS's own. */
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}
