{{- define "rolepass.name" -}}
{{ .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "rolepass.selector" -}}
app.kubernetes.io/name: rolepass
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rolepass.labels" -}}
{{ include "rolepass.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "rolepass.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /* The kind of state, memory if nothing is said. */ -}}
{{- define "rolepass.state" -}}
{{ dig "state" "kind" "memory" .Values.config }}
{{- end }}

{{- /* Which file of label_studio holds a secret: its key, or nothing. */ -}}
{{- define "rolepass.labelStudioSecret" -}}
{{- if hasKey .Values.config "label_studio" -}}
{{- get (dict "bearer" "secret_key_file" "token" "owner_token_file") (dig "label_studio" "sign_in" "bearer" .Values.config) -}}
{{- end -}}
{{- end }}

{{- /* rolepass.yaml: what was given, and what only the chart knows. */ -}}
{{- define "rolepass.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $own := dict
  "listen" "0.0.0.0:9001"
  "admin" "127.0.0.1:9002"
  "monitoring" "0.0.0.0:9003"
  "admin_socket" "/run/rolepass/admin.sock"
  "keys" "/run/rolepass/keys"
  "check_tls" (dict
    "certificate" "/etc/rolepass/check/tls.crt"
    "private_key" "/etc/rolepass/check/tls.key"
    "ca" "/etc/rolepass/check/ca.crt"
    "name" .Values.checkTLS.name
    "envoy_name" .Values.checkTLS.envoyName) -}}
{{- if .Values.samlKeys.secret -}}
{{- $_ := set $own "saml_keys" "/run/rolepass/saml-keys" -}}
{{- end -}}
{{- with include "rolepass.labelStudioSecret" . -}}
{{- $_ := set $own "label_studio" (dict . "/etc/rolepass/label-studio/secret") -}}
{{- end -}}
{{- $state := dict -}}
{{- if .Values.valkey.secret -}}
{{- $_ := set $state "password_file" "/etc/rolepass/valkey/password" -}}
{{- end -}}
{{- if .Values.valkey.authorities.configMap -}}
{{- $_ := set $state "ca_file" "/etc/rolepass/valkey-authorities/ca.crt" -}}
{{- end -}}
{{- if $state -}}
{{- $_ := set $own "state" $state -}}
{{- end -}}
{{- toYaml (mergeOverwrite $config $own) -}}
{{- end }}

{{- /* What all containers have in common. */ -}}
{{- define "rolepass.container" -}}
image: {{ include "rolepass.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources: {{- toYaml .Values.resources | nindent 2 }}
{{- end }}
