import { alertmanagerFunctions } from './alertmanager-functions.ts';
import { parseTemplate, type TemplateSet } from './parse.ts';

/** What several services get under a name of their own: the subject of a notification, its sender, the link back. */
const common = String.raw`
{{- define "__alertmanager" }}Alertmanager{{ end -}}
{{- define "__alertmanagerURL" }}{{ $.ExternalURL }}/#/alerts?receiver={{ urlquery $.Receiver }}{{ end -}}
{{- define "__description" }}{{ end -}}

{{- define "__subject" -}}
  {{- $group := .GroupLabels -}}
  [{{ toUpper .Status }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}]
  {{- print " " (join " " $group.Values) " " -}}
  {{- if lt (len $group) (len .CommonLabels) -}}
    {{- $rest := .CommonLabels.Remove $group.Names -}}
    ({{ join " " $rest.Values }})
  {{- end -}}
{{- end -}}

{{- define "__text_alert_list" -}}
  {{- range $alert := . -}}
    {{- "Labels:\n" -}}
    {{- range $alert.Labels.SortedPairs }}{{ printf " - %s = %s\n" .Name .Value }}{{ end -}}
    {{- "Annotations:\n" -}}
    {{- range $alert.Annotations.SortedPairs }}{{ printf " - %s = %s\n" .Name .Value }}{{ end -}}
    {{- printf "Source: %s\n" $alert.GeneratorURL -}}
  {{- end -}}
{{- end -}}

{{- define "__text_alert_list_markdown" -}}
  {{- range $alert := . -}}
    {{- "\nLabels:\n" -}}
    {{- range $alert.Labels.SortedPairs }}{{ printf "  - %s = %s\n" .Name .Value }}{{ end -}}
    {{- "\nAnnotations:\n" -}}
    {{- range $alert.Annotations.SortedPairs }}{{ printf "  - %s = %s\n" .Name .Value }}{{ end -}}
    {{- printf "\nSource: %s\n" $alert.GeneratorURL -}}
  {{- end -}}
{{- end -}}

{{- define "__severity_color" }}{{ if ne .Status "firing" }}good{{ else }}danger{{ end }}{{ end -}}

{{- define "__text_alerts" -}}
  {{- with .Alerts.Firing }}{{ "Alerts Firing:\n" }}{{ template "__text_alert_list" . }}{{ end -}}
  {{- with .Alerts.Resolved }}{{ "\nAlerts Resolved:\n" }}{{ template "__text_alert_list" . }}{{ end -}}
{{- end -}}

{{- define "__text_summary_alerts" -}}
  {{- println (join " " .CommonAnnotations.Values) -}}
  {{- template "__text_alerts" . -}}
{{- end -}}

{{- define "__markdown_alerts" -}}
  {{- with .Alerts.Firing }}{{ "# Alerts Firing:\n" }}{{ template "__text_alert_list_markdown" . }}{{ end -}}
  {{- with .Alerts.Resolved }}{{ "\n# Alerts Resolved:\n" }}{{ template "__text_alert_list_markdown" . }}{{ end -}}
{{- end -}}
`;

/** By name: the one template that it is the same as, '' for nothing. */
const same: Readonly<Record<string, string>> = {
  'slack.default.title': '__subject',
  'slack.default.username': '__alertmanager',
  'slack.default.titlelink': '__alertmanagerURL',
  'slack.default.color': '__severity_color',
  'slack.default.callbackid': '',
  'slack.default.pretext': '',
  'slack.default.iconemoji': '',
  'slack.default.iconurl': '',
  'slack.default.text': '',
  'slack.default.footer': '',
  'pagerduty.default.description': '__subject',
  'pagerduty.default.client': '__alertmanager',
  'pagerduty.default.clientURL': '__alertmanagerURL',
  'opsgenie.default.message': '__subject',
  'opsgenie.default.description': '__text_summary_alerts',
  'opsgenie.default.source': '__alertmanagerURL',
  'wechat.default.to_user': '',
  'wechat.default.to_party': '',
  'wechat.default.to_tag': '',
  'wechat.default.agent_id': '',
  'victorops.default.state_message': '__text_summary_alerts',
  'victorops.default.entity_display_name': '__subject',
  'victorops.default.monitoring_tool': '__alertmanager',
  'email.default.subject': '__subject',
  'pushover.default.title': '__subject',
  'pushover.default.message': '__text_summary_alerts',
  'pushover.default.url': '__alertmanagerURL',
  'sns.default.subject': '__subject',
  'sns.default.message': '__text_summary_alerts',
  'telegram.default.message': '__text_alerts',
  'discord.default.content': '',
  'discord.default.title': '__subject',
  'discord.default.message': '__text_alerts',
  'webex.default.message': '__text_summary_alerts',
  'msteams.default.summary': '__subject',
  'msteams.default.title': '__subject',
  'msteams.default.text': '__markdown_alerts',
  'msteamsv2.default.title': '__subject',
  'msteamsv2.default.text': '__markdown_alerts',
  'jira.default.summary': '__subject',
  'jira.default.description': '__markdown_alerts',
  'rocketchat.default.title': '__subject',
  'rocketchat.default.alias': '__alertmanager',
  'rocketchat.default.titlelink': '__alertmanagerURL',
  'rocketchat.default.emoji': '',
  'rocketchat.default.iconurl': '',
  'rocketchat.default.text': '',
  'mattermost.default.color': '__severity_color',
  'mattermost.default.username': '__alertmanager',
  'mattermost.default.title': '__subject',
  'mattermost.default.titlelink': '__alertmanagerURL',
  'mattermost.default.text': '__markdown_alerts',
};

const further = String.raw`
{{- define "slack.default.fallback" }}{{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}{{ end -}}
{{- define "mattermost.default.fallback" }}{{ template "mattermost.default.title" . }} | {{ template "mattermost.default.titlelink" . }}{{ end -}}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end -}}

{{- define "wechat.default.message" -}}
  {{- template "__subject" . }}{{ "\n" }}{{ template "__text_summary_alerts" . -}}
  {{- "AlertmanagerUrl:\n" }}{{ template "__alertmanagerURL" . -}}
{{- end -}}

{{- define "__jira_priority" -}}
  {{- $level := 0 -}}
  {{- range . -}}
    {{- $severity := index .Labels "severity" -}}
    {{- if eq $severity "critical" }}{{ $level = 3 }}{{ break }}{{ end -}}
    {{- if eq $severity "warning" }}{{ $level = 2 }}{{ end -}}
    {{- if and (eq $severity "info") (lt $level 1) }}{{ $level = 1 }}{{ end -}}
  {{- end -}}
  {{- index (stringSlice "" "Low" "Medium" "High") $level -}}
{{- end -}}
{{- define "jira.default.priority" -}}
  {{- $known := false -}}
  {{- range .Alerts.Firing }}{{ if match "^(critical|warning|info)$" (index .Labels "severity") }}{{ $known = true }}{{ end }}{{ end -}}
  {{- if $known }}{{ template "__jira_priority" .Alerts.Firing }}{{ else }}{{ template "__jira_priority" .Alerts.Resolved }}{{ end -}}
{{- end -}}

{{- define "__email_alert" }}
    <div style="border-top:1px solid #d8dce2;padding:12px 0">
      <p style="margin:0 0 4px"><b>Labels</b></p>
      {{ range .Labels.SortedPairs }}<div>{{ .Name }} = {{ .Value }}</div>{{ end }}
      {{ with .Annotations.SortedPairs }}<p style="margin:8px 0 4px"><b>Annotations</b></p>
      {{ range . }}<div>{{ .Name }} = {{ .Value }}</div>{{ end }}{{ end }}
      {{ with .GeneratorURL }}<p style="margin:8px 0 0"><a href="{{ . }}">Source</a></p>{{ end }}
    </div>
{{- end -}}

{{- define "email.default.html" -}}
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>{{ template "__subject" . }}</title>
</head>
<body style="margin:0;padding:16px;background:#f2f4f7;color:#1c2530;font:14px/1.5 sans-serif">
  <div style="max-width:640px;margin:0 auto;padding:20px;background:#ffffff">
    <h1 style="margin:0 0 12px;padding:10px;color:#ffffff;font-size:16px;background:{{ if .Alerts.Firing }}#b3261e{{ else }}#2e7d32{{ end }}">
      {{- len .Alerts }} alert{{ if ne 1 (len .Alerts) }}s{{ end }} for
      {{- range .GroupLabels.SortedPairs }} {{ .Name }}={{ .Value }}{{ end -}}
    </h1>
    <p><a href="{{ template "__alertmanagerURL" . }}">View in {{ template "__alertmanager" . }}</a></p>
    {{ with .Alerts.Firing }}<h2 style="font-size:15px">[{{ len . }}] Firing</h2>{{ range . }}{{ template "__email_alert" . }}{{ end }}{{ end }}
    {{ with .Alerts.Resolved }}<h2 style="font-size:15px">[{{ len . }}] Resolved</h2>{{ range . }}{{ template "__email_alert" . }}{{ end }}{{ end }}
    <p style="color:#5b6673"><a href="{{ .ExternalURL }}">Sent by {{ template "__alertmanager" . }}</a></p>
  </div>
</body>
</html>
{{ end -}}
`;

function defineSame([name, other]: readonly [string, string]): string {
  return `{{define "${name}"}}${other === '' ? '' : `{{template "${other}" .}}`}{{end}}`;
}

/** Parses the templates that receivers use where their configuration names no others; a user's file may define any of them anew. */
export function parseDefaultTemplates(): TemplateSet {
  const text = common + Object.entries(same).map(defineSame).join('') + further;
  return parseTemplate(text, { functions: alertmanagerFunctions, name: 'default.tmpl' }).set;
}
