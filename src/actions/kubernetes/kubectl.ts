import { quote } from '../../kernel/index.ts'
import { portablePath, type Catalog } from '../../catalog/index.ts'
import { asShellLine } from '../shell-words.ts'

/** How a runbook's kubectl gets to a cluster. */
export interface KubectlWords {
  /** Lines before the first command. */
  readonly before: readonly string[]
  /** A line for sh: `kubectl --context dr --namespace shop get pods`. Words are quoted here. */
  readonly line: (words: readonly string[], namespace?: string) => string
}

/** Without the catalog, kubectl's own kubeconfig. */
export function kubectlFor(cluster: string, catalog: Catalog | undefined): KubectlWords {
  const entry = catalog?.clusters[cluster]
  const context = entry?.context === undefined ? [] : ['--context', entry.context]
  return {
    before: [
      ...(entry === undefined ? [`# with the kubeconfig of the cluster ${cluster}`] : kubeconfigLines(entry.kubeconfig, catalog)),
      ...(entry?.id === undefined
        ? []
        : [
            `test "$(${['kubectl', ...context, 'get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}'].map(quote).join(' ')})" = ${entry.id}   # must succeed: it is ${cluster}, and no other cluster`,
          ]),
    ],
    line: (words, namespace) =>
      ['kubectl', ...context, ...(namespace === undefined ? [] : ['--namespace', namespace]), ...words].map(quote).join(' '),
  }
}

function kubeconfigLines(kubeconfig: Catalog['clusters'][string]['kubeconfig'], catalog: Catalog | undefined): string[] {
  if ('file' in kubeconfig) {
    const { from, path } =
      catalog === undefined ? { from: 'root', path: kubeconfig.file } : portablePath(kubeconfig.file, catalog)
    return [`export KUBECONFIG=${from === 'home' ? '"$HOME"/' : ''}${quote(path)}`]
  }
  const content = 'env' in kubeconfig ? `"$${kubeconfig.env}"` : `"$(${asShellLine([...kubeconfig.command])})"`
  return ['export KUBECONFIG="$(mktemp)"', `printf '%s' ${content} > "$KUBECONFIG"`]
}
