import { systemCode } from '../../kernel/index.ts'

/** Status 0: nobody listens there. Whatever else keeps it from an answer is thrown. */
export async function ask(
  api: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(5000)])
  try {
    const response = await fetch(new URL(path, api), {
      method,
      signal: limit,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', 'user-agent': 'holdfast' },
    })
    return { status: response.status, text: (await response.text()).trim() }
  } catch (error) {
    if (error instanceof TypeError && systemCode(error.cause) === 'ECONNREFUSED')
      return { status: 0, text: 'nobody listens there' }
    throw error
  }
}
