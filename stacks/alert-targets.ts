import { permissionsOn } from './named-arns.ts';

/** Where alerts may go beyond HTTP, and how this installation is called in them: what sst.config.ts says of them. */
export interface AlertSettings {
  /** Where people reach this installation: the base of links in alerts. Default: the address that answers queries. */
  readonly externalUrl?: string | undefined;
  /** Notifications may go to private and loopback addresses. Default: no. */
  readonly allowPrivateTargets?: boolean | undefined;
  /** ARNs of SES: identities that mail is sent from, and their configuration set if they have one. */
  readonly mailArns?: readonly string[] | undefined;
  /** ARNs of SNS topics and platform endpoints. */
  readonly topicArns?: readonly string[] | undefined;
  /** ARNs of event buses. */
  readonly eventBusArns?: readonly string[] | undefined;
}

/**
 * What the function that sends notifications may do in other services: nothing but what is named. It is said here and not in a tenant's
 * configuration, so that whoever administers a tenant cannot widen a role.
 */
export function targetPermissions(settings: AlertSettings): { actions: string[]; resources: string[] }[] {
  return permissionsOn([
    { actions: ['ses:SendEmail'], service: 'ses', arns: settings.mailArns },
    { actions: ['sns:Publish'], service: 'sns', arns: settings.topicArns },
    { actions: ['events:PutEvents'], service: 'events', arns: settings.eventBusArns },
  ]);
}
