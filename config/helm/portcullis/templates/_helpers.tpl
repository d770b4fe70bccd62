{{/* The listeners that the config opens, each with its port: { rtmp: 1935, … }. */}}
{{- define "portcullis.ports" -}}
{{- $defaults := dict "rtmp" 1935 "rtmps" 8443 "rtsp" 8554 "rtsps" 8555 "http" 5080 "https" 5443 "media" 8189 "admin" 9090 -}}
{{- $ports := dict -}}
{{- range $name, $default := $defaults -}}
{{- if hasKey $.Values.config.listen $name -}}
{{- $_ := set $ports $name (int (dig $name "port" $default $.Values.config.listen)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $ports -}}
{{- end -}}

{{/* preStop + the two times of the drain + 5 s for the last words, and some more. */}}
{{- define "portcullis.graceSeconds" -}}
{{- $limits := .Values.config.limits | default dict -}}
{{- add .Values.preStopSeconds (dig "drainTimeoutSeconds" 30 $limits) (dig "drainSpreadSeconds" 5 $limits) 5 15 -}}
{{- end -}}
