{{- /* Everything that is wrong with the values, at once. What the schema can say
in a sentence it says; these need one. */ -}}
{{- define "rolepass.refuse" -}}
{{- $wrong := list -}}
{{- if not .Values.config -}}
{{- $wrong = append $wrong "config is empty: write rolepass.yaml there, without what the chart writes itself (values.yaml says what)" -}}
{{- end -}}
{{- $shared := eq (include "rolepass.state" .) "valkey" -}}
{{- if and (gt (int .Values.replicas) 1) (not $shared) -}}
{{- $wrong = append $wrong (printf "replicas is %d and state is %s: each Rolepass would know only its own logins, and people would be signed out at every other request; write replicas: 1, or config.state.kind: valkey with its address" (int .Values.replicas) (include "rolepass.state" .)) -}}
{{- end -}}
{{- if hasKey (default dict .Values.config.state) "password_file" -}}
{{- $wrong = append $wrong "config.state.password_file is the chart's own to write: leave it out, and name the Secret in valkey.secret" -}}
{{- end -}}
{{- if and (or .Values.valkey.secret .Values.valkey.authorities.configMap) (not $shared) -}}
{{- $wrong = append $wrong "valkey is given, and config.state.kind is not valkey: leave it out, and keep no secret where none is needed" -}}
{{- end -}}
{{- if and $shared (dig "state" "user" "" .Values.config) (not .Values.valkey.secret) -}}
{{- $wrong = append $wrong "valkey.secret is empty and config.state.user is given: name the Secret with the user's password" -}}
{{- end -}}
{{- if and $shared (not (dig "state" "address" "" .Values.config)) -}}
{{- $wrong = append $wrong "config.state.address is missing: write the address of the state's server, such as rediss://valkey.example.com:6379/0" -}}
{{- end -}}
{{- if and .Values.valkey.authorities.configMap (not (hasPrefix "rediss:" (dig "state" "address" "" .Values.config))) -}}
{{- $wrong = append $wrong "valkey.authorities is given, and config.state.address is not rediss: there is no certificate to verify; leave it out, or write rediss://" -}}
{{- end -}}
{{- if and .Values.valkey.authorities.configMap (dig "state" "ca_file" "" .Values.config) -}}
{{- $wrong = append $wrong "config.state.ca_file and valkey.authorities.configMap are both given: keep one" -}}
{{- end -}}
{{- range list "listen" "admin" "admin_socket" "monitoring" "keys" "saml_keys" "check_tls" -}}
{{- if hasKey $.Values.config . -}}
{{- $wrong = append $wrong (printf "config.%s is the chart's own to write: leave it out" .) -}}
{{- end -}}
{{- end -}}
{{- range list "secret_key_file" "owner_token_file" -}}
{{- if hasKey (default dict $.Values.config.label_studio) . -}}
{{- $wrong = append $wrong (printf "config.label_studio.%s is the chart's own to write: leave it out, and name the Secret in labelStudio.secret" .) -}}
{{- end -}}
{{- end -}}
{{- if contains "-----BEGIN" (toYaml .Values.config) -}}
{{- $wrong = append $wrong "a key or a certificate stands in config, which becomes a ConfigMap that many may read: put it into a Secret, mount that with volumes and volumeMounts, and name the file" -}}
{{- end -}}
{{- if regexMatch "://[^/\\s]*@" (toYaml .Values.config) -}}
{{- $wrong = append $wrong "an address in config has a user or a password before its host, and config becomes a ConfigMap that many may read: leave it out" -}}
{{- end -}}
{{- range $name, $_ := .Values.podLabels -}}
{{- if or (hasKey (fromYaml (include "rolepass.labels" $)) $name) (eq $name "sidecar.istio.io/inject") -}}
{{- $wrong = append $wrong (printf "podLabels has %s, which is the chart's own: leave it out" $name) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (default dict .Values.podAnnotations) "checksum/config" -}}
{{- $wrong = append $wrong "podAnnotations has checksum/config, which is the chart's own: with another one pods keep an old configuration; leave it out" -}}
{{- end -}}
{{- if not .Values.keys.secret -}}
{{- $wrong = append $wrong "keys.secret is empty: make a Secret from the directory of `rolepass keys new`, and name it" -}}
{{- end -}}
{{- if not .Values.checkTLS.secret -}}
{{- $wrong = append $wrong "checkTLS.secret is empty: the answers to Envoy carry signed locations, so Check is behind mutual TLS; name a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if not .Values.authorities.configMap -}}
{{- $wrong = append $wrong "authorities.configMap is empty: the image has no authorities, and neither IdP nor STS can be verified; name a ConfigMap with a bundle in PEM" -}}
{{- end -}}
{{- $file := include "rolepass.labelStudioSecret" . -}}
{{- if and $file (not .Values.labelStudio.secret) -}}
{{- $wrong = append $wrong (printf "labelStudio.secret is empty: name the Secret that is mounted as label_studio.%s" $file) -}}
{{- end -}}
{{- if and .Values.labelStudio.secret (not $file) -}}
{{- $wrong = append $wrong "labelStudio.secret is given, and sign_in needs none: leave it out, and keep no secret where none is needed" -}}
{{- end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- if not .Values.networkPolicy.envoy -}}
{{- $wrong = append $wrong "networkPolicy.envoy is empty: say in which pods Envoy runs, or nobody reaches Check" -}}
{{- end -}}
{{- if not .Values.networkPolicy.labelStudio.to -}}
{{- $wrong = append $wrong "networkPolicy.labelStudio.to is empty: say in which pods the application runs, or Rolepass cannot ask it" -}}
{{- end -}}
{{- if and $shared (not (hasPrefix "unix:" (dig "state" "address" "" .Values.config))) (not .Values.networkPolicy.valkey.to) -}}
{{- $wrong = append $wrong "networkPolicy.valkey.to is empty and state is at a server: say in which pods or at which addresses that is, or nobody can sign in" -}}
{{- end -}}
{{- if and .Values.config.traces (not .Values.networkPolicy.collector.to) -}}
{{- $wrong = append $wrong "networkPolicy.collector.to is empty and config.traces is given: say in which pods the collector runs, or every span is lost" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.networkPolicy.prometheus) -}}
{{- $wrong = append $wrong "networkPolicy.prometheus is empty and serviceMonitor is enabled: say in which pods Prometheus runs, or it scrapes nothing" -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\nThese values do not fit:\n- %s\n" (join "\n- " $wrong)) -}}
{{- end -}}
{{- end }}
