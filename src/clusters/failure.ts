import { HoldfastError, messageOf, systemCode } from '../kernel/index.ts'

/** What was asked of a cluster, for people: `patch deployments web in shop`. */
export interface Asked {
  readonly cluster: string
  readonly server: string
  readonly what: string
}

/** The parts of a Kubernetes `Status` that say why something was refused (meta/v1). */
interface Status {
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  }
}

/** These end before a request is sent: it cannot have been carried out. */
const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
const isCertificateCode = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/

/** An answer that is no success. `details.answered` false: nobody knows whether it was carried out. */
export function refusal(status: number, text: string, { cluster, what }: Asked): HoldfastError {
  const { message = text.slice(0, 300), reason = '', details } = parseStatus(text)
  const said = message.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '').slice(0, 500)
  const facts = { cluster, status, reason, answered: status < 500, causes: details?.causes ?? [] }
  const fails = (code: 'permission-denied' | 'not-found' | 'command-failed', why: string, hint?: string, retryable = false) =>
    new HoldfastError(code, {
      message: `${what} (cluster ${cluster}): ${why}${said === '' ? '' : `: ${said}`}`,
      ...(hint === undefined ? {} : { hint }),
      retryable,
      details: facts,
    })
  if (status === 401)
    return fails(
      'permission-denied',
      'the credentials are not accepted',
      'get new ones: a token or certificate of the kubeconfig may have expired',
    )
  if (status === 403)
    return fails(
      'permission-denied',
      'it is forbidden',
      'give the user of the kubeconfig a role that allows this (`kubectl auth can-i` tells)',
    )
  if (status === 404) return fails('not-found', 'it does not exist', 'check the name, the namespace, and which cluster this is')
  if (status === 409) return fails('command-failed', 'it conflicts')
  if (status === 429) return fails('command-failed', 'the cluster has too much to do', "give the step a 'retry'", true)
  if (status >= 500)
    return fails('command-failed', `the cluster failed (${status})`, 'look at the control plane of the cluster', true)
  return fails('command-failed', `it was refused (${status})`)
}

/** No answer at all. */
export function noAnswer(error: unknown, { cluster, server, what }: Asked): HoldfastError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = systemCode(cause) ?? ''
  const isCertificate = isCertificateCode.test(code)
  const why = isCertificate ? 'the certificate is not trusted' : 'it cannot be reached'
  return new HoldfastError('command-failed', {
    message: `${what} (cluster ${cluster} at ${server}): ${why}: ${messageOf(cause).replaceAll(/\s+/g, ' ')}`,
    hint: isCertificate
      ? 'the kubeconfig must hold the certificate authority of this cluster: does it lead to another one?'
      : 'check the network, and `server` in the kubeconfig',
    retryable: !isCertificate,
    details: { cluster, code, answered: isCertificate || neverSent.has(code) },
    cause: error,
  })
}

/** A change whose answer is missing may have been made: the step's probe looks. */
export function asUnknown(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.details.answered !== false) return error
  return new HoldfastError('outcome-unknown', {
    message: `whether it was done is not known: ${error.message}`,
    retryable: true,
    details: error.details,
    cause: error,
  })
}

function parseStatus(text: string): Status {
  try {
    const parsed = JSON.parse(text) as Status | null
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}
