import type { Secret } from '#alerts/routing/secret.ts';

// Alertmanager's receiver settings under their own names, as far as they are honoured, with global settings and defaults filled in.
// docs/alerts/receivers.md says what becomes of the others.

export interface TlsConfig {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
  readonly server_name?: string | undefined;
  readonly insecure_skip_verify?: boolean | undefined;
  readonly min_version?: string | undefined;
  readonly max_version?: string | undefined;
}

export interface HttpConfig {
  readonly basic_auth?: { readonly username?: string | undefined; readonly password?: Secret | undefined } | undefined;
  readonly authorization?: { readonly type?: string | undefined; readonly credentials?: Secret | undefined } | undefined;
  readonly oauth2?:
    | {
        readonly client_id: string;
        readonly grant_type?: string | undefined;
        readonly client_secret?: Secret | undefined;
        readonly token_url: string;
        readonly scopes?: readonly string[] | undefined;
        readonly endpoint_params?: Readonly<Record<string, string>> | undefined;
        readonly tls_config?: TlsConfig | undefined;
      }
    | undefined;
  readonly tls_config?: TlsConfig | undefined;
  readonly follow_redirects?: boolean | undefined;
  readonly proxy_url?: unknown;
  readonly proxy_from_environment?: boolean | undefined;
  readonly http_headers?:
    | Readonly<Record<string, { readonly values?: readonly string[] | undefined; readonly secrets?: readonly Secret[] | undefined }>>
    | undefined;
}

/** What every integration has. */
interface AnyReceiver {
  /** Whether what has ended is told; absent: it is. */
  readonly send_resolved?: boolean | undefined;
}

interface HttpReceiver extends AnyReceiver {
  readonly http_config?: HttpConfig | undefined;
  /** Milliseconds; 0: the default. */
  readonly timeout?: number | undefined;
}

export interface WebhookConfig extends HttpReceiver {
  readonly url?: Secret | undefined;
  readonly max_alerts?: number | undefined;
  /** Sent in place of Alertmanager's payload; its texts are templates. */
  readonly payload?: unknown;
}

export interface SlackConfig extends HttpReceiver {
  readonly api_url?: Secret | undefined;
  readonly app_token?: Secret | undefined;
  readonly app_url?: string | undefined;
  readonly channel?: string | undefined;
  readonly username?: string | undefined;
  readonly color?: string | undefined;
  readonly title?: string | undefined;
  readonly title_link?: string | undefined;
  readonly pretext?: string | undefined;
  readonly text?: string | undefined;
  readonly message_text?: string | undefined;
  readonly fields?: readonly { readonly title: string; readonly value: string; readonly short?: boolean | undefined }[] | undefined;
  readonly short_fields?: boolean | undefined;
  readonly footer?: string | undefined;
  readonly fallback?: string | undefined;
  readonly callback_id?: string | undefined;
  readonly icon_emoji?: string | undefined;
  readonly icon_url?: string | undefined;
  readonly image_url?: string | undefined;
  readonly thumb_url?: string | undefined;
  readonly link_names?: boolean | undefined;
  readonly mrkdwn_in?: readonly string[] | undefined;
  readonly actions?: readonly SlackAction[] | undefined;
}

export interface SlackAction {
  readonly type: string;
  readonly text: string;
  readonly url?: string | undefined;
  readonly style?: string | undefined;
  readonly name?: string | undefined;
  readonly value?: string | undefined;
  readonly confirm?:
    | {
        readonly text: string;
        readonly title?: string | undefined;
        readonly ok_text?: string | undefined;
        readonly dismiss_text?: string | undefined;
      }
    | undefined;
}

export interface PagerdutyConfig extends HttpReceiver {
  readonly routing_key?: Secret | undefined;
  /** The older Events API. */
  readonly service_key?: Secret | undefined;
  readonly url?: string | undefined;
  readonly client?: string | undefined;
  readonly client_url?: string | undefined;
  readonly description?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly images?:
    | readonly { readonly src?: string | undefined; readonly alt?: string | undefined; readonly href?: string | undefined }[]
    | undefined;
  readonly links?: readonly { readonly href?: string | undefined; readonly text?: string | undefined }[] | undefined;
  readonly source?: string | undefined;
  readonly severity?: string | undefined;
  readonly class?: string | undefined;
  readonly component?: string | undefined;
  readonly group?: string | undefined;
}

export interface OpsgenieConfig extends HttpReceiver {
  readonly api_key?: Secret | undefined;
  readonly api_url?: string | undefined;
  readonly message?: string | undefined;
  readonly description?: string | undefined;
  readonly source?: string | undefined;
  readonly details?: Readonly<Record<string, string>> | undefined;
  readonly responders?:
    | readonly {
        readonly id?: string | undefined;
        readonly name?: string | undefined;
        readonly username?: string | undefined;
        readonly type?: string | undefined;
      }[]
    | undefined;
  readonly tags?: string | undefined;
  readonly note?: string | undefined;
  readonly priority?: string | undefined;
  readonly entity?: string | undefined;
  readonly actions?: string | undefined;
  readonly update_alerts?: boolean | undefined;
}

/** Both forms of Teams' webhooks; `summary` is only in the older. */
export interface MsteamsConfig extends HttpReceiver {
  readonly webhook_url?: Secret | undefined;
  readonly title?: string | undefined;
  readonly summary?: string | undefined;
  readonly text?: string | undefined;
}

export interface EmailConfig extends AnyReceiver {
  readonly to: string;
  readonly from: string;
  readonly hello?: string | undefined;
  readonly smarthost?: { readonly host: string; readonly port: string } | undefined;
  readonly auth_identity?: string | undefined;
  readonly auth_username?: string | undefined;
  readonly auth_password?: Secret | undefined;
  readonly auth_secret?: Secret | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly html?: string | undefined;
  readonly text?: string | undefined;
  readonly require_tls?: boolean | undefined;
  readonly force_implicit_tls?: boolean | undefined;
  readonly tls_config?: TlsConfig | undefined;
  readonly threading?: { readonly enabled?: boolean | undefined; readonly thread_by_date?: string | undefined } | undefined;
}

/** Credentials of AWS; those of the running role if there are none. */
export interface Sigv4Config {
  readonly region?: string | undefined;
  readonly access_key?: string | undefined;
  readonly secret_key?: Secret | undefined;
  readonly profile?: string | undefined;
  readonly role_arn?: string | undefined;
}

export interface SnsConfig extends AnyReceiver {
  readonly api_url?: string | undefined;
  readonly sigv4?: Sigv4Config | undefined;
  readonly topic_arn?: string | undefined;
  readonly target_arn?: string | undefined;
  readonly phone_number?: string | undefined;
  readonly subject?: string | undefined;
  readonly message?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** Ours: Alertmanager has none. */
export interface EventbridgeConfig extends AnyReceiver {
  /** Name or ARN. */
  readonly event_bus_name: string;
  readonly region?: string | undefined;
  readonly source?: string | undefined;
  readonly detail_type?: string | undefined;
  readonly sigv4?: Sigv4Config | undefined;
}

/** One integration of a receiver, by its kind. */
export type ReceiverSettings =
  | { readonly kind: 'webhook'; readonly settings: WebhookConfig }
  | { readonly kind: 'slack'; readonly settings: SlackConfig }
  | { readonly kind: 'pagerduty'; readonly settings: PagerdutyConfig }
  | { readonly kind: 'opsgenie'; readonly settings: OpsgenieConfig }
  | { readonly kind: 'msteams' | 'msteamsv2'; readonly settings: MsteamsConfig }
  | { readonly kind: 'email'; readonly settings: EmailConfig }
  | { readonly kind: 'sns'; readonly settings: SnsConfig }
  | { readonly kind: 'eventbridge'; readonly settings: EventbridgeConfig };

export type ReceiverKind = ReceiverSettings['kind'];
