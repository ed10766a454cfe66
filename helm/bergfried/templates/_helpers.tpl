{{- define "bergfried.fullname" -}}
{{- printf "%s-bergfried" .Release.Name -}}
{{- end -}}

{{- define "bergfried.selector" -}}
app.kubernetes.io/name: bergfried
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "bergfried.labels" -}}
{{ include "bergfried.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "bergfried.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* Refuses to render without what must exist beforehand: nothing is generated here. */}}
{{- define "bergfried.preflight" -}}
{{- $v := .Values -}}
{{- if gt (len .Release.Name) 28 }}{{ fail (printf "the release name %s has %d characters; at most 28 fit, with pool and ordinal, into a label" .Release.Name (len .Release.Name)) }}{{ end -}}
{{- $missing := list -}}
{{- if not $v.tls.routerSecret }}{{ $missing = append $missing "tls.routerSecret: name of a Secret with tls.crt, tls.key and ca.crt of the routers" }}{{ end -}}
{{- if not $v.tls.workerSecret }}{{ $missing = append $missing "tls.workerSecret: name of a Secret with tls.crt, tls.key and ca.crt of the workers" }}{{ end -}}
{{- if not $v.apiKeys.secret }}{{ $missing = append $missing "apiKeys.secret: name of a Secret with the file of API keys" }}{{ end -}}
{{- if not $v.seal.secret }}{{ $missing = append $missing "seal.secret: name of a Secret with the sealing keys" }}{{ end -}}
{{- if not $v.model.path }}{{ $missing = append $missing "model.path: path of the model below the model volume" }}{{ end -}}
{{- if not (or $v.model.existingClaim $v.model.hostPath) }}{{ $missing = append $missing "model.existingClaim or model.hostPath: where the model is" }}{{ end -}}
{{- if $missing }}{{ fail (printf "\nBergfried needs what only you can provide; the chart generates no secrets. Missing values:\n  - %s\n" (join "\n  - " $missing)) }}{{ end -}}
{{- if and $v.model.existingClaim $v.model.hostPath }}{{ fail "model.existingClaim and model.hostPath are both set; set one of them" }}{{ end -}}
{{- $names := dict -}}
{{- $trunks := 0 -}}
{{- $experts := 0 -}}
{{- range $v.pools -}}
{{- if hasKey $names .name }}{{ fail (printf "pools: two pools are called %s; names must differ" .name) }}{{ end -}}
{{- $_ := set $names .name true -}}
{{- $roles := .roles | default (list "trunk" "expert") -}}
{{- if has "trunk" $roles }}{{ $trunks = add $trunks .replicas }}{{ end -}}
{{- if has "expert" $roles }}{{ $experts = add $experts .replicas }}{{ end -}}
{{- end -}}
{{- if not $trunks }}{{ fail "pools: no pool has replicas with the role trunk; nothing could run a sequence" }}{{ end -}}
{{- if not $experts }}{{ fail "pools: no pool has replicas with the role expert; nothing could host experts" }}{{ end -}}
{{- end -}}

{{- define "bergfried.expertWorkers" -}}
{{- $experts := 0 -}}
{{- range .Values.pools }}{{ if has "expert" (.roles | default (list "trunk" "expert")) }}{{ $experts = add $experts .replicas }}{{ end }}{{ end -}}
{{- $experts -}}
{{- end -}}

{{/* What router.yaml and worker.yaml share. The own address comes from the environment, see bergfried.environment. */}}
{{- define "bergfried.common" -}}
cluster:
  name: {{ include "bergfried.fullname" . }}
  port: {{ .Values.cluster.port }}
  seeds: [{{ printf "%s-members.%s.svc:%v" (include "bergfried.fullname" .) .Release.Namespace .Values.cluster.port | quote }}]
tls:
  certificate: /etc/bergfried/tls/tls.crt
  privateKey: /etc/bergfried/tls/tls.key
  trust: /etc/bergfried/tls/ca.crt
  routerNames: [{{ printf "%s.%s.svc" (include "bergfried.fullname" .) .Release.Namespace | quote }}]
  workerNames: [{{ printf "*.%s-members.%s.svc" (include "bergfried.fullname" .) .Release.Namespace | quote }}]
sealKeyFile: /etc/bergfried/seal/seal.keys
{{- end -}}

{{- define "bergfried.router.yaml" -}}
{{- $own := printf `
http: {host: 0.0.0.0, port: %v}
grpc: {host: 0.0.0.0, port: %v}
keysFile: /etc/bergfried/keys/keys.yaml
placement: {expectedWorkers: %v, expectedRouters: %v}
drain: %vs
` .Values.router.httpPort .Values.router.grpcPort (include "bergfried.expertWorkers" .) .Values.router.replicas .Values.router.drainSeconds | fromYaml -}}
{{- mergeOverwrite (deepCopy .Values.router.config) $own (include "bergfried.common" . | fromYaml) | toYaml -}}
{{- end -}}

{{/* Takes root and pool. */}}
{{- define "bergfried.worker.yaml" -}}
{{- $v := .root.Values -}}
{{- $model := dict "path" (printf "/models/%s" ($v.model.path | trimPrefix "/")) -}}
{{- if $v.model.name }}{{ $_ := set $model "name" $v.model.name }}{{ end -}}
{{- $own := dict
  "model" $model
  "roles" (.pool.roles | default (list "trunk" "expert"))
  "backend" (.pool.backend | default "auto")
  "threads" (.pool.threads | default 0)
  "grpc" (dict "port" $v.worker.grpcPort)
  "http" (dict "port" $v.worker.httpPort)
  "dataDirectory" "/data"
  "drain" (printf "%vs" $v.worker.drainSeconds) -}}
{{- $base := mergeOverwrite (deepCopy $v.worker.config) (deepCopy (.pool.config | default dict)) -}}
{{- mergeOverwrite $base $own (include "bergfried.common" .root | fromYaml) | toYaml -}}
{{- end -}}

{{- define "bergfried.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.podSecurity.runAsUser }}
runAsUser: {{ . }}
{{- end }}
{{- with .Values.podSecurity.fsGroup }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "bergfried.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Secrets' files are 0440: readable by fsGroup, closed to others, as the processes demand. */}}
{{- define "bergfried.secretVolume" -}}
- name: {{ .name }}
  secret:
    secretName: {{ .secret | quote }}
    defaultMode: 288 # 0440
    items:
    {{- range $path, $key := .items }}
      - {key: {{ $key | quote }}, path: {{ $path | quote }}}
    {{- end }}
{{- end -}}

{{- define "bergfried.environment" -}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- {name: BERGFRIED_CLUSTER__HOST, value: $(POD_IP)}
- {name: BERGFRIED_LOG, value: json}
{{- end -}}
