import type { KubeConfig, RequestContext } from '@kubernetes/client-node'
import { Credentials, type ClusterEntry, type SecretResolver } from '../catalog/index.ts'
import { HoldfastError, isHoldfastError, messageOf, type Json } from '../kernel/index.ts'
import { asUnknown, noAnswer, refusal } from './failure.ts'
import { placeOf, readKubeconfig } from './kubeconfig.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** From the root of the server: `/api/v1/namespaces/kube-system`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly contentType?: string
  /** In words, for errors. */
  readonly what: string
  /** It may change something: without an answer nobody knows whether it did. */
  readonly changes?: boolean
}

export interface Connection extends AsyncDisposable {
  readonly server: string
  /** Throws HoldfastErrors only, or why it was aborted; `outcome-unknown` for a change without an answer. */
  send(request: ApiRequest): Promise<Json>
  /** The same for an answer that is not one document: logs, or what happens for a while (`watch`). */
  text(request: ApiRequest): Promise<string>
}

const requestTimeoutMs = 20_000

/**
 * A connection to a cluster with all that a kubeconfig can say of addresses, certificates, proxies and credentials: the client knows that. It
 * is loaded here, for nothing else needs it. Objects pass through as they are: its types would drop the members that it does not know.
 */
export async function connect(entry: ClusterEntry, context: SecretResolver, signal: AbortSignal): Promise<Connection> {
  const secrets = new Credentials(context, signal)
  const text = await secrets.text(entry.kubeconfig)
  const client = await import('@kubernetes/client-node')
  const config = readKubeconfig(new client.KubeConfig(), text, entry)
  const server = config.getCurrentCluster()?.server.replace(/\/$/, '') ?? ''
  const user = config.getCurrentUser()
  const secretParts = [user?.token, user?.password, user?.keyData].filter((part) => part !== undefined)
  const redact = (said: string) => secretParts.reduce((clean, part) => clean.replaceAll(part, '***'), secrets.redact(said))
  const http = new client.IsomorphicFetchHttpLibrary()
  let dispatcher: ReturnType<RequestContext['getDispatcher']>
  const answerTo = async (request: ApiRequest, accept: string): Promise<string> => {
    const { method, path, query = {}, body, contentType = 'application/json', what, changes = false } = request
    signal.throwIfAborted()
    const asked = { cluster: entry.name, server, what }
    const fails = (error: HoldfastError) => (changes ? asUnknown(error) : error)
    const sent = new client.RequestContext(`${server}${path}`, method)
    sent.setHeaderParam('Accept', accept)
    for (const [name, value] of Object.entries(query)) sent.setQueryParam(name, value)
    if (body !== undefined) {
      sent.setHeaderParam('Content-Type', contentType)
      sent.setBody(JSON.stringify(body))
    }
    await authenticate(config, sent, entry, redact)
    // One for all requests: each that the client makes would connect anew.
    dispatcher ??= sent.getDispatcher()
    if (dispatcher !== undefined) sent.setDispatcher(dispatcher)
    sent.setSignal(AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]))
    let answer: { readonly status: number; readonly text: string }
    try {
      const response = await http.send(sent).toPromise()
      answer = { status: response.httpStatusCode, text: await response.body.text() }
    } catch (error) {
      // A change that was cut off may have been made all the same.
      if (!changes) signal.throwIfAborted()
      throw fails(noAnswer(error, asked))
    }
    if (answer.status < 200 || answer.status > 299) throw fails(refusal(answer.status, redact(answer.text), asked))
    return answer.text
  }
  return {
    server,
    text: (request) => answerTo(request, '*/*'),
    async send(request) {
      const text = await answerTo(request, 'application/json')
      try {
        return JSON.parse(text) as Json
      } catch (cause) {
        const error = noAnswer(cause, { cluster: entry.name, server, what: request.what })
        throw request.changes === true ? asUnknown(error) : error
      }
    },
    async [Symbol.asyncDispose]() {
      await dispatcher?.destroy()
    },
  }
}

async function authenticate(
  config: KubeConfig,
  request: RequestContext,
  { name, kubeconfig }: ClusterEntry,
  redact: (text: string) => string,
): Promise<void> {
  try {
    await config.applySecurityAuthentication(request)
  } catch (error) {
    if (isHoldfastError(error)) throw error
    throw new HoldfastError('secret-unavailable', {
      message: `the credentials for the cluster ${name} cannot be had: ${redact(messageOf(error)).replaceAll(/\s+/g, ' ').slice(0, 300)}`,
      hint: `look at the user in ${placeOf(kubeconfig)}: what it names must be there`,
    })
  }
}
