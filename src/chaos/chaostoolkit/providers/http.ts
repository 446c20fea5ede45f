import { isHoldfastError, type Json } from '../../../kernel/index.ts'
import { askHttp, headerOf, type HttpQuestion } from '../../hypothesis/probes/http.ts'
import { isMap } from '../python-values.ts'
import { pythonText, substitute } from '../substitute.ts'
import { ActivityFailed, type CtkProvider, type CtkVariables } from '../types.ts'

type HttpProvider = Extract<CtkProvider, { type: 'http' }>

/** As many as the library requests follows. */
const redirects = 30

/**
 * Sends a request; any status is an output, and the body is read as JSON when its type is exactly that. Throws ActivityFailed when there
 * is no answer, or none in time: a timeout is for the whole exchange.
 */
export async function playHttp(provider: HttpProvider, variables: CtkVariables, signal: AbortSignal): Promise<Json> {
  const { question, timeoutMs } = questionOf(provider, variables)
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  const either = timeout === undefined ? signal : AbortSignal.any([signal, timeout])
  for (let retriesLeft = provider.max_retries ?? 0; ; retriesLeft--) {
    try {
      const answer = await askHttp(question, either)
      const isJson = headerOf(answer, 'content-type') === 'application/json'
      return { status: answer.status, headers: answer.headers, body: isJson ? (JSON.parse(answer.body) as Json) : answer.body }
    } catch (error) {
      signal.throwIfAborted()
      if (timeout?.aborted === true) throw new ActivityFailed('activity took too long to complete')
      if (!isHoldfastError(error, 'command-failed')) throw error
      if (retriesLeft <= 0) throw new ActivityFailed(`failed to connect to ${question.url}: ${error.message}`)
    }
  }
}

function questionOf(provider: HttpProvider, variables: CtkVariables): { question: HttpQuestion; timeoutMs?: number } {
  const method = (provider.method ?? 'GET').toUpperCase()
  const target = new URL(pythonText(substitute(provider.url, variables)))
  const given = substitute(provider.arguments ?? null, variables)
  const headers = Object.fromEntries(
    Object.entries(substitute(provider.headers ?? {}, variables) as Record<string, Json>).map(([name, value]) => [
      name,
      pythonText(value),
    ]),
  )
  const timeout = substitute(provider.timeout ?? null, variables)
  const seconds = Array.isArray(timeout) ? timeout.reduce<number>((sum, part) => sum + Number(part), 0) : timeout
  const limit = typeof seconds === 'number' ? { timeoutMs: seconds * 1000 } : {}
  const common = { method, headers: { accept: '*/*', ...headers }, redirects, verifyTls: provider.verify_tls ?? true }
  if (method === 'GET' || given === null) {
    for (const [name, value] of isMap(given) ? formFields(given) : []) target.searchParams.append(name, value)
    return { question: { ...common, url: target.href }, ...limit }
  }
  const url = target.href
  if (headers['Content-Type'] === 'application/json')
    return { question: { ...common, url, body: JSON.stringify(given) }, ...limit }
  if (!isMap(given)) return { question: { ...common, url, body: pythonText(given) }, ...limit }
  const typed = { 'Content-Type': 'application/x-www-form-urlencoded', ...common.headers }
  return { question: { ...common, url, headers: typed, body: new URLSearchParams(formFields(given)).toString() }, ...limit }
}

/** A list is several fields of one name; nothing is left out. */
function formFields(given: { readonly [key: string]: Json }): [string, string][] {
  return Object.entries(given).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as Json[]) : [value])
      .filter((each) => each !== null)
      .map((each): [string, string] => [name, pythonText(each)]),
  )
}
