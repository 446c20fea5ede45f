import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A call to AWS: `ec2 StartInstances`, and for services that use paths `route53 POST /2013-04-01/…`. */
export interface AwsCall {
  readonly name: string
  readonly body: string
}

/** What is not moto: an answer instead of moto's, or moto's changed. */
export interface AwsProxyRules {
  /** Before moto gets the call. An answer is given instead of its own; `drop` closes the connection, `hang` never answers. */
  readonly before?: (call: AwsCall) => { readonly status: number; readonly body: string } | 'drop' | 'hang' | undefined
  /** After moto has done what was asked. Undefined closes the connection without an answer. */
  readonly after?: (call: AwsCall, body: string) => string | undefined
}

export interface AwsProxy extends AsyncDisposable {
  readonly url: string
  readonly calls: AwsCall[]
  rules: AwsProxyRules
  /** How often a call of that name came by. */
  count(name: string): number
}

/** Stands in front of moto, and writes down every call. What it answers by itself is said by its rules. */
export async function proxyTo(target: string): Promise<AwsProxy> {
  const calls: AwsCall[] = []
  const proxy = { calls, rules: {} as AwsProxyRules }
  const server = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing, target, proxy).catch(() => outgoing.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (name: string) => calls.filter((call) => call.name === name).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  { calls, rules }: { readonly calls: AwsCall[]; readonly rules: AwsProxyRules },
): Promise<void> {
  const body = await buffer(incoming)
  const call = { name: nameOf(incoming, body.toString('latin1')), body: body.toString('latin1') }
  calls.push(call)
  const instead = rules.before?.(call)
  if (instead === 'hang') return
  if (instead === 'drop') return void outgoing.destroy()
  if (instead !== undefined) return void outgoing.writeHead(instead.status, { 'content-type': 'text/xml' }).end(instead.body)
  const onward = request(new URL(incoming.url ?? '/', target), { method: incoming.method, headers: incoming.headers })
  onward.end(body)
  const [answer] = (await once(onward, 'response')) as [IncomingMessage]
  const told = await buffer(answer)
  const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers
  if (rules.after === undefined) return void outgoing.writeHead(answer.statusCode ?? 502, headers).end(told)
  const changed = rules.after(call, told.toString('latin1'))
  if (changed === undefined) outgoing.destroy()
  else outgoing.writeHead(answer.statusCode ?? 502, headers).end(Buffer.from(changed, 'latin1'))
}

/** The service stands in what was signed, the operation in the form, the path or nowhere else than in the method. */
function nameOf({ headers, method, url = '/' }: IncomingMessage, body: string): string {
  const [, service = '?'] = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '') ?? []
  const operation = new URLSearchParams(body).get('Action') ?? /\/operation\/(\w+)/.exec(url)?.[1]
  return `${service} ${operation ?? `${method} ${url.split('?')[0]}`}`
}

/** An error as EC2 words it. */
export function ec2Error(code: string, message: string): string {
  return `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>x</RequestID></Response>`
}

/** An error as RDS and Route 53 word it. */
export function queryError(code: string, message: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>x</RequestId></ErrorResponse>`
}

/**
 * What RDS does and moto does not: a promoted instance is no replica any more. moto accepts the promotion and leaves the field as it was;
 * this takes it out of what moto says of an instance after its promotion.
 */
export function promotesReplicas(): { readonly after: (call: AwsCall, body: string) => string } {
  const promoted = new Set<string>()
  return {
    after({ name, body }, told) {
      const form = new URLSearchParams(body)
      if (name === 'rds PromoteReadReplica' && told.includes('<PromoteReadReplicaResult>'))
        promoted.add(form.get('DBInstanceIdentifier') ?? '')
      if (!name.startsWith('rds ')) return told
      return told.replaceAll(/<DBInstance>[\s\S]*?<\/DBInstance>/g, (instance) => {
        const [, id = ''] = /<DBInstanceIdentifier>([^<]*)</.exec(instance) ?? []
        const field = /<ReadReplicaSourceDBInstanceIdentifier>[^<]*<\/ReadReplicaSourceDBInstanceIdentifier>/
        return promoted.has(id) ? instance.replace(field, '') : instance
      })
    },
  }
}

/**
 * What RDS does and moto does not: the primary of a Multi-AZ instance changes its zone in a reboot with failover, some answers later. moto reboots
 * nothing; this changes what moto says of an instance after such a reboot.
 */
export function failsInstancesOver(to: string, later: number): { readonly after: (call: AwsCall, body: string) => string } {
  const told = new Map<string, number>()
  return {
    after({ name, body }, answer) {
      const form = new URLSearchParams(body)
      if (name === 'rds RebootDBInstance' && form.get('ForceFailover') === 'true')
        told.set(form.get('DBInstanceIdentifier') ?? '', later)
      if (name !== 'rds DescribeDBInstances') return answer
      return answer.replaceAll(/<DBInstance>[\s\S]*?<\/DBInstance>/g, (instance) => {
        const [, id = ''] = /<DBInstanceIdentifier>([^<]*)</.exec(instance) ?? []
        const left = told.get(id)
        if (left === undefined) return instance
        told.set(id, left - 1)
        return left > 0 ? instance : instance.replace(/<AvailabilityZone>[^<]*</, `<AvailabilityZone>${to}<`)
      })
    },
  }
}
