# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""manifest.py check FILE          a file of Kubernetes objects: shapes, names, rights
manifest.py same FILE FILE      do the two say the same, but for helm's labels?
manifest.py config FILE         prints the reconmon.yaml of its ConfigMap
manifest.py args FILE           prints the arguments of the container, one a line
manifest.py caps FILE           prints its capabilities, joined by commas
manifest.py values SCHEMA FILE  holds a chart's values against their schema

Unknown keys are mistakes: a server drops them without a word. Shapes are those of the API's types
(apps/v1, v1, monitoring.coreos.com/v1), as far as they are used here."""
import json
import sys

import jsonschema
import yaml

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
QUANTITIES = {"type": "object",
              "additionalProperties": {"type": "string", "pattern": "^[0-9]+(m|Ki|Mi|Gi)?$"}}


def one_of(*words):
    return {"enum": list(words)}


def obj(required=(), **keys):
    return {"type": "object", "additionalProperties": False, "required": list(required),
            "properties": keys}


def list_of(item):
    return {"type": "array", "items": item}


LABEL = {"type": "object", "additionalProperties": {
    "type": "string", "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"}}
METADATA = obj(["name"], name={"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
               namespace=TEXT, labels=LABEL, annotations=TEXTS)
PROBE = obj(["httpGet"], httpGet=obj(["path", "port"], path=one_of("/livez", "/readyz"),
                                     port={"type": ["string", "integer"]}),
            periodSeconds=COUNT, timeoutSeconds=COUNT, failureThreshold=COUNT)
SECCOMP = obj(["type"], type=one_of("Unconfined", "RuntimeDefault", "Localhost"),
              localhostProfile=TEXT)
CONTAINER = obj(
    ["name", "image", "securityContext", "resources", "volumeMounts"],
    name=TEXT, image=TEXT, imagePullPolicy=one_of("Always", "IfNotPresent", "Never"),
    args=list_of(TEXT),
    env=list_of(obj(["name"], name=TEXT, value=TEXT, valueFrom=obj(
        fieldRef=obj(["fieldPath"], fieldPath=one_of("spec.nodeName", "status.hostIP"))))),
    securityContext=obj(
        ["privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"],
        privileged=FLAG, allowPrivilegeEscalation=FLAG, readOnlyRootFilesystem=FLAG,
        runAsUser=COUNT, capabilities=obj(["drop", "add"], drop=list_of(TEXT), add=list_of(TEXT))),
    ports=list_of(obj(["containerPort"], name=TEXT, containerPort=COUNT,
                      protocol=one_of("TCP", "UDP"))),
    startupProbe=PROBE, livenessProbe=PROBE, readinessProbe=PROBE,
    resources=obj(requests=QUANTITIES, limits=QUANTITIES),
    volumeMounts=list_of(obj(["name", "mountPath"], name=TEXT, mountPath=TEXT, readOnly=FLAG,
                             mountPropagation=one_of("None", "HostToContainer"))))
VOLUME = obj(["name"], name=TEXT, configMap=obj(["name"], name=TEXT), emptyDir=obj(),
             hostPath=obj(["path", "type"], path=TEXT,
                          type=one_of("Directory", "DirectoryOrCreate", "File")))
POD = obj(
    ["serviceAccountName", "automountServiceAccountToken", "containers", "volumes"],
    serviceAccountName=TEXT, automountServiceAccountToken=FLAG,
    initContainers=list_of(CONTAINER),
    imagePullSecrets=list_of(obj(["name"], name=TEXT)), hostNetwork=FLAG, hostPID=FLAG,
    dnsPolicy=one_of("ClusterFirstWithHostNet"), priorityClassName=TEXT,
    terminationGracePeriodSeconds=COUNT,
    securityContext=obj(seccompProfile=SECCOMP, seLinuxOptions=obj(type=TEXT)),
    containers=list_of(CONTAINER), volumes=list_of(VOLUME), nodeSelector=TEXTS,
    affinity={"type": "object"},
    tolerations=list_of(obj(key=TEXT, operator=one_of("Exists", "Equal"), value=TEXT, effect=TEXT)))
KINDS = {
    "Namespace": obj(["metadata"], apiVersion=one_of("v1"), kind=TEXT, metadata=METADATA),
    "ServiceAccount": obj(["metadata", "automountServiceAccountToken"], apiVersion=one_of("v1"),
                          kind=TEXT, metadata=METADATA, automountServiceAccountToken=FLAG),
    "ConfigMap": obj(["metadata", "data"], apiVersion=one_of("v1"), kind=TEXT, metadata=METADATA,
                     data=TEXTS),
    "DaemonSet": obj(["metadata", "spec"], apiVersion=one_of("apps/v1"), kind=TEXT,
                     metadata=METADATA, spec=obj(
                         ["selector", "template"], selector=obj(["matchLabels"], matchLabels=LABEL),
                         updateStrategy=obj(["type"], type=one_of("RollingUpdate", "OnDelete"),
                                            rollingUpdate=obj(maxUnavailable={
                                                "type": ["integer", "string"]})),
                         template=obj(["metadata", "spec"], metadata=obj(
                             ["labels"], labels=LABEL, annotations=TEXTS), spec=POD))),
    "PodMonitor": obj(["metadata", "spec"], apiVersion=one_of("monitoring.coreos.com/v1"),
                      kind=TEXT, metadata=METADATA, spec=obj(
                          ["selector", "podMetricsEndpoints"],
                          selector=obj(["matchLabels"], matchLabels=LABEL),
                          podMetricsEndpoints=list_of(obj(
                              ["port"], port=TEXT, path=one_of("/metrics"), interval=TEXT,
                              relabelings=list_of(obj(sourceLabels=list_of(TEXT),
                                                      targetLabel=TEXT)))))),
}


def load(path):
    with open(path, encoding="utf-8") as f:
        return [d for d in yaml.safe_load_all(f) if d]


def first(docs, kind):
    return next(d for d in docs if d["kind"] == kind)


def container(docs):
    return first(docs, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]


def shapes(docs):
    for d in docs:
        kind = d.get("kind")
        if kind not in KINDS:
            yield f"{kind}: no such object is wanted here (rights in the cluster, for one)"
            continue
        for e in jsonschema.Draft7Validator(KINDS[kind]).iter_errors(d):
            yield f"{kind} {'.'.join(map(str, e.absolute_path))}: {e.message}"


def sense(docs):
    """What the shapes do not say: names that must meet, and rights."""
    spec = first(docs, "DaemonSet")["spec"]
    pod, c = spec["template"]["spec"], container(docs)
    labels, wanted = spec["template"]["metadata"]["labels"], spec["selector"]["matchLabels"]
    if not wanted or not wanted.items() <= labels.items():
        yield "the DaemonSet does not select its own pods"
    if any("version" in k or "chart" in k for k in wanted):
        yield "a selector must not have what changes with a version"
    mounts, volumes = {m["name"] for m in c["volumeMounts"]}, {v["name"] for v in pod["volumes"]}
    if mounts != volumes:
        yield f"volumes and mounts differ: {mounts ^ volumes}"
    if pod["serviceAccountName"] != first(docs, "ServiceAccount")["metadata"]["name"]:
        yield "another service account"
    config = next(v for v in pod["volumes"] if v["name"] == "config")["configMap"]["name"]
    if config != first(docs, "ConfigMap")["metadata"]["name"]:
        yield "another ConfigMap"
    for one in pod["containers"] + pod.get("initContainers", []):
        rights = one["securityContext"]
        if pod["automountServiceAccountToken"] or rights["privileged"] \
                or rights["allowPrivilegeEscalation"] or not rights["readOnlyRootFilesystem"] \
                or rights["capabilities"]["drop"] != ["ALL"]:
            yield "more rights than are needed"
    ports = {p["name"] for p in c["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if c[probe]["httpGet"]["port"] not in ports:
            yield f"{probe}: no such port"
    for d in docs:
        if d["kind"] == "PodMonitor":
            if not d["spec"]["selector"]["matchLabels"].items() <= labels.items():
                yield "the PodMonitor does not select the pods"
            if any(e["port"] not in ports for e in d["spec"]["podMetricsEndpoints"]):
                yield "the PodMonitor's port is none of the container"


HELM = ("app.kubernetes.io/instance", "app.kubernetes.io/version",
        "app.kubernetes.io/managed-by", "helm.sh/chart")


def plain(node):
    if isinstance(node, dict):
        return {k: plain(v) for k, v in node.items() if k not in HELM}
    return [plain(v) for v in node] if isinstance(node, list) else node


def compared(path):
    docs = {d["kind"]: plain(d) for d in load(path) if d["kind"] != "Namespace"}
    for d in docs.values():
        if d["kind"] == "ConfigMap":
            d["data"] = {k: yaml.safe_load(v) for k, v in d["data"].items()}
    return docs


def main():
    command, path = sys.argv[1], sys.argv[-1]
    bad = []
    if command == "check":
        docs = load(path)
        bad = list(shapes(docs)) or list(sense(docs))
    elif command == "same":
        a, b = compared(sys.argv[2]), compared(path)
        bad = [f"{kind}: {json.dumps(a.get(kind))} / {json.dumps(b.get(kind))}"
               for kind in a.keys() | b.keys() if a.get(kind) != b.get(kind)]
    elif command == "config":
        print(first(load(path), "ConfigMap")["data"]["reconmon.yaml"])
    elif command == "args":
        print("\n".join(container(load(path))["args"]))
    elif command == "caps":
        print(",".join(container(load(path))["securityContext"]["capabilities"]["add"]))
    elif command == "values":
        with open(sys.argv[2], encoding="utf-8") as f:
            schema = json.load(f)
        jsonschema.Draft7Validator.check_schema(schema)
        bad = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}"
               for e in jsonschema.Draft7Validator(schema).iter_errors(load(path)[0])]
    for b in bad:
        print(b)
    return bool(bad)


sys.exit(main())
